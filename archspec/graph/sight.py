"""What a result sees of the network's input, and which layers a gradient must reach.

The receptive field of a layer is r + (k − 1)·j, where r and j are the field and the effective stride of what flows in
and k is the span of its window; its effective stride is j·s (Araujo, Norris and Sim, Computing Receptive Fields of
Convolutional Neural Networks, Distill 2019, equations 1 to 3). Where paths meet, the larger field counts, and the
stride of those that have the result's size. Padding counts: a field may be larger than the image.
"""

from typing import Any

from archspec.dims import equal, is_array, largest, maximum
from archspec.errors import ArchspecError
from archspec.graph.network import INPUT, Network

Field = tuple[tuple[Any, Any], tuple[Any, Any]]
"""A receptive field and an effective stride, each along height and width."""


def receptive_fields(network: Network) -> tuple[Any, ...]:
    """The side of each node's receptive field, the longer one; None where the network's input is no image."""
    return tuple(field and maximum(*field[0]) for field in _fields(network))


def effective_strides(network: Network) -> tuple[Any, ...]:
    """How far apart in the input two neighbours of each node's result are; None where the result is no image."""
    images = [len(node.output.shape) == 4 for node in network.nodes]
    found = zip(_fields(network), images, strict=True)
    return tuple(maximum(*field[1]) if field is not None and image else None for field, image in found)


def learned(network: Network) -> frozenset[str]:
    """The nodes whose results depend on learned numbers, by name."""
    found: set[str] = set()
    for node in network.nodes:
        weights = node.operator.weights(*network.inputs_of(node))
        if any(weight.trainable for weight in weights) or any(name in found for name in node.inputs):
            found.add(node.name)
    return frozenset(found)


def _fields(network: Network) -> list[Field | None]:
    if len(network.input.shape) != 4:
        return [None] * len(network.nodes)
    known: dict[str, Field] = {INPUT: ((1, 1), (1, 1))}
    for node in network.nodes:
        inputs = network.inputs_of(node)
        sight = node.operator.sight(*inputs)
        if type(node.times) is not int:
            raise ArchspecError(f"what {node.name} sees depends on how often it is repeated, {node.times}; bind that")
        fields, strides = zip(*(known[name] for name in node.inputs), strict=True)
        seen = map(largest, zip(*fields, strict=True))
        alike = [
            stride for x, stride in zip(inputs, strides, strict=True) if _alike(x.shape[2:], node.output.shape[2:])
        ]
        jumps = tuple(map(largest, zip(*(alike or strides), strict=True)))
        field = tuple(r + (k - 1) * j for r, k, j in zip(seen, sight.span, jumps, strict=True))
        known[node.name] = (field, tuple(j * s for j, s in zip(jumps, sight.stride, strict=True)))
    return [known[node.name] for node in network.nodes]


def _alike(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    """Whether two images have the same sizes."""
    if len(one) != len(other):
        return False
    return all(equal(a, b) if is_array(a) or is_array(b) else a == b for a, b in zip(one, other, strict=True))
