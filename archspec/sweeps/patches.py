"""A piece of a grid cut into patches, within each of which all points have the same layers.

All points of a patch are counted at once, by the rules that count one network, on arrays that depend on few axes. Where
the points answer a condition differently (`in_channels == c`), or some of them give no network, `dims.differing` says
which, and the patch is cut along the axis on which that depends. A patch of one point is counted in plain integers.

What a quantity is on a patch are arrays that depend on few of its axes. The size of a layer's result depends on a width
multiplier and on the side of the image, its classifier on the number of classes. Added up where they meet, they would
fill the whole grid; kept apart, a thousand times a hundred times a thousand points are two tables of a hundred thousand
and a million numbers. An array has one axis for each of the grid's, of length 1 where it does not depend on it. A `key`
says where: for each axis a slice, or the place of each point that is asked for.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from math import prod
from typing import Any, TypeAlias

import numpy as np

from archspec import cost, graph
from archspec.arrays import LARGEST, narrowed
from archspec.compress.prediction import prediction
from archspec.compress.rewriting import with_one_bit
from archspec.cost import CostTable, Counting, Peak, Ratio, quantity
from archspec.dims import differing, exact, known_less
from archspec.errors import ArchspecError
from archspec.graph import Network
from archspec.language.rules import MAX_SIZE
from archspec.memory.peak import addends
from archspec.sweeps.criteria import PLANNED
from archspec.sweeps.grid import BATCH, Subject

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
    return part[tuple(_place(length, each) for length, each in zip(part.shape, key, strict=True))]


def _place(length: int, each: Any) -> Any:
    if length > 1:
        return each
    return slice(None) if isinstance(each, slice) else 0


MAX_TABLE = 2**20
"""How many numbers an array has at most; a patch with larger ones is cut."""


@dataclass(frozen=True, slots=True)
class Patch:
    """Points that are counted at once.

    Attributes:
        places: Of each axis, the places of its values.
        figures: The quantities on the patch's own grid, by name; nothing where there is no network.
        fault: Why there is none.
    """

    places: tuple[Any, ...]
    figures: Mapping[str, Separable]
    fault: str = ""

    @property
    def shape(self) -> tuple[int, ...]:
        """How many places each axis has."""
        return tuple(map(len, self.places))


class Cutter:
    """What cuts the grid of one subject.

    Args:
        subject: The specification, its plan and its axes.
        quantities: What is counted.
        counting: How.
    """

    def __init__(self, subject: Subject, quantities: Sequence[str], counting: Counting) -> None:
        self.subject = subject
        self.counting = counting
        self.registered = [name for name in quantities if name not in PLANNED]
        self.planned = [name for name in quantities if name in PLANNED]
        self.document = subject.document
        if subject.plan is not None and any(entry.binary for entry in subject.plan.layers):
            whole = graph.expand(subject.document, subject.bindings)
            self.document = with_one_bit(subject.document, whole, subject.plan)

    def patches(self, start: Sequence[int], stop: Sequence[int]) -> Iterator[Patch]:
        """The patches from one place to another."""
        yield from self._cut([np.arange(a, b) for a, b in zip(start, stop, strict=True)])

    def scattered(self) -> bool:
        """Whether most points have layers of their own, judged by those at the ends of all axes."""
        ends = [np.arange(length)[:: max(length - 1, 1)] for length in self.subject.shape]
        return 2 * sum(1 for _ in self._cut(ends)) > prod(map(len, ends))

    def _cut(self, places: Sequence[Any]) -> Iterator[Patch]:
        words = [axis for axis, name in enumerate(self.subject.axes) if name in self.subject.words()]
        split = next((axis for axis in words if len(places[axis]) > 1), None)
        if split is not None:
            yield from self._apart(places, split, [places[split][i : i + 1] for i in range(len(places[split]))])
            return
        if (large := self._too_large(places)) is not None:
            yield from self._apart(places, large, np.array_split(places[large], 2))
            return
        found, answers = self._counted(places)
        if answers:
            axis, groups = _groups(answers[0])
            yield from self._apart(places, axis, [places[axis][group] for group in groups])
        elif isinstance(found, str):
            yield from self._faulty(places, found)
        else:
            yield Patch(tuple(places), found)

    def _apart(self, places: Sequence[Any], axis: int, parts: Sequence[Any]) -> Iterator[Patch]:
        """The patches of parts of one axis."""
        for part in parts:
            yield from self._cut([*places[:axis], part, *places[axis + 1 :]])

    def _faulty(self, places: Sequence[Any], fault: str) -> Iterator[Patch]:
        """A patch without networks; halved while a corner of it has one."""
        if prod(map(len, places)) > 1:
            corners = ([each[:1] for each in places], [each[-1:] for each in places])
            reasons = [self._counted(corner)[0] for corner in corners]
            if not all(isinstance(each, str) for each in reasons):
                axis = max(range(len(places)), key=lambda i: len(places[i]))
                yield from self._apart(places, axis, np.array_split(places[axis], 2))
                return
            fault = str(reasons[0])
        yield Patch(tuple(places), {}, fault)

    def _counted(self, places: Sequence[Any]) -> tuple[Mapping[str, Separable] | str, list[Any]]:
        """The figures of a patch, or why it has none; and what tells its points apart, where they are to be."""
        single = all(len(each) == 1 for each in places)
        with differing() as answers:
            try:
                return self._figures(places), answers
            except ArchspecError as error:
                return str(error).splitlines()[0], answers
            except (ValueError, TypeError):  # an operator of another package that does not take arrays
                if single:
                    raise
                longest = max(range(len(places)), key=lambda axis: len(places[axis]))
                return "", [_lying(np.arange(len(places[longest])) % 2, longest, len(places))]

    def _figures(self, places: Sequence[Any]) -> dict[str, Separable]:
        network = self._network(places)
        for tensor in (*network.inputs.values(), *(node.output for node in network.nodes)):
            # as a single network's are seen to be; where that is so of some alone, these are told apart
            if any(known_less(size, 1) or known_less(MAX_SIZE, size) for size in tensor.shape):
                raise ArchspecError(f"a size is not from 1 to {MAX_SIZE}")
        table = cost.count(network, self.counting)
        found = {name: separable(table, name) for name in self.registered}
        if self.planned and self.subject.plan:
            predicted = prediction(network, self.subject.plan)
            found |= {name: summed([PLANNED[name].predicted(predicted)]) for name in self.planned}
        return found

    def _network(self, places: Sequence[Any]) -> Network:
        values = dict(self.subject.bindings)
        for axis, (name, every) in enumerate(self.subject.axes.items()):
            chosen = [every[place] for place in places[axis]]
            if chosen[0] is None:
                continue
            several = len(chosen) > 1
            values[name] = _lying(narrowed(chosen, (len(chosen),)), axis, len(places)) if several else chosen[0]
        batch = self.counting.batch
        if BATCH not in self.document.symbols:
            batch = values.pop(BATCH, batch)
        return graph.expand(self.document, values, batch=batch)

    def _too_large(self, places: Sequence[Any]) -> int | None:
        """The axis along which a patch is cut because its arrays would be too large, judged by two values of each."""
        shape = tuple(map(len, places))
        if prod(shape) <= MAX_TABLE:
            return None
        found, answers = self._counted([each[[0, -1]] if len(each) > 2 else each for each in places])
        if isinstance(found, str) or answers:
            return None if prod(shape) <= MAX_TABLE * len(places) else _longest(shape)
        for name in found:
            for meeting in found[name].shapes:
                axes = [axis for axis, length in enumerate(meeting) if length > 1]
                if prod(shape[axis] for axis in axes) > MAX_TABLE:
                    return max(axes, key=lambda axis: shape[axis])
        return None


def _longest(shape: Sequence[int]) -> int:
    return max(range(len(shape)), key=lambda axis: shape[axis])


def _lying(values: Any, axis: int, axes: int) -> Any:
    """Values as an array that lies along one of several axes."""
    return values.reshape([-1 if each == axis else 1 for each in range(axes)])


def _groups(answers: Any) -> tuple[int, list[Any]]:
    """The axis along which answers are to be told apart, and its places by what they answer."""
    plain = np.asarray(answers)
    _, codes = np.unique(plain.ravel(), return_inverse=True)
    codes = np.reshape(codes, plain.shape)
    best: tuple[int, list[Any]] | None = None
    for axis, length in enumerate(plain.shape):
        rows = np.moveaxis(codes, axis, 0).reshape(length, -1)
        _, which = np.unique(rows, axis=0, return_inverse=True)
        groups = [np.flatnonzero(which == group) for group in range(int(which.max()) + 1)]
        if len(groups) > 1 and (best is None or len(groups) < len(best[1])):
            best = axis, groups
    if best is None:  # they answer alike; what is asked takes single values alone
        axis = _longest(plain.shape)
        return axis, np.array_split(np.arange(plain.shape[axis]), plain.shape[axis])
    return best
