"""Whether a formula is what it says: compared with the count of the network at random bindings."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from random import Random
from typing import Any

from archspec.dims import exact
from archspec.errors import ArchspecError
from archspec.formula.closed_form import Formula
from archspec.language.document import Document, Symbol
from archspec.symbols import value

FACTORS = (1, 1, 1, 2, 4, 8, 12, 24)
DENOMINATORS = (1, 2, 3, 4, 5, 7, 8, 10, 16, 20, 32, 50, 100)
FURTHEST = 600
"""How far above its least value, or above twice its default, a whole number is tried."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What came of comparing a formula with counts.

    Attributes:
        tried: Bindings at which its assumptions held, and the network was counted.
        apart: Bindings at which an assumption does not hold; the formula says nothing there.
        seed: What the bindings were drawn by.
        against: The first binding at which the two differ, the formula's number, and the count.
        refused: Bindings at which the assumptions hold, and the network cannot be counted.
        refusal: The first of these, and why.
    """

    tried: int
    apart: int
    seed: int
    against: tuple[Mapping[str, Any], Any, Any] | None = None
    refused: int = 0
    refusal: tuple[Mapping[str, Any], str] | None = None

    def __bool__(self) -> bool:
        return self.against is None


def proved(formula: Formula, document: Document, trials: int, seed: int = 0) -> Proof:
    """Compare a formula with the count at random bindings, awkward ones among them.

    Args:
        formula: The formula of a network.
        document: The specification that has its symbols.
        trials: How many bindings at which its assumptions hold; at most ten times as many are drawn.
        seed: What to draw by.
    """
    tried = apart = refused = 0
    refusal: tuple[Mapping[str, Any], str] | None = None
    for bindings in drawn(formula, document, 10 * trials, seed):
        if tried == trials:
            break
        if not formula.holds(bindings):
            apart += 1
            continue
        try:
            counted = formula.counted(bindings) if formula.counted else None
        except ArchspecError as error:
            refused, refusal = refused + 1, refusal or (bindings, str(error).splitlines()[0])
            continue
        tried += 1
        found = value(formula.exact, bindings)
        if found != counted:
            return Proof(tried, apart, seed, (bindings, found, counted), refused, refusal)
    return Proof(tried, apart, seed, None, refused, refusal)


def drawn(formula: Formula, document: Document, most: int, seed: int) -> Iterator[dict[str, Any]]:
    """Values of a formula's symbols within what the specification allows: odd sides, awkward fractions, all choices."""
    random = Random(seed)  # noqa: S311  # not for secrets
    for _ in range(most):
        yield {
            symbol.name: _number(document.symbols[symbol.name], random)
            if symbol.name in document.symbols
            else random.randint(1, 9)
            for symbol in formula.symbols
        }


def _number(symbol: Symbol, random: Random) -> Any:
    """A value that a symbol may have: one of its choices, a whole number, or a fraction."""
    if symbol.choices:
        return random.choice(symbol.choices)
    least, most = symbol.range or (1, None)
    furthest = max(least, 2 * symbol.default) + FURTHEST
    most = furthest if most is None else min(most, furthest)
    if symbol.integer:
        round_one = random.randint(1, 20) * random.choice(FACTORS)  # so that one number often divides another
        number = random.choice((random.randint(int(least), int(most)), round_one))
        return min(max(number, int(least)), int(most))
    under = random.choice([each for each in DENOMINATORS if ceil(least * each) <= floor(most * each)])
    return exact(Fraction(random.randint(ceil(least * under), floor(most * under)), under))
