"""The points of a sweep: each specification under each plan, at each combination of values; and pieces of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from archspec.compress.plan import Plan
from archspec.language.document import Document

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
