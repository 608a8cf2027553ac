"""The points of a sweep that are kept, as columns: the only thing that moves between processes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from archspec.sweeps.criteria import Objective
from archspec.sweeps.front import front, ranked


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
    if column.dtype != object:
        return column.astype(np.int64)
    if all(type(value) is int and -(2**63) <= value < 2**63 for value in column):
        return column.astype(np.int64)
    return column


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
