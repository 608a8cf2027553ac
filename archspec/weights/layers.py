"""What both sides are made of: layers, each with the arrays that belong together; their kinds and wiring."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import reduce
from itertools import compress
from math import prod
from operator import or_

from archspec.graph import Network
from archspec.graph.names import place_of, state_key
from archspec.weights.alignment import Bits, Side, numbers
from archspec.weights.words import natural

UNCOUNTED = "num_batches_tracked"
"""How many batches a batch normalisation has seen; it changes no output."""

ARRAYS = ("weight", "bias", "running_mean", "running_var", "alpha")
"""The names of a layer's arrays that are known, in torch's order; alpha is that of our one-bit layers."""

RECURRENT = re.compile(r"(weight|bias)_(ih|hh|hr)_l\d+(_reverse)?")
"""What torch calls the arrays of recurrent layers: of inputs, of states and of projections, by layer and direction."""


def in_order(names: Iterable[str]) -> list[str]:
    """The names of a layer's arrays in torch's order, those of recurrent layers behind.

    >>> in_order(["bias", "weight"])
    ['weight', 'bias']
    """
    return sorted(names, key=lambda name: (ARRAYS.index(name), "") if name in ARRAYS else (len(ARRAYS), name))


@dataclass(frozen=True, slots=True)
class Array:
    """An array without its numbers: its key, its shape and the name of its type."""

    key: str
    shape: tuple[int, ...]
    dtype: str = "float32"

    @property
    def real(self) -> bool:
        """Whether it holds floating-point numbers."""
        return self.dtype.startswith(("float", "bfloat"))

    @property
    def whole(self) -> bool:
        """Whether it holds whole numbers."""
        return self.dtype.startswith(("int", "uint"))

    @property
    def weight(self) -> bool:
        """Whether its name is that of a layer's array."""
        last = self.key.rpartition(".")[2]
        return last in ARRAYS or RECURRENT.fullmatch(last) is not None


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer with its arrays by their own names.

    Attributes:
        name: The part of their keys that they share.
        arrays: Such as "weight" and "bias".
        path: Of a network's layer, the node; "" for a source's.
        block: Of a network's layer, the node's block.
        operator: Of a network's layer, the operator's name.
    """

    name: str
    arrays: Mapping[str, Array]
    path: str = ""
    block: str = ""
    operator: str = ""

    @property
    def kernel(self) -> bool:
        """Whether it multiplies by a matrix or more: a convolution or linear layer. The others scale and shift."""
        return len(self.shape) > 1 and "weight" in self.arrays

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of its first array."""
        return next(iter(self.arrays.values())).shape

    @property
    def signature(self) -> tuple[object, ...]:
        """What two layers must share to be one: a kernel's shape; of another, the names and shapes of all arrays."""
        if self.kernel:
            return self.shape
        return tuple((name, self.arrays[name].shape) for name in in_order(self.arrays))

    @property
    def flat(self) -> tuple[object, ...]:
        """What a convolution shares with the linear layer that does the same to a map of its kernel's size."""
        return ("flat", self.shape[0], prod(self.shape)) if self.kernel else self.signature


@dataclass(frozen=True)
class Layers:
    """All layers of one side.

    Attributes:
        all: In order.
        loose: Arrays of a source that belong to no layer that is known.
        counters: The keys of `num_batches_tracked`, by layer.
    """

    all: tuple[Layer, ...]
    loose: tuple[Array, ...] = ()
    counters: Mapping[str, str] = field(default_factory=dict)

    @property
    def kernels(self) -> tuple[Layer, ...]:
        """The convolutions and linear layers."""
        return tuple(layer for layer in self.all if layer.kernel)

    @property
    def others(self) -> tuple[Layer, ...]:
        """The normalisations, and what else has arrays."""
        return tuple(layer for layer in self.all if not layer.kernel)


def of_network(network: Network) -> Layers:
    """The layers of a network, in topological order.

    >>> from archspec.graph import expand
    >>> from archspec.language import load
    >>> [layer.name for layer in of_network(expand(load("lenet_5"))).all]
    ['conv1', 'conv2', 'fc1', 'fc2']
    """
    layers = []
    for node in network.nodes:
        weights = network.weights_of(node)
        arrays = {weight.name: Array(state_key(node.name, weight.name), weight.shape) for weight in weights}
        if arrays:
            name = place_of(node.name)
            layers.append(Layer(name, arrays, node.name, node.block, node.operator.name))
    return Layers(tuple(layers))


def of_source(arrays: Iterable[Array]) -> Layers:
    """The layers of a state dict: arrays whose keys differ in the last part alone; sorted, as their order says nothing.

    Arrays of whole numbers belong to no layer, nor do those with names of their own.
    """
    layers: dict[str, dict[str, Array]] = {}
    loose, counters = [], {}
    for array in sorted(arrays, key=lambda array: natural(array.key)):
        name, _, last = array.key.rpartition(".")
        if last == UNCOUNTED and array.whole and not array.shape:
            counters[name] = array.key
        elif array.weight and array.real and array.shape:
            layers.setdefault(name, {})[last] = array
        else:
            loose.append(array)
    found = [Layer(name, {last: own[last] for last in in_order(own)}) for name, own in layers.items()]
    return Layers(tuple(found), tuple(loose), counters)


