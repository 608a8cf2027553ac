"""What both sides are made of: layers, each with the arrays that belong together."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import prod

from archspec.graph import Network
from archspec.graph.names import place_of, state_key
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
