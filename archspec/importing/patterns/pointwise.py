"""Layers of each pixel, written with the channels behind height and width, which are put back afterwards."""

from collections.abc import Iterator
from dataclasses import replace
from math import prod

from archspec import ops
from archspec.importing.flat import FlatNode
from archspec.importing.patterns.base import Seen, made_of, without
from archspec.ops.activation import Elementwise


def pointwise(node: Seen) -> Iterator[FlatNode]:
    """Fully connected layers of each pixel as convolutions of 1×1, with what stands between them.

    Source: Liu et al., A ConvNet for the 2020s, 2022, whose block is written both ways.
    """
    rank = len(node.shape)
    if not puts_channels_first(node):
        return
    *chain, first = _back(node.of[0])
    if not puts_channels_last(first, rank) or not any(each.operator == "linear" for each in chain):
        return
    found, source = list[FlatNode](), first.flat.inputs[0]
    for each in reversed(chain):
        scales = [_channels_first(scale.flat, source, rank=rank) for scale in each.of if _is_scale(scale)]
        found += [*scales, _channels_first(each.flat, source, *(scale.name for scale in scales), rank=rank)]
        source = found[-1].name
    yield from found[:-1]
    yield replace(found[-1], name=node.name)


def over_channels(node: Seen) -> Iterator[FlatNode]:
    """A layer normalisation of the last axis, where the channels were put behind before, and back afterwards."""
    match node:
        case Seen("~permute", [Seen("layer_norm", [Seen("~permute", [x]) as first]) as norm]):
            one = len(norm.args.get("normalized_shape") or (0,)) == 1
            if one and puts_channels_first(node) and puts_channels_last(first, len(node.shape)):
                args = {**without(norm.args, "normalized_shape"), "over_channels": True}
                yield replace(norm.flat, name=node.name, args=args, inputs=(x.name,), shape=node.shape)


def puts_channels_first(node: Seen) -> bool:
    """Whether it puts the last axis behind the batch."""
    rank = len(node.shape)
    return node.operator == "~permute" and rank > 2 and node.args["order"] == (0, rank - 1, *range(1, rank - 1))


def puts_channels_last(node: Seen, rank: int) -> bool:
    """Whether it puts the channels behind all other axes."""
    return node.operator == "~permute" and node.args["order"] == (0, *range(2, rank), 1)


def _back(node: Seen) -> Iterator[Seen]:
    """A node and those before it, as far as they see each pixel by itself, and one more."""
    yield node
    while _is_of_pixels(node):
        node = next(value for value in node.of if not _is_scale(value))
        yield node


def _is_of_pixels(node: Seen) -> bool:
    """Whether a node does the same to the last axis at every place, or the same to every number."""
    if node.flat.foreign or not node.operator or all(map(_is_scale, node.of)):
        return False
    if node.operator == "mul":
        return sum(map(_is_scale, node.of)) == len(node.of) - 1
    if node.operator == "layer_norm":
        return len(node.args.get("normalized_shape") or (0,)) == 1 and not node.args.get("over_channels")
    alike = node.operator in {"linear", "dropout"} or issubclass(ops.operator(node.operator), Elementwise)
    return alike and len(node.of) == 1


def _is_scale(value: Seen) -> bool:
    """Whether a value is a learned number for each channel, or one for all."""
    return value.operator == "parameter" and prod(value.args["shape"]) == value.shape[-1]


def _channels_first(node: FlatNode, *inputs: str, rank: int) -> FlatNode:
    """The same of channels before height and width."""
    shape = (node.shape[0], node.shape[-1], *node.shape[1:-1])
    made = replace(node, name=f"{node.name}@pixels", inputs=inputs, shape=shape)
    if node.operator == "parameter":
        return replace(made, args={"shape": shape[1:]}, arrays={"weight": node.arrays["weight"].reshaped(shape[1:])})
    if node.operator == "layer_norm":
        return replace(made, args={**without(node.args, "normalized_shape"), "over_channels": True})
    if node.operator == "linear":
        held = node.arrays["weight"]
        settings = {"out_channels": shape[1], "kernel_size": 1, "bias": "bias" in node.arrays}
        arrays = {**node.arrays, "weight": held.reshaped((*held.shape, *(1,) * (rank - 2)))}
        return replace(made_of(made, f"conv{rank - 2}d", inputs, **settings), arrays=arrays)
    return made
