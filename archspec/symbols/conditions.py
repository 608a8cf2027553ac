"""What symbols leave open, equal or not, less or not, whole, large enough; and what is taken for true of them, as data.

What the expressions themselves say is taken from them. What they leave open is decided as the values say by which
`dims.recording` decides, and recorded as a `Condition`, which can be printed, evaluated and written as code; the
defaults of a specification are such values. Two kinds of question differ where there are no values: a branch (`equal`,
`less`) takes different expressions for different, or is refused; a demand (`agree`, `is_whole`, `reaches`), whose other
answer would be an error, is taken to be met.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Any

from sympy import Expr, Integer, expand

from archspec.dims import record, values_at_hand
from archspec.errors import ArchspecError, UndecidableError
from archspec.symbols.atoms import CeilDiv, to_sympy, value

SIGNS: Mapping[str, str] = {
    "divides": "is a multiple of",
    "differs": "≠",
    "equals": "=",
    "at_least": "≥",
    "at_most": "≤",
    "above": ">",
    "below": "<",
}
"""The kinds of condition, as one writes them."""

RELATIONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "divides": lambda a, b: a % b == 0,
    "differs": operator.ne,
    "equals": operator.eq,
    "at_least": operator.ge,
    "at_most": operator.le,
    "above": operator.gt,
    "below": operator.lt,
}
"""What each kind asks of two numbers."""

MIRRORED: Mapping[str, str] = {"at_least": "at_most", "at_most": "at_least", "above": "below", "below": "above"}
"""The kind that says the same with its sides exchanged; one that is not here is its own, but for "divides"."""


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that had to be taken for true of free symbols.

    Attributes:
        kind: One of `SIGNS`; "divides" is that right divides left.
        left: A SymPy expression.
        right: A SymPy expression.
    """

    kind: str
    left: Any
    right: Any

    def __str__(self) -> str:
        return f"{self.left} is whole" if self.whole else f"{self.left} {SIGNS[self.kind]} {self.right}"

    @property
    def whole(self) -> bool:
        """Whether it is that something is an integer."""
        return self.kind == "divides" and bool(self.right == 1)

    @property
    def names(self) -> list[str]:
        """The names of its symbols, in order."""
        return sorted({free.name for side in (self.left, self.right) for free in side.free_symbols})

    def holds(self, values: Mapping[str, Any]) -> bool:
        """Whether it is so of the values of its symbols; not where a side has no value, such as log₂ 3."""
        return self.decided(values) is True

    def decided(self, values: Mapping[str, Any]) -> bool | None:
        """Whether it is so of the values of its symbols; None where a symbol, or a side at them, has no value."""
        try:
            left, right = (value(side, values) for side in (self.left, self.right))
            answer = RELATIONS[self.kind](left, right)
        except (ArchspecError, ZeroDivisionError):
            return None
        return bool(answer.all() if hasattr(answer, "all") else answer)

    def holds_for(self, choices: Mapping[str, Sequence[Any]]) -> bool:
        """Whether it is so of every choice of its symbols; False if one of them may have other values than these."""
        names = self.names
        if not all(name in choices for name in names):
            return False
        combinations = product(*(choices[name] for name in names))
        return all(self.holds(dict(zip(names, values, strict=True))) for values in combinations)


def condition(kind: str, left: Any, right: Any) -> Condition:
    """A condition with a number on its right, where one side is a number."""
    if left.is_number and not right.is_number and kind != "divides":
        return Condition(MIRRORED.get(kind, kind), right, left)
    return Condition(kind, left, right)


def require(needed: Condition) -> bool:
    """Whether what must be so can be: not where the values at hand say otherwise; it is recorded."""
    if needed.decided(values_at_hand() or {}) is False:
        return False
    record(needed)
    return True


# ------------------------------------------------------------------ decisions


def equal(a: Any, b: Any) -> bool:
    """Whether a = b; where that is open, as the values at hand say, and without values not."""
    if isinstance(a, (str, bool)) or isinstance(b, (str, bool)):
        return False
    plain = _equal(to_sympy(a), to_sympy(b))
    if plain is not None:
        return plain
    return _decided(a, "equals", "differs", b) or False


