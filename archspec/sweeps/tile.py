"""A piece of a sweep, worked on at once by one process: its patches counted, filtered block by block."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from archspec.arrays import LARGEST
from archspec.cost import Counting
from archspec.sweeps.budget import Budget
from archspec.sweeps.criteria import Objective
from archspec.sweeps.grid import Subject, Tile, pieces
from archspec.sweeps.patches import Cutter, Patch, Quotient, Separable
from archspec.sweeps.rows import Rows, beside, ranked, together, whole

BLOCK = 2**20
"""How many points are looked at together."""
WAITING = 2**17
"""How many points wait until they are held against the front."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of every point, and which points are kept.

    Attributes:
        of: The quantities that are said.
        where: The bounds that a point is within.
        front: The objectives of which no other point has the better of all.
        sort: What points are sorted by.
        top: How many are kept of those.
        counting: How they are counted.
    """

    of: tuple[str, ...]
    where: tuple[Budget, ...]
    front: tuple[Objective, ...]
    sort: tuple[Objective, ...]
    top: int | None
    counting: Counting

    @property
    def shown(self) -> tuple[str, ...]:
        """The quantities of the answer."""
        return tuple(dict.fromkeys((*self.of, *(each.quantity for each in (*self.front, *self.sort)))))

    @property
    def quantities(self) -> tuple[str, ...]:
        """All that are counted."""
        return tuple(dict.fromkeys((*self.shown, *(budget.quantity for budget in self.where))))

    @property
    def bounded(self) -> bool:
        """Whether few points are kept, however many there are."""
        return bool(self.front) or self.top is not None

    def best(self, rows: Rows) -> Rows:
        """Of some rows those that can be among the answer's."""
        if self.front:
            return rows.best(self.front)
        return rows if self.top is None else rows.ordered(self.sort, self.top)


@dataclass(frozen=True, slots=True)
class Swept:
    """What a tile has come to.

    Attributes:
        rows: The points that are kept, in the order of the grid.
        points: How many there were.
        within: How many of these have a network within all bounds.
        unbuilt: How many give no network.
        fault: The first of those, by its place, with the reason.
    """

    rows: Rows
    points: int
    within: int
    unbuilt: int
    fault: tuple[int, int, str] | None


def swept(question: Question, subject: Subject, tile: Tile) -> Swept:
    """Sweep one tile."""
    waiting: list[Rows] = []
    within = unbuilt = 0
    fault: tuple[int, int, str] | None = None
    for patch in Cutter(subject, question.quantities, question.counting).patches(tile.start, tile.stop):
        if patch.fault:
            unbuilt += prod(patch.shape)
            found = (tile.subject, int(_places(subject, patch, [each[:1] for each in patch.places])[0]), patch.fault)
            fault = found if fault is None else min(fault, found)
            continue
        for rows, count in _blocks(question, subject, tile.subject, patch):
            within += count
            waiting.append(rows)
            if question.bounded and sum(map(len, waiting)) > WAITING:
                waiting = [question.best(together(waiting, question.shown))]
    rows = question.best(together(waiting, question.shown))
    return Swept(rows.ordered(()), tile.points, within, unbuilt, fault)


def _blocks(question: Question, subject: Subject, number: int, patch: Patch) -> Iterator[tuple[Rows, int]]:
    """The points of a patch that are kept, block by block; and how many are within the bounds."""
    for start, stop in pieces(patch.shape, BLOCK):
        key = tuple(slice(a, b) for a, b in zip(start, stop, strict=True))
        alive = np.ones(tuple(b - a for a, b in zip(start, stop, strict=True)), dtype=bool)
        for budget in question.where:
            alive &= _within(budget, patch.figures[budget.quantity], key)
        count = int(np.count_nonzero(alive))
        if question.front and alive.ndim and count > 1:
            alive = beside([_compared(patch.figures[o.quantity], key, o, alive.ndim) for o in question.front], alive)
        elif question.top is not None and alive.ndim and count > question.top:
            alive = _foremost(question, patch, key, alive, question.top)
        inside = np.nonzero(alive) if alive.ndim else ()
        if count:
            yield _kept(question, subject, number, patch, start, inside), count


def _foremost(question: Question, patch: Patch, key: tuple[Any, ...], alive: Any, top: int) -> Any:
    """Which points of a block can be among the first so many: by what they are sorted by first, else by their order."""
    if not question.sort:
        first = np.zeros(alive.size, dtype=bool)
        first[np.flatnonzero(alive)[:top]] = True
        return first.reshape(alive.shape)
    by = question.sort[0]
    values = np.broadcast_to(_compared(patch.figures[by.quantity], key, by, alive.ndim), alive.shape)
    inside = values[alive]
    return alive & (values <= np.partition(inside, top - 1)[top - 1])


def _kept(
    question: Question, subject: Subject, number: int, patch: Patch, start: Sequence[int], inside: Sequence[Any]
) -> Rows:
    """Points of a block, by their places in it, with what they cost."""
    key = tuple(a + each for a, each in zip(start, inside, strict=True))
    places = _places(subject, patch, [each[i] for each, i in zip(patch.places, key, strict=True)])
    count = len(places)
    values = {name: np.asarray(patch.figures[name].at(key)) for name in question.shown}
    figures = {name: whole(np.broadcast_to(each, (count,))) for name, each in values.items()}
    return Rows(np.full(count, number), places, figures, np.ones(count, dtype=np.int64))


def _places(subject: Subject, patch: Patch, along: Sequence[Any]) -> Any:
    """The places of points on the grid of their subject."""
    if not patch.shape:
        return np.zeros(1, dtype=np.int64)
    return np.asarray(np.ravel_multi_index(tuple(along), subject.shape), dtype=np.int64)


def _compared(figure: Separable, key: tuple[Any, ...], objective: Objective, axes: int) -> Any:
    """What points are compared by, the least the best, on the grid of a block; of what is undefined the worst."""
    found = np.asarray(figure.at(key))
    found = found.reshape((1,) * axes) if not found.ndim else found
    return ranked(found.ravel(), objective.largest).reshape(found.shape)


def _within(budget: Budget, figure: Separable, key: tuple[Any, ...]) -> Any:
    """Where a quantity is within its bounds; what is undefined is not."""
    if isinstance(figure, Quotient):
        above, below = (np.asarray(each.at(key)) for each in (figure.above, figure.below))
        inside = below > 0
        for bound, sign in ((budget.least, 1), (budget.most, -1)):
            if bound is not None:
                p, q = (bound, 1) if isinstance(bound, int) else (bound.numerator, bound.denominator)
                inside = inside & (sign * _times(above, q) >= sign * _times(below, p))
        return inside
    value = np.asarray(figure.at(key))
    if value.dtype == object:
        inside = np.frompyfunc(lambda each: each is not None and not budget.excess(each), 1, 1)(value)
        return np.asarray(inside, dtype=bool)  # of an array without axes, NumPy gives a plain truth value
    enough = budget.least is None or value >= budget.least
    return np.logical_and(enough, budget.most is None or value <= budget.most)


def _times(values: Any, factor: int) -> Any:
    """A product that never wraps."""
    if values.dtype == object or (values.size and int(values.max()) * factor > LARGEST):
        return values.astype(object) * factor
    return values * factor
