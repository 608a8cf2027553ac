"""What is taken for true of free symbols, as data: it can be printed, evaluated and written as code."""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from archspec.dims import record, values_at_hand
from archspec.errors import ArchspecError
from archspec.symbols.values import value

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