def agree(a: Any, b: Any) -> bool:
    """Whether a = b, as it must be; where that is open and no value says otherwise, it is."""
    plain = _equal(to_sympy(a), to_sympy(b))
    return require(condition("equals", to_sympy(a), to_sympy(b))) if plain is None else plain


def _equal(a: Expr, b: Expr) -> bool | None:
    """Whether a = b is plain; None if it is open."""
    difference = expand(a - b)
    if not difference.is_zero and difference.has(CeilDiv):
        difference = expand(reduced(difference))
    zero: bool | None = difference.is_zero
    return zero


def reduced(x: Expr) -> Expr:
    """The same with ⌈(u + c)/b⌉ as ⌈(u + r)/b⌉ + q, where c = q·b + r: two that are equal are then one expression."""
    x = x.func(*map(reduced, x.args)) if x.args else x
    if not (isinstance(x, CeilDiv) and x.args[1].is_Integer):
        return x
    if x.args[1] == 1:
        return x.args[0]
    c, u = x.args[0].as_coeff_Add()
    return CeilDiv(u + c % x.args[1], x.args[1]) + c // x.args[1] if c.is_Integer else x


def less(a: Any, b: Any) -> bool:
    """Whether a < b, from the signs of the symbols; where they leave it open, as the values at hand say.

    Raises:
        UndecidableError: There are no values.
    """
    difference = to_sympy(a) - to_sympy(b)
    if difference.is_negative:
        return True
    if difference.is_nonnegative:
        return False
    answer = _decided(a, "below", "at_least", b)
    if answer is None:
        raise UndecidableError(f"whether {a} < {b} depends on the free {_named(difference)}")
    return answer


def _named(expression: Expr) -> str:
    names = sorted(str(free) for free in expression.free_symbols)
    return f"symbol {names[0]}; bind it" if len(names) == 1 else f"symbols {', '.join(names)}; bind one of them"


def is_whole(x: Expr) -> bool:
    """Whether x is an integer, as it must be; where that is open and no value says otherwise, it is."""
    plain = known_whole(x)
    return plain if plain is not None else require(Condition("divides", x, Integer(1)))


def known_whole(x: Expr) -> bool | None:
    """Whether x is an integer, as its parts say; None if they leave it open.

    SymPy 1.14 takes (6a + 6)(b + 1)/10 for an integer, whatever the integers a and b are; of the sum it says nothing.
    """
    whole: bool | None = expand(x).is_integer
    return whole


def reaches(x: Any, least: Any) -> bool:
    """Whether x ≥ least, as it must be; where that is open and no value says otherwise, it is."""
    difference = to_sympy(x) - to_sympy(least)
    if difference.is_nonnegative or difference.is_negative:
        return bool(difference.is_nonnegative)
    return require(condition("at_least", to_sympy(x), to_sympy(least)))


def settled(x: Expr) -> Any:
    """The number that x is at the values at hand, taken for granted.

    Raises:
        UndecidableError: There are no values.
    """
    at = values_at_hand() or {}
    if not all(free.name in at for free in x.free_symbols):
        raise UndecidableError(f"whatever {x} is depends on the free {_named(x)}")
    number = value(x, at)
    record(condition("equals", x, to_sympy(number)))
    return number


@lru_cache(maxsize=65_536)
def parts(x: Expr) -> int:
    """How many parts an expression is made of."""
    return 1 + sum(map(parts, x.args))


def at_least_one(a: Expr) -> None:
    """Record that a size, or each factor of a product of sizes, is at least 1, unless it is plain."""
    if a.is_Mul and all(factor.is_integer for factor in a.args):
        for factor in a.args:
            at_least_one(factor)
    elif a.is_Pow and a.base.is_integer:
        at_least_one(a.base)
    elif not (a.is_integer and a.is_positive):
        record(condition("at_least", a, Integer(1)))


def _decided(a: Any, yes: str, no: str, b: Any) -> bool | None:
    """The answer to an open question by the values at hand, recorded; without values, `no` if that is "differs"."""
    a, b = to_sympy(a), to_sympy(b)
    answer = condition(yes, a, b).decided(values_at_hand() or {})
    if answer is not None or no == "differs":
        record(condition(yes if answer else no, a, b))
    return answer
