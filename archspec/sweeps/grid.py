"""The points of a sweep: each specification under each plan, at each combination of values; and pieces of them.

The values of a symbol are written 1/4..2:1/4, 96,128..224:32, or * for all.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import prod
from typing import Any

import numpy as np

from archspec.compress.plan import Plan
from archspec.dims import exact, is_array
from archspec.errors import ArchspecError, BindingError
from archspec.graph.binding import batch_size
from archspec.language.document import Document, Symbol
from archspec.language.expression import CONSTANTS
from archspec.language.rules import symbol_of, value_fault

BATCH = "batch"
ALL = "*"
MAX_VALUES = 1_000_000
"""How many values of one symbol a sweep takes."""


def values_of(document: Document, name: str, given: Any) -> tuple[Any, ...]:
    """The values that a symbol is given, in the order in which they are written.

    Args:
        document: The specification.
        name: The symbol; or "batch", where none is called so.
        given: One value, several, or text such as "1/4..2:1/4", "96,128", "*".

    Raises:
        BindingError: There is no such symbol, it cannot have a value, a value stands twice, or there are none or too
            many.

    >>> from archspec.language import load
    >>> mobilenet = load("mobilenet")
    >>> values_of(mobilenet, "alpha", "1/4..3/4:1/4"), values_of(mobilenet, "side", "128,192..224:32")
    ((Fraction(1, 4), Fraction(1, 2), Fraction(3, 4)), (128, 192, 224))
    """
    symbol = None if name == BATCH and BATCH not in document.symbols else symbol_of(document, name)
    word = symbol is not None and symbol.word
    found: dict[Any, None] = {}
    for part in _parts(given):
        for value in _values(name, symbol, part, word):
            if value in found:
                raise BindingError(f"{name} is given {value} twice")
            found[value] = None
            if len(found) > MAX_VALUES:
                raise _too_many(name, len(found), part)
    if not found:
        raise BindingError(f"{name} is given no values; write some, such as 1,2,4 or 1..8")
    for value in found:
        if symbol is None:
            batch_size(value)
        elif fault := value_fault(symbol, value):
            raise BindingError(f"{name} {fault}")
    return tuple(found)


def _parts(given: Any) -> list[Any]:
    if isinstance(given, str):
        return [part.strip() for part in given.split(",")]
    if is_array(given):
        return list(given.ravel().tolist())
    return list(given) if isinstance(given, Iterable) else [given]


def _values(name: str, symbol: Symbol | None, part: Any, word: bool) -> Iterable[Any]:
    if part == ALL:
        return _all(name, symbol)
    if word:
        truth = symbol is not None and symbol.truth and isinstance(part, str)
        return [CONSTANTS.get(part.lower(), part) if truth else part]
    if isinstance(part, str) and ".." in part:
        return _range(name, symbol, part)
    return [_number(name, part)]


def _number(name: str, text: Any) -> Any:
    try:
        return exact(text)
    except ArchspecError as error:
        raise BindingError(f"{name}: {error}; values are written 1/4..2:1/4, 96,128 or {ALL}") from None


def _all(name: str, symbol: Symbol | None) -> Iterable[Any]:
    """The choices of a symbol, or all whole numbers of its range.

    Raises:
        BindingError: It has neither.
    """
    if symbol is not None and symbol.choices is not None:
        return symbol.choices
    if symbol is None or symbol.range is None:
        raise BindingError(f"{name} has no choices and no range that {ALL} could stand for; write from..to:step")
    low, high = symbol.range
    if not symbol.integer:
        raise BindingError(f"{name} takes every number from {low} to {high}; give a step: {low}..{high}:1/8")
    return _steps(name, low, high, 1, f"{low}..{high}")


def _range(name: str, symbol: Symbol | None, text: str) -> Iterable[Any]:
    ends, colon, by = text.partition(":")
    low, _, high = ends.partition("..")
    first, last = _number(name, low), _number(name, high)
    if not colon and not (isinstance(first, int) and (symbol is None or symbol.integer)):
        raise BindingError(f"{name} takes fractions; give a step: {text}:1/8")
    step = _number(name, by) if colon else 1
    if step <= 0:
        raise BindingError(f"{name}: a step is greater than 0 (got {step})")
    if last < first:
        raise BindingError(f"{name}: nothing is from {first} to {last}; the smaller number comes first")
    return _steps(name, first, last, step, text)


def _steps(name: str, first: Any, last: Any, step: Any, text: str) -> Iterator[Any]:
    count = int((Fraction(last) - first) / step) + 1
    if count > MAX_VALUES:
        raise _too_many(name, count, text)
    return (exact(first + i * step) for i in range(count))


def _too_many(name: str, count: int, text: Any) -> BindingError:
    return BindingError(
        f"{name} has {count:,} values in {text}, more than {MAX_VALUES:,}; give a longer step, or ask archspec solve, "
        f"which follows a symbol by its roundings"
    )


TILES = 16
MAX_TILE, MIN_TILE = 2**23, 2**20
"""How many points are swept at once; between these, a sixteenth of them, so that several processes have something to do
and little is lost where one ends. Fewer are not worth what it takes to cut them into patches."""
MIN_SCATTERED = 2**8
"""The same where most points have layers of their own, and each is counted for itself."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A specification under a plan, or none, along its axes.

    Attributes:
        document: The specification.
        plan: The plan of compression.
        bindings: The symbols that are not swept and not at their defaults.
        axes: The values of each symbol that is swept; the last moves fastest.
    """

    document: Document
    plan: Plan | None
    bindings: Mapping[str, Any]
    axes: Mapping[str, tuple[Any, ...]]

    @property
    def shape(self) -> tuple[int, ...]:
        """How many values each axis has."""
        return tuple(len(values) for values in self.axes.values())

    @property
    def points(self) -> int:
        """How many points there are."""
        return prod(self.shape)

    def at(self, place: int) -> dict[str, Any]:
        """The values at a point."""
        where = np.unravel_index(place, self.shape) if self.axes else ()
        return {name: values[int(i)] for (name, values), i in zip(self.axes.items(), where, strict=True)}

    def words(self) -> tuple[str, ...]:
        """The axes whose values are words, or true and false."""
        return tuple(name for name, values in self.axes.items() if isinstance(values[0], (str, bool)))

    def named(self, place: int) -> str:
        """A point in words."""
        values = ", ".join(f"{name} = {value}" for name, value in self.at(place).items())
        plan = f" under {self.plan.name}" if self.plan else ""
        return f"{self.document.name}{plan}" + (f" at {values}" if values else "")


@dataclass(frozen=True, slots=True)
class Tile:
    """A piece of a sweep that is worked on at once.

    Attributes:
        subject: The number of its subject.
        start: Its first place along each axis.
        stop: The place behind its last.
    """

    subject: int
    start: tuple[int, ...]
    stop: tuple[int, ...]

    @property
    def points(self) -> int:
        """How many points it has."""
        return prod(b - a for a, b in zip(self.start, self.stop, strict=True))


def tiles(subjects: Sequence[Subject], scattered: Sequence[bool]) -> Iterator[Tile]:
    """The pieces of a sweep, in the order of its points; they depend on nothing but what is asked.

    Args:
        subjects: The subjects.
        scattered: Of each, whether most of its points have layers of their own.
    """
    for number, (subject, apart) in enumerate(zip(subjects, scattered, strict=True)):
        most = min(max(-(-subject.points // TILES), MIN_SCATTERED if apart else MIN_TILE), MAX_TILE)
        for start, stop in pieces(subject.shape, most):
            yield Tile(number, start, stop)


def pieces(shape: tuple[int, ...], most: int) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """A grid in pieces of so many points at most, each from one point to another, in the order of the points.

    >>> list(pieces((2, 3), 4))
    [((0, 0), (1, 3)), ((1, 0), (2, 3))]
    """
    if not shape:
        yield (), ()
        return
    inner = prod(shape[1:])
    step = max(most // inner, 1)
    for first in range(0, shape[0], step):
        last = min(first + step, shape[0])
        rest = [((0,) * len(shape[1:]), shape[1:])] if inner <= most else pieces(shape[1:], most)
        for start, stop in rest:
            yield (first, *start), (last, *stop)