# ------------------------------------------------------------------ kinds


@dataclass(frozen=True, slots=True)
class Kinds:
    """The layers of both sides that have a like on the other one, and what they are.

    Attributes:
        here: The network's.
        there: The source's.
        of_here: For each, its kind; layers of one kind fit each other.
        of_there: For each, its kind.
    """

    here: tuple[Layer, ...]
    there: tuple[Layer, ...]
    of_here: tuple[int, ...]
    of_there: tuple[int, ...]

    @property
    def sides(self) -> tuple[Side, Side]:
        """Both, for the search."""
        ours, theirs = Counter(self.of_here), Counter(self.of_there)
        return Side(self.of_here, frozenset(ours - theirs)), Side(self.of_there, frozenset(theirs - ours))

    @property
    def single(self) -> frozenset[int]:
        """The kinds of which each side has one."""
        ours, theirs = Counter(self.of_here), Counter(self.of_there)
        return frozenset(kind for kind in ours if ours[kind] == 1 == theirs[kind])

    def equal(self) -> "Kinds":
        """The layers of which both sides have as many."""
        ours, theirs = Counter(self.of_here), Counter(self.of_there)
        return self.only({kind for kind in ours if ours[kind] == theirs[kind]})

    def only(self, wanted: Set[int]) -> "Kinds":
        """The layers of some kinds."""
        here = [kind in wanted for kind in self.of_here]
        there = [kind in wanted for kind in self.of_there]
        return Kinds(
            tuple(compress(self.here, here)),
            tuple(compress(self.there, there)),
            tuple(compress(self.of_here, here)),
            tuple(compress(self.of_there, there)),
        )


def kinds(here: Sequence[Layer], there: Sequence[Layer]) -> Kinds:
    """What each layer must share with its like, as strictly as both sides allow.

    The shape, and that both have a bias or neither, where both sides have as many such layers; else the shape; and
    where the other side has that shape nowhere, what a convolution shares with the linear layer that does the same.
    """
    exact = [Counter(_exact(layer) for layer in side) for side in (here, there)]
    same = {key for key, number in exact[0].items() if exact[1][key] == number}
    shapes = {layer.signature for layer in here} & {layer.signature for layer in there}
    known: dict[object, int] = {}

    def kind(layer: Layer, axes: int) -> int:
        flat = (*layer.flat, axes)
        key = _exact(layer) if _exact(layer) in same else layer.signature if layer.signature in shapes else flat
        return known.setdefault(key, len(known))

    ours = tuple(kind(layer, len(layer.shape)) for layer in here)
    theirs = tuple(kind(layer, {2: 4, 4: 2}.get(len(layer.shape), 0)) for layer in there)
    return Kinds(tuple(here), tuple(there), ours, theirs).only({*ours} & {*theirs})


def _exact(layer: Layer) -> tuple[object, ...]:
    return ("exact", layer.signature, "bias" in layer.arrays)


# ------------------------------------------------------------------ wiring


class Wiring:
    """How a network's layers are connected.

    Attributes:
        number: By a layer's name, its number in topological order.
        above: By a layer's name, the layers that it depends on.
        after: By a layer's number, the layers in later branches of a concatenation.
        behind: By a layer's name, the one that normalises what it gives.
    """

    def __init__(self, network: Network, layers: Sequence[Layer]) -> None:
        self.number = {layer.name: number for number, layer in enumerate(layers)}
        self.above: dict[str, Bits] = {}
        self.after: list[Bits] = [0] * len(layers)
        self.behind: dict[str, Layer] = {}
        by_path = {layer.path: layer for layer in layers}
        reached: dict[str, Bits] = {}
        for node in network.nodes:
            own = by_path.get(node.name)
            branches = [reached.get(name, 0) for name in node.inputs]
            above = reduce(or_, branches, 0)
            reached[node.name] = above | (1 << self.number[own.name] if own else 0)
            if node.operator.name == "concat":
                self._concatenate(branches)
            if own is not None:
                self.above[own.name] = above
                feeder = by_path.get(node.inputs[0])
                if feeder is not None and feeder.kernel:
                    self.behind[feeder.name] = own

    def _concatenate(self, branches: Sequence[Bits]) -> None:
        for place, branch in enumerate(branches):
            later = reduce(or_, branches[place + 1 :], 0)
            for number in numbers(branch & ~later):
                self.after[number] |= later & ~branch

    def parallel(self, one: Layer, other: Layer) -> bool:
        """Whether of two layers, the first one first, neither depends on the other."""
        return not self.above[other.name] >> self.number[one.name] & 1
