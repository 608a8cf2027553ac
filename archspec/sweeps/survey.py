"""Every network along one symbol or two, counted.

A multiplier has infinitely many values, but rounding leaves finitely many networks. `axis.Axis` notes where anything
changes that was rounded from it; the survey takes every such break and one value in every gap between two of them, and
again, until no new break is met. Then nothing changes within a gap, so the values taken show every network there is.

All values are counted at once, as arrays. Where they answer a condition differently (`in_channels == c`), or some of
them give no network, the values are halved until they agree; a single value is counted in plain integers.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise, product
from typing import Any

import numpy as np

from archspec.arrays import Whole
from archspec.errors import ArchspecError, BindingError
from archspec.graph import Network
from archspec.graph.expand import MAX_SIZE
from archspec.sweeps.axis import Affine, Axis
from archspec.sweeps.family import SearchRange, Span

CHUNK = 65_536
MAX_COUNTS = 3_000
MAX_POINTS = 1_000_000
MAX_ROUNDS = 20


class TooManyError(BindingError):
    """There are more networks than are counted."""


Expand = Callable[[Mapping[str, Any]], Network]
Count = Callable[[Network], Mapping[str, Any]]


class Survey:
    """The networks along lines, in ascending order of the symbols, the last of them moving first.

    Args:
        lines: The symbols, each with where it is searched; at most one of kind "real".
        expand: Gives the network of some bindings.
        count: What it costs, by quantity.

    Raises:
        BindingError: The symbols cannot be followed, there are too many networks, or none can be built.
    """

    def __init__(self, lines: Sequence[SearchRange], expand: Expand, count: Count) -> None:
        if sum(line.kind == "real" for line in lines) > 1:
            raise BindingError("of two symbols searched at once, one must be whole or have choices")
        self.lines = sorted(lines, key=lambda line: ("choices", "real", "whole").index(line.kind))
        self.expand = expand
        self.count = count
        self.quantities: tuple[str, ...] = ()
        self.counts = 0
        self.parts = [_Part(self, chosen) for chosen in self._choices()]
        if not len(self):
            at, fault = next(iter(self.faults.items()))
            raise BindingError(f"no network can be built; at {at}: {fault}")

    def _choices(self) -> Iterator[dict[str, Any]]:
        chosen = [line for line in self.lines if line.kind == "choices"]
        for values in product(*(line.values for line in chosen)):
            yield dict(zip((line.symbol for line in chosen), values, strict=True))

    def __len__(self) -> int:
        return sum(len(part.figures) for part in self.parts)

    def __iter__(self) -> "Iterator[Sample]":
        for part in self.parts:
            for place, figures in part.figures.items():
                yield Sample(part, place, figures)

    def everywhere(self, sample: "Sample") -> dict[str, tuple[Span, ...]]:
        """All values of each symbol that give the network of a sample, the others being as they are; in order."""
        alike = [each for each in self if each.figures == sample.figures]
        network, values, found = sample.network, sample.values, {}
        for line in self.lines:
            name = line.symbol
            along = [
                each for each in alike if all(each.values[other] == values[other] for other in values if other != name)
            ]
            same = [run for run in _runs(along, line) if run[0].network == network]
            found[name] = tuple(run[0].to(run[-1])[name] for run in same)
        return found

    @property
    def faults(self) -> dict[str, str]:
        """Why there is no network at some values."""
        return {part.named(place): fault for part in self.parts for place, fault in part.faults.items()}

    def spend(self) -> None:
        """Note that another network, or an array of them, is counted."""
        self.counts += 1
        if self.counts > MAX_COUNTS:
            names = " and ".join(line.symbol for line in self.lines)
            raise BindingError(f"the networks along {names} change too often to be counted together; narrow the bounds")


class Sample:
    """One network of a survey, with what it costs."""

    __slots__ = ("figures", "part", "place")

    def __init__(self, part: "_Part", place: int, figures: tuple[int, ...]) -> None:
        self.part = part
        self.place = place
        self.figures = dict(zip(part.survey.quantities, figures, strict=True))

    @property
    def values(self) -> dict[str, Any]:
        """A value of every symbol that gives this network."""
        return self.part.values(self.place)

    @property
    def network(self) -> tuple[Any, ...]:
        """What its network is told by."""
        network = self.part.survey.expand(self.part.bindings(self.place, self.place + 1))
        return (tuple(network.inputs.values()), network.nodes)

    @property
    def spans(self) -> dict[str, Span]:
        """The values around it of every symbol that give this network, the others being as they are."""
        return self.part.spans(self.place)

    def follows(self, other: "Sample", line: SearchRange) -> bool:
        """Whether it is the next along a line and has the same network as the one before."""
        if line.kind == "choices":
            return False
        if line.kind == "real":
            return (
                self.part is other.part
                and self.place == other.place + self.part.minor
                and self.part.is_same(other.place)
            )
        return self.values[line.symbol] == other.values[line.symbol] + line.step and self.network == other.network

    def to(self, last: "Sample") -> dict[str, Span]:
        """The values from this sample to another of the same choices, with those between them."""
        spans = self.part.reach(self.place, last.place) if self.part is last.part else {}
        low, high = self.values, last.values
        return {name: spans.get(name, Span(low[name], high[name])) for name in low}


class _Part:
    """The samples of one set of choices: a grid of the real values times the whole ones."""

    def __init__(self, survey: Survey, chosen: Mapping[str, Any]) -> None:
        self.survey = survey
        self.chosen = chosen
        self.real = next((line for line in survey.lines if line.kind == "real"), None)
        self.wholes = [line for line in survey.lines if line.kind == "whole"]
        rows = product(*(line.values for line in self.wholes))
        self.grid = [np.array(values, dtype=np.int64) for values in zip(*rows, strict=True)]
        self.minor = len(self.grid[0]) if self.grid else 1
        self.axis: Axis | None = None
        self._count()

    def _count(self) -> None:
        """Count the samples of ever finer axes, until no new break is met."""
        if self.real is None:
            self._take(1)
            return
        breaks = {Fraction(self.real.low), Fraction(self.real.high)}
        for _ in range(MAX_ROUNDS):
            self.axis = Axis(self.real.symbol, _between(sorted(breaks)))
            self._take(len(self.axis.values))
            if self.axis.breaks <= breaks:
                return
            breaks |= self.axis.breaks
        raise BindingError(f"the networks along {self.real.symbol} change without end; narrow the bounds")

    def _take(self, majors: int) -> None:
        """Count all samples; `same` says of each whether the next real value gives the same network, −1 if unknown."""
        points = majors * self.minor
        if points > MAX_POINTS:
            names = " and ".join(line.symbol for line in self.survey.lines)
            raise TooManyError(
                f"{points:,} networks along {names}; narrow the bounds, or search the whole ones in steps"
            )
        self.figures: dict[int, tuple[int, ...]] = {}
        self.faults: dict[int, str] = {}
        self.same = np.full(points, -1, dtype=np.int8)
        for start in range(0, points, CHUNK):
            self._slice(start, min(start + CHUNK, points))

    def _slice(self, start: int, stop: int) -> None:
        """Count the samples from one to another, halved where they cannot be counted at once."""
        self.survey.spend()
        try:
            network = self.survey.expand(self.bindings(start, stop))
            arrays = _arrays(network, self.axis)
            costs = self.survey.count(network)
        except ArchspecError as error:
            if self.axis is not None and self.axis.fault:
                raise BindingError(self.axis.fault) from None
            if stop - start == 1:
                self.faults[start] = str(error).splitlines()[0]
                return
            middle = (start + stop) // 2
            self._slice(start, middle)
            self._slice(middle, stop)
            return
        self.survey.quantities = tuple(costs)
        figures = (np.broadcast_to(cost, stop - start).tolist() for cost in costs.values())
        self.figures.update(zip(range(start, stop), zip(*figures, strict=True), strict=True))
        self._compare(arrays, start, stop)

    def _compare(self, arrays: Sequence[Any], start: int, stop: int) -> None:
        """Note of each sample whether the next value of the real symbol gives the same network."""
        ahead = self.minor
        if self.axis is None or stop - start <= ahead:
            return
        differs = np.zeros(stop - start - ahead, dtype=bool)
        for array in arrays:
            differs |= np.asarray(array[ahead:] != array[:-ahead])
        self.same[start : stop - ahead] = ~differs

    def bindings(self, start: int, stop: int) -> dict[str, Any]:
        """The values of the symbols at the samples from one to another, as arrays."""
        places = np.arange(start, stop)
        bindings: dict[str, Any] = dict(self.chosen)
        if self.axis is not None:
            bindings[self.axis.name] = self.axis.at(places // self.minor)
        for line, values in zip(self.wholes, self.grid, strict=True):
            found = values[places % self.minor]
            bindings[line.symbol] = int(found[0]) if len(found) == 1 else found.view(Whole)
        return bindings

    def values(self, place: int) -> dict[str, Any]:
        """The values of the symbols at a sample."""
        values: dict[str, Any] = dict(self.chosen)
        if self.axis is not None:
            values[self.axis.name] = self.axis.values[place // self.minor]
        for line, grid in zip(self.wholes, self.grid, strict=True):
            values[line.symbol] = int(grid[place % self.minor])
        return values

    def named(self, place: int) -> str:
        """The values of the symbols at a sample, in words."""
        return ", ".join(f"{name} = {value}" for name, value in self.values(place).items())

    def spans(self, place: int) -> dict[str, Span]:
        """The values that give the network of a sample."""
        spans = {name: Span(value, value) for name, value in self.values(place).items()}
        if self.axis is not None:
            first = last = place
            while first >= self.minor and self.is_same(first - self.minor):
                first -= self.minor
            while last + self.minor < len(self.axis.values) * self.minor and self.is_same(last):
                last += self.minor
            spans |= self.reach(first, last)
        return spans

    def reach(self, first: int, last: int) -> dict[str, Span]:
        """The values of the real symbol from one sample to another, the gaps around them included."""
        if self.axis is None:
            return {}
        return {self.axis.name: _span(self.axis.values, first // self.minor, last // self.minor)}

    def is_same(self, place: int) -> bool:
        """Whether a sample and that of the next value of the real symbol are one network."""
        if self.same[place] >= 0:
            return bool(self.same[place])
        if place not in self.figures or place + self.minor not in self.figures:
            return False
        here, there = (self.survey.expand(self.bindings(at, at + 1)) for at in (place, place + self.minor))
        same = here.inputs == there.inputs and here.nodes == there.nodes
        self.same[place] = same
        return same


def _runs(samples: Sequence[Sample], line: SearchRange) -> list[list[Sample]]:
    """Samples along a line, those together that follow each other with one network."""
    runs: list[list[Sample]] = []
    for sample in samples:
        if runs and sample.follows(runs[-1][-1], line):
            runs[-1].append(sample)
        else:
            runs.append([sample])
    return runs


def _between(breaks: Sequence[Fraction]) -> list[Fraction]:
    """The breaks, and between each two of them their middle."""
    values = [breaks[0]]
    for left, right in pairwise(breaks):
        values += [(left + right) / 2, right]
    return values


def _span(values: Sequence[Fraction], first: int, last: int) -> Span:
    """From the first value to the last: those of even index are breaks, the others stand for the gap around them."""
    low, high = values[first - first % 2], values[last + last % 2]
    return Span(low, high, (first % 2 == 0, last % 2 == 0))


def _arrays(network: Network, axis: Axis | None) -> list[Any]:
    """The arrays among the sizes of a network and the settings of its operators, each once.

    Raises:
        ArchspecError: A size is none; a symbol has not been rounded.
    """
    tensors = (*network.inputs.values(), *(node.output for node in network.nodes))
    sizes = [size for tensor in tensors for size in tensor.shape]
    settings = {id(node.operator): node.operator.settings().values() for node in network.nodes}
    known: dict[int, Any] = {id(size): size for size in sizes if type(size) is not int}
    for array in known.values():
        if isinstance(array, np.ndarray) and not (array.min() > 0 and array.max() <= MAX_SIZE):
            raise ArchspecError(f"a size is not from 1 to {MAX_SIZE}")
    for values in settings.values():
        for value in values:
            for part in value if isinstance(value, tuple) else (value,):
                known[id(part)] = part
    if axis is not None and any(isinstance(value, Affine) for value in known.values()):
        raise axis.refuse(
            f"{axis.name} enters the network without being rounded, so that every value is another network; "
            f"give the symbol choices"
        )
    return [value for value in known.values() if isinstance(value, np.ndarray)]
