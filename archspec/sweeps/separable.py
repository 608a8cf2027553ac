"""What a quantity is on a grid, as arrays that depend on few of its axes.

The size of a layer's result depends on a width multiplier and on the side of the image, its classifier on the number of
classes. Added up where they meet, they would fill the whole grid; kept apart, a thousand times a hundred times a
thousand points are two tables of a hundred thousand and a million numbers.

An array has one axis for each of the grid's, of length 1 where it does not depend on it. A `key` says where: for each
axis a slice, or the place of each point that is asked for.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from typing import Any, TypeAlias

import numpy as np

from archspec.arrays import LARGEST
from archspec.cost import CostTable, Peak, Ratio, quantity
from archspec.dims import exact
from archspec.memory.peak import addends

Key: TypeAlias = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Summed:
    """A sum of arrays, int64 where no sum of theirs can leave it, else of Python's integers."""

    parts: tuple[Any, ...]

    def at(self, key: Key) -> Any:
        """The sums, not spread over axes that they do not depend on; an int where they depend on none."""
        return reduce(np.add, [_taken(part, key) for part in self.parts])

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        """The shapes of the arrays."""
        return [np.shape(part) for part in self.parts]


@dataclass(frozen=True, slots=True)
class Highest:
    """The largest of several sums."""

    sums: tuple[Summed, ...]

    def at(self, key: Key) -> Any:
        """The largest sums."""
        return reduce(np.maximum, [each.at(key) for each in self.sums])

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        """The shapes of the arrays."""
        return [shape for each in self.sums for shape in each.shapes]


@dataclass(frozen=True, slots=True)
class Quotient:
    """One over another, exactly; None over nothing."""

    above: "Separable"
    below: "Separable"

    def at(self, key: Key) -> Any:
        """The fractions, each made once."""
        pairs = np.broadcast_arrays(self.above.at(key), self.below.at(key))
        flat = [np.asarray(each).ravel() for each in pairs]
        known: dict[tuple[int, int], Any] = {}
        found = np.empty(flat[0].size, dtype=object)
        for place, pair in enumerate(zip(flat[0].tolist(), flat[1].tolist(), strict=True)):
            if pair not in known:
                known[pair] = None if pair[1] == 0 else exact(Fraction(pair[0]) / Fraction(pair[1]))
            found[place] = known[pair]
        return found.reshape(pairs[0].shape)

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        """The shapes of the arrays."""
        return [*self.above.shapes, *self.below.shapes]


@dataclass(frozen=True, slots=True)
class Undefined:
    """What is nowhere defined."""

    shapes = ()

    def at(self, key: Key) -> Any:  # noqa: ARG002  # nowhere is everywhere alike
        """None."""
        return np.array(None, dtype=object)


Separable: TypeAlias = Summed | Highest | Quotient | Undefined


def separable(table: CostTable, name: str) -> Separable:
    """A quantity of a network whose sizes are arrays."""
    of = quantity(name)
    if isinstance(of, Ratio):
        above, below = separable(table, of.above), separable(table, of.below)
        undefined = isinstance(above, Undefined) or isinstance(below, Undefined)
        return Undefined() if undefined else Quotient(above, below)
    if isinstance(of, Peak) and table.counting.order == "given":
        asked = table.counting
        moments = addends(table.network, of.policy or asked.policy, asked.dtype, in_place=asked.in_place)
        return highest(map(summed, moments))
    if of.kind == "sum":
        return summed(table.column(of))
    if of.kind == "largest":
        found = [each for each in table.column(of) if each is not None]
        return highest(summed([each]) for each in found) if found else Undefined()
    return summed([table.figure(name)])


def summed(values: Iterable[Any]) -> Summed:
    """The sum of numbers and arrays; those are added up that depend on the same axes, or on fewer than another.

    >>> summed([3, np.ones((2, 1), dtype=np.int64), np.ones((1, 4), dtype=np.int64), 5]).shapes
    [(2, 1), (1, 4)]
    """
    groups: dict[tuple[int, ...], Any] = {}
    for value in values:
        groups[np.shape(value)] = groups.get(np.shape(value), 0) + value
    parts: list[Any] = []
    for shape in sorted(groups, key=lambda shape: (-np.prod(shape, dtype=float), shape)):
        for place, part in enumerate(parts):
            if np.broadcast_shapes(np.shape(part), shape) == np.shape(part):
                parts[place] = part + groups[shape]
                break
        else:
            parts.append(groups[shape])
    plain = [np.asarray(part) for part in parts]
    if sum(_bound(part) for part in plain) > LARGEST:
        plain = [part.astype(object) for part in plain]
    return Summed(tuple(reversed(plain)))


def highest(sums: Iterable[Summed]) -> Highest:
    """The largest of sums; of those of one array, that depend on the same axes, at once."""
    single: dict[tuple[int, ...], Any] = {}
    others: list[Summed] = []
    for each in sums:
        shape = each.shapes[0]
        if len(each.parts) == 1:
            single[shape] = np.maximum(single[shape], each.parts[0]) if shape in single else each.parts[0]
        else:
            others.append(each)
    return Highest((*(Summed((part,)) for part in single.values()), *others))


def _bound(part: Any) -> int:
    """What no absolute value of an array exceeds; more than any int64 where it holds no int64."""
    if part.dtype != np.int64:
        return LARGEST + 1
    return max(int(part.max()), -int(part.min()))


def _taken(part: Any, key: Sequence[Any]) -> Any:
    """An array at a key, whose axes of length 1 stay as they are under slices, and serve any place."""
    if not part.shape:
        return part[()]
    return part[tuple(_along(length, each) for length, each in zip(part.shape, key, strict=True))]


def _along(length: int, each: Any) -> Any:
    if length > 1:
        return each
    return slice(None) if isinstance(each, slice) else 0
