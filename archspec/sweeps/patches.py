"""A piece of a grid cut into patches, within each of which all points have the same layers.

All points of a patch are counted at once, by the rules that count one network, on arrays that depend on few axes. Where
the points answer a condition differently (`in_channels == c`), or some of them give no network, `dims.differing` says
which, and the patch is cut along the axis on which that depends. A patch of one point is counted in plain integers.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from archspec import cost, graph
from archspec.arrays import narrowed
from archspec.compress.prediction import prediction
from archspec.compress.rewriting import with_one_bit
from archspec.cost import Counting
from archspec.dims import differing, known_less
from archspec.errors import ArchspecError
from archspec.graph import Network
from archspec.language.document import Document
from archspec.language.rules import MAX_SIZE
from archspec.sweeps.criteria import PLANNED
from archspec.sweeps.grid import BATCH, Subject
from archspec.sweeps.separable import Separable, separable, summed

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
        self.document = self._document()

    def _document(self) -> Document:
        """The specification, with the one-bit layers that its plan gives it."""
        subject = self.subject
        if subject.plan is None or not any(entry.binary for entry in subject.plan.layers):
            return subject.document
        return with_one_bit(subject.document, graph.expand(subject.document, subject.bindings), subject.plan)

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
                return "", [_along(np.arange(len(places[longest])) % 2, longest, len(places))]

    def _figures(self, places: Sequence[Any]) -> dict[str, Separable]:
        network = self._network(places)
        for tensor in (*network.inputs.values(), *(node.output for node in network.nodes)):
            _check_sizes(tensor.shape)
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
            values[name] = _along(narrowed(chosen, (len(chosen),)), axis, len(places)) if several else chosen[0]
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


def _along(values: Any, axis: int, axes: int) -> Any:
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


def _check_sizes(sizes: Sequence[Any]) -> None:
    """See that sizes are from 1 to the largest that there is, as a single network's are seen to be.

    Raises:
        ArchspecError: They are not; where that is so of some alone, these are told apart.
    """
    for size in sizes:
        if known_less(size, 1) or known_less(MAX_SIZE, size):
            raise ArchspecError(f"a size is not from 1 to {MAX_SIZE}")
