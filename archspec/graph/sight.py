"""What a result sees of the network's input, and which layers a gradient must reach.

The receptive field of a layer is r + (k − 1)·j, where r and j are the field and the effective stride of what flows in
and k is the span of its window; its effective stride is j·s (Araujo, Norris and Sim, Computing Receptive Fields of
Convolutional Neural Networks, Distill 2019, equations 1 to 3). Where paths meet, the larger field counts, and the
stride of those that have the result's size. Padding counts: a field may be larger than the image.
"""

from typing import Any

from archspec.dims import equal, is_array, largest, maximum
from archspec.errors import ArchspecError
from archspec.graph.network import Network

Field = tuple[tuple[Any, ...], tuple[Any, ...]]
"""A receptive field and an effective stride, each along the axes that pixels lie on: height and width of an image."""


def receptive_fields(network: Network) -> tuple[Any, ...]:
    """The side of each node's receptive field, the longest one; None where the network's input is a vector."""
    return tuple(field and maximum(*field[0]) for field in _fields(network))


def effective_strides(network: Network) -> tuple[Any, ...]:
    """How far apart in the input two neighbours of each node's result are; None where the result is none like it."""
    rank = len(network.input.shape)
    alike = [len(node.output.shape) == rank for node in network.nodes]
    found = zip(_fields(network), alike, strict=True)
    return tuple(maximum(*field[1]) if field is not None and like else None for field, like in found)


def learned(network: Network) -> frozenset[str]:
    """The nodes whose results depend on learned numbers, by name."""
    found: set[str] = set()
    for node in network.nodes:
        weights = node.operator.weights(*network.inputs_of(node))
        if any(weight.trainable for weight in weights) or any(name in found for name in node.inputs):
            found.add(node.name)
    return frozenset(found)


def _fields(network: Network) -> list[Field | None]:
    places = _places(network)
    if not places:
        return [None] * len(network.nodes)
    whole = tuple(network.input.shape[axis] for axis in places)
    ones = (1,) * len(places)
    rank = len(network.input.shape)
    known: dict[str, Field | None] = {
        name: (ones, ones) if len(tensor.shape) == rank else None for name, tensor in network.inputs.items()
    }
    for node in network.nodes:
        inputs = network.inputs_of(node)
        seeing = [(x, field) for x, name in zip(inputs, node.inputs, strict=True) if (field := known[name]) is not None]
        known[node.name] = None
        if not seeing:
            continue
        sight = node.operator.sight(*inputs)
        if type(node.times) is not int:
            raise ArchspecError(f"what {node.name} sees depends on how often it is repeated, {node.times}; bind that")
        fields, strides = zip(*(field for _, field in seeing), strict=True)
        seen = tuple(map(largest, zip(*fields, strict=True)))
        alike = [
            stride for (x, _), stride in zip(seeing, strides, strict=True) if _alike(x.shape[2:], node.output.shape[2:])
        ]
        jumps = tuple(map(largest, zip(*(alike or strides), strict=True)))
        if sight.everything or len(sight.span) not in (0, len(places)):
            known[node.name] = (tuple(map(maximum, seen, whole)), jumps)
            continue
        span, stride = sight.span or ones, sight.stride or ones
        field = tuple(r + (k - 1) * j for r, k, j in zip(seen, span, jumps, strict=True))
        known[node.name] = (field, tuple(j * s for j, s in zip(jumps, stride, strict=True)))
    return [known[node.name] for node in network.nodes]


def _places(network: Network) -> tuple[int, ...]:
    """The axes of the input that pixels lie on: those behind the channels; of tokens × width, the tokens."""
    rank = len(network.input.shape)
    if rank != 3:
        return tuple(range(2, rank))
    windowed = any(getattr(node.operator, "axes", None) == 1 for node in network.nodes)
    return (2,) if windowed else (1,)


def _alike(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    """Whether two images have the same sizes."""
    if len(one) != len(other):
        return False
    return all(equal(a, b) if is_array(a) or is_array(b) else a == b for a, b in zip(one, other, strict=True))
