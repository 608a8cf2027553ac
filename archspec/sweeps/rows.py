"""The points of a sweep that are kept, as columns, and which of them no other outdoes: as good in all, better in one.

Points are sorted by their first objective, then by the second, and so on. Then only an earlier one can outdo a later
one, so that none that is kept is lost again. Of two objectives the least of the second so far decides; of three, the
least of the third so far for each value of the second (Kung, Luccio and Preparata 1975, On Finding the Maxima of a
Set of Vectors, Journal of the ACM 22, section 2); of more, all that are kept are asked. Everything is compared exactly.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from archspec.sweeps.criteria import Objective

CHUNK = 512
TABLE = 2**21
"""How many comparisons are made at once."""


def ranked(column: Any, largest: bool = False) -> Any:
    """Numbers as int64 in the same order, the largest first if so asked; what is undefined comes last.

    >>> from fractions import Fraction
    >>> ranked(np.array([Fraction(1, 2), None, 2**70], dtype=object)).tolist()
    [0, 9223372036854775807, 1]
    """
    least = np.iinfo(np.int64).min
    if column.dtype == np.int64 and not (largest and column.size and column.min() == least):
        return -column if largest else column
    found = np.full(len(column), np.iinfo(np.int64).max)
    defined = _defined(column)
    _, ranks = np.unique(column[defined], return_inverse=True)
    found[defined] = -ranks if largest else ranks
    return found


def front(values: Sequence[Any], first: Sequence[Any], alike: Any) -> tuple[Any, Any]:
    """The places of points that no other outdoes, one for each vector of values, in ascending order.

    Args:
        values: An int64 array for each objective, of which the least is the best.
        first: Arrays that say which of several points with the same values stands for them: the least.
        alike: How many points each stands for.

    Returns:
        The places, and how many points each of them now stands for.

    >>> macs, params = np.array([5, 3, 3, 4]), np.array([1, 2, 2, 3])
    >>> places, alike = front([macs, params], [np.arange(4)], np.ones(4, dtype=np.int64))
    >>> places.tolist(), alike.tolist()
    ([0, 1], [1, 2])
    """
    if not len(alike):
        return np.arange(0), alike
    order = np.lexsort([*reversed(first), *reversed(values)])
    columns = [column[order] for column in values]
    new = np.ones(len(order), dtype=bool)
    new[1:] = np.logical_or.reduce([column[1:] != column[:-1] for column in columns])
    starts = np.flatnonzero(new)
    counts = np.add.reduceat(alike[order], starts)
    unique = [column[starts] for column in columns]
    kept = _RULES.get(len(unique), _of_many)(unique)
    places = order[starts[kept]]
    back = np.argsort(places, kind="stable")
    return places[back], counts[kept][back]


def _of_two(columns: Sequence[Any]) -> Any:
    least = np.minimum.accumulate(columns[1])
    return np.concatenate([[True], columns[1][1:] < least[:-1]])


def _of_three(columns: Sequence[Any]) -> Any:
    """Which points are kept; `best` holds, for each value of the second objective, the least third up to it so far."""
    _, second, third = columns
    levels, ranks = np.unique(second, return_inverse=True)
    best = np.full(len(levels), np.iinfo(np.int64).max)
    none_yet = np.ones(len(levels), dtype=bool)
    kept = np.zeros(len(third), dtype=bool)
    for start in range(0, len(third), CHUNK):
        inside = np.arange(start, min(start + CHUNK, len(third)))
        inside = inside[none_yet[ranks[inside]] | (best[ranks[inside]] > third[inside])]
        inside = inside[_first_of([second[inside], third[inside]])]
        kept[inside] = True
        if len(inside):
            np.minimum.at(best, ranks[inside], third[inside])
            best = np.minimum.accumulate(best)
            none_yet[ranks[inside].min() :] = False
    return kept


def _of_many(columns: Sequence[Any]) -> Any:
    kept = np.zeros(len(columns[0]), dtype=bool)
    for start in range(0, len(kept), CHUNK):
        inside = np.arange(start, min(start + CHUNK, len(kept)))
        before = np.flatnonzero(kept[:start])
        step = max(TABLE // max(len(inside), 1), 1)
        for first in range(0, len(before), step):
            other = before[first : first + step]
            beaten = np.ones((len(inside), len(other)), dtype=bool)
            for column in columns:
                beaten &= column[other][None, :] <= column[inside][:, None]
            inside = inside[~beaten.any(axis=1)]
        kept[inside[_first_of([column[inside] for column in columns])]] = True
    return kept


_RULES = {2: _of_two, 3: _of_three}


def _first_of(columns: Sequence[Any]) -> Any:
    """Which of a few points, in order, none before them outdoes."""
    beaten = np.tri(len(columns[0]), k=-1, dtype=bool)
    for column in columns:
        beaten &= column[None, :] <= column[:, None]
    return ~beaten.any(axis=1)


def beside(values: Sequence[Any], alive: Any) -> Any:
    """Which points of a grid no neighbour outdoes that is alive: cheap, and most of them go.

    Along each axis one neighbour is asked: the one on that end at which the values are the better.

    Args:
        values: For each objective an array on the grid, of length 1 along axes that it does not depend on.
        alive: Which points there are.
    """
    for axis, length in enumerate(alive.shape):
        ends = [_taken(values, axis, slice(0, 1)), _taken(values, axis, slice(length - 1, length))]
        better = sum(np.sign(last.astype(float) - first).mean() for first, last in zip(*ends, strict=True))
        if length == 1 or better == 0:
            continue
        here, there = (slice(1, None), slice(None, -1)) if better > 0 else (slice(None, -1), slice(1, None))
        alive = alive.copy()
        alive[_at(alive, axis, here)] &= ~(_outdone(values, axis, here, there) & alive[_at(alive, axis, there)])
    return alive


def _outdone(values: Sequence[Any], axis: int, here: slice, there: slice) -> Any:
    """Where all values there are as good, and one is better."""
    never_worse: Any = True
    once_better: Any = False
    for value in values:
        if value.shape[axis] > 1:
            a, b = value[_at(value, axis, here)], value[_at(value, axis, there)]
            never_worse = never_worse & (b <= a)
            once_better = once_better | (b < a)
    return never_worse & once_better


def _taken(values: Sequence[Any], axis: int, piece: slice) -> list[Any]:
    return [value[_at(value, axis, piece)] if value.shape[axis] > 1 else value for value in values]


def _at(array: Any, axis: int, piece: slice) -> tuple[slice, ...]:
    return tuple(piece if each == axis else slice(None) for each in range(array.ndim))


@dataclass(frozen=True, slots=True)
class Rows:
    """Points, each with what it costs.

    Attributes:
        subject: The number of each point's subject.
        place: Its place on the grid of its subject.
        figures: The quantities, by name: int64, or Python's ints, Fractions and None.
        alike: How many points each stands for: on a front, those that cost the same.
    """

    subject: Any
    place: Any
    figures: Mapping[str, Any]
    alike: Any

    def __len__(self) -> int:
        return len(self.place)

    def take(self, places: Any) -> "Rows":
        """Some of them, by their places or by truth values."""
        figures = {name: column[places] for name, column in self.figures.items()}
        return Rows(self.subject[places], self.place[places], figures, self.alike[places])

    def best(self, objectives: Sequence[Objective]) -> "Rows":
        """Those on the front of several objectives, one for each vector of values; undefined values are on none."""
        defined = self.take(np.logical_and.reduce([_defined(self.figures[each.quantity]) for each in objectives]))
        values = [ranked(defined.figures[each.quantity], each.largest) for each in objectives]
        places, alike = front(values, [defined.subject, defined.place], defined.alike)
        found = defined.take(places)
        return Rows(found.subject, found.place, found.figures, alike)

    def ordered(self, by: Sequence[Objective], top: int | None = None) -> "Rows":
        """In the order of quantities, then in that of the grid; the first of them alone, if so asked."""
        keys = [ranked(self.figures[each.quantity], each.largest) for each in by]
        return self.take(np.lexsort([self.place, self.subject, *reversed(keys)])[:top])


def together(parts: Sequence[Rows], names: Sequence[str]) -> Rows:
    """Rows one behind the other."""
    empty = np.zeros(0, dtype=np.int64)
    columns = [[part.figures[name] for part in parts] for name in names]
    return Rows(
        np.concatenate([empty, *(part.subject for part in parts)]),
        np.concatenate([empty, *(part.place for part in parts)]),
        {name: _joined(column) for name, column in zip(names, columns, strict=True)},
        np.concatenate([empty, *(part.alike for part in parts)]),
    )


def objects(values: Sequence[Any]) -> Any:
    """Values as an array of Python's objects, tuples among them as they are."""
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found


def whole(column: Any) -> Any:
    """A column as int64 where all its numbers are whole and fit."""
    fits = column.dtype != object or all(type(value) is int and -(2**63) <= value < 2**63 for value in column)
    return column.astype(np.int64) if fits else column


def _joined(columns: Sequence[Any]) -> Any:
    if not columns:
        return np.zeros(0, dtype=np.int64)
    if any(column.dtype == object for column in columns):
        columns = [column.astype(object) for column in columns]
    return np.concatenate(columns)


def _defined(column: Any) -> Any:
    if column.dtype != object:
        return np.ones(len(column), dtype=bool)
    return np.array([value is not None for value in column], dtype=bool)
