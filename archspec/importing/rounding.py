"""By which rounding a multiplier makes numbers of channels: all functions that fit, and what would tell them apart."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from fractions import Fraction
from math import comb
from types import MappingProxyType
from typing import TypeAlias

from archspec import dims

MULTIPLES = range(2, 9)
"""By what a number of channels is widened before or after it is rounded: the t of an expansion."""

BETWEEN = Fraction(1, 4), Fraction(2)
"""Where a multiplier is looked for that tells roundings apart."""


@dataclass(frozen=True, slots=True)
class WidthRounding:
    """A way from a fraction of channels to a whole number of them; `text` is of a number x."""

    name: str
    text: str
    of: Callable[[Fraction], int]

    def forms(self, base: int, multipliers: Sequence[Fraction], values: Sequence[int]) -> "list[Form]":
        """All ways in which it makes these values of a number at these multipliers, from the simplest on.

        >>> [form.text("f") for form in ROUNDINGS[0].forms(1280, [Fraction(1, 2), Fraction(2)], [1280, 2560])][:2]
        ['max(1280, f(1280))', 'max(1280, 2 * f(640))']
        """
        several = [1, *(times for times in MULTIPLES if base % times == 0)]
        every = [Form(self, base, times, at_least) for times in several for at_least in (False, True)]
        return [
            form
            for form in every
            if all(form.of(multiplier) == value for multiplier, value in zip(multipliers, values, strict=True))
        ]


@dataclass(frozen=True, slots=True)
class Form:
    """How a number follows a multiplier.

    Attributes:
        rounding: How it is rounded.
        base: What it is at a multiplier of 1.
        times: How often what was rounded is taken.
        at_least: Whether it is never less than at 1.
    """

    rounding: WidthRounding
    base: int
    times: int = 1
    at_least: bool = False

    def of(self, multiplier: Fraction) -> int:
        """The number at a multiplier."""
        number = self.times * self.rounding.of(multiplier * Fraction(self.base, self.times))
        return max(self.base, number) if self.at_least else number

    def text(self, function: str) -> str:
        """It as an expression over the function that rounds."""
        said = f"{function}({self.base // self.times})"
        said = f"{self.times} * {said}" if self.times > 1 else said
        return f"max({self.base}, {said})" if self.at_least else said


Case: TypeAlias = tuple[int, Sequence[Fraction], Sequence[int]]
"""A number at a multiplier of 1, and what it is at which multipliers."""

Flows: TypeAlias = Mapping[int, AbstractSet[int]]

Fits: TypeAlias = "Mapping[WidthRounding, Sequence[Sequence[Form]]]"
"""The roundings that fit, each with all forms of every number."""


ROUNDINGS: tuple[WidthRounding, ...] = (
    WidthRounding("floor", "floor({x})", lambda x: x.numerator // x.denominator),
    WidthRounding("round", "round({x})", lambda x: (2 * x + 1).__floor__() // 2),
    WidthRounding("round, halves to even", "round_even({x})", round),
    WidthRounding("ceil", "ceil({x})", lambda x: x.__ceil__()),
    WidthRounding("make_divisible to 8", "make_divisible({x}, 8)", lambda x: int(dims.make_divisible(x, 8))),
    WidthRounding("make_divisible to 4", "make_divisible({x}, 4)", lambda x: int(dims.make_divisible(x, 4))),
    WidthRounding("the nearest multiple of 8", "8 * round({x} / 8)", lambda x: 8 * ((2 * x / 8 + 1).__floor__() // 2)),
    WidthRounding("down to a multiple of 8", "8 * floor({x} / 8)", lambda x: 8 * (x / 8).__floor__()),
    WidthRounding("up to a multiple of 8", "8 * ceil({x} / 8)", lambda x: 8 * (x / 8).__ceil__()),
)
"""From the simplest on; those that the language can say."""


def fitting(numbers: Sequence[Case], flows: Flows = MappingProxyType({})) -> Fits:
    """The roundings that make all numbers of their bases, from the simplest on, as few as can be as multiples.

    Args:
        numbers: What is to be made.
        flows: How many channels flow into the layers that make so many; a number is a multiple of those.

    >>> [each.name for each in fitting([(32, [Fraction(1, 2)], [16]), (64, [Fraction(37, 100)], [23])])]
    ['floor']
    """
    forms = {r: [_likely(r.forms(*number), flows) for number in numbers] for r in ROUNDINGS}
    forms = {rounding: each for rounding, each in forms.items() if all(each)}
    widened = {rounding: sum(several[0].times > 1 for several in each) for rounding, each in forms.items()}
    fewest = min(widened.values(), default=0)
    return {rounding: forms[rounding] for rounding, often in widened.items() if often == fewest}


def _likely(forms: Sequence[Form], flows: Flows) -> Sequence[Form]:
    """Of the ways of making a number those that are multiples of what flows in; all, where there are no others."""
    found = [form for form in forms if form.times == 1 or form.base // form.times in flows.get(form.base, ())]
    return found or forms


def telling_apart(
    fits: Fits, seen: Sequence[Fraction], constants: Iterable[int] = (), flows: Flows = MappingProxyType({})
) -> Iterator[Fraction]:
    """Multipliers of two or three decimals that tell more, those first that leave fewest ways of making the numbers.

    Where nothing was seen above 1, or nothing below, they are from there: what a builder does there is not known.

    Args:
        fits: What fits.
        seen: The multipliers that were tried.
        constants: Numbers that were the same at all of them, of which some may grow on the other side.
        flows: How many channels flow into the layers that make so many.

    >>> several = fitting([(64, [Fraction(1, 2), Fraction(3, 2)], [32, 96])])
    >>> next(telling_apart(several, [Fraction(1, 2), Fraction(3, 2)]))
    Fraction(7, 25)
    """
    above, below = any(each > 1 for each in seen), any(each < 1 for each in seen)
    lowest, highest = BETWEEN[0] if above else Fraction(1), BETWEEN[1] if below else Fraction(1)
    wholes = list(dict.fromkeys(tuple(forms[0] for forms in each) for each in fits.values()))
    same = [(base, seen, [base] * len(seen)) for base in set(constants)]
    constant = [found for r in fits for each in same if (found := _likely(r.forms(*each), flows))]
    parts = {tuple(forms) for forms in (*(forms for each in fits.values() for forms in each), *constant)}
    bases = {forms[0].base for forms in parts}
    before = _alike(wholes, parts, Fraction(1))
    left: dict[Fraction, tuple[int, int]] = {}
    for digits in (100, 1000):
        for multiplier in (Fraction(n, digits) for n in range(int(lowest * digits), int(highest * digits) + 1)):
            if multiplier not in {1, *seen} and all(_is_exact(base, multiplier) for base in bases):
                left[multiplier] = _alike(wholes, parts, multiplier)
        if before == (0, 0) or (0, 0) in left.values():
            break
    if above and below:
        left = {multiplier: count for multiplier, count in left.items() if count < before}
    yield from sorted(left, key=lambda each: (left[each], each.denominator, abs(each - 1)))


def _alike(wholes: Sequence[Sequence[Form]], parts: Iterable[Sequence[Form]], multiplier: Fraction) -> tuple[int, int]:
    """How many ways come to the same at a multiplier: as what is taken, and pairs of all.

    Args:
        wholes: The ways of making all numbers, the one that is taken first.
        parts: The ways of making one of them.
        multiplier: Where they are compared.
    """
    every = [[tuple(form.of(multiplier) for form in forms) for forms in wholes]]
    every += [[(form.of(multiplier),) for form in forms] for forms in parts]
    taken = wholes[0][0].rounding if wholes else None
    several = [wholes[0][0].rounding if wholes else None, *(forms[0].rounding for forms in parts)]
    simplest = sum(made[1:].count(made[0]) for made, of in zip(every, several, strict=True) if of is taken and made)
    return simplest, sum(comb(count, 2) for made in every for count in Counter(made).values())


def _is_exact(base: int, multiplier: Fraction) -> bool:
    """Whether code that multiplies as computers do comes to the same: not so int(200 * 0.57), which is 113."""
    product = Fraction(base * float(multiplier))
    return all(rounding.of(product) == rounding.of(base * multiplier) for rounding in ROUNDINGS)
