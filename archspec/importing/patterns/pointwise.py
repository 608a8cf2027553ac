"""Layers of each pixel, written with the channels behind height and width, which are put back afterwards."""

from collections.abc import Iterator
from dataclasses import replace
from math import prod

from archspec import ops
from archspec.importing.flat import FlatNode
from archspec.importing.patterns.base import Nodes, made_of
from archspec.ops.activation import Elementwise


def pointwise(node: FlatNode, nodes: Nodes) -> list[FlatNode] | None:
    """Fully connected layers of each pixel as convolutions of 1×1, with what stands between them.

    Source: Liu et al., A ConvNet for the 2020s, 2022, whose block is written both ways.
    """
    rank = len(node.shape)
    if node.operator != "~permute" or rank < 3 or node.args["order"] != (0, rank - 1, *range(1, rank - 1)):
        return None
    *chain, first = [*_back(node, nodes)] or [node]
    if first.operator != "~permute" or first.args["order"] != (0, *range(2, rank), 1):
        return None
    if not any(each.operator == "linear" for each in chain):
        return None
    found, source = list[FlatNode](), first.inputs[0]
    for each in reversed(chain):
        scales = [_channels_first(nodes[name], source, rank=rank) for name in each.inputs if _is_scale(name, nodes)]
        found += [*scales, _channels_first(each, source, *(scale.name for scale in scales), rank=rank)]
        source = found[-1].name
    return [*found[:-1], replace(found[-1], name=node.name)]


def _back(node: FlatNode, nodes: Nodes) -> Iterator[FlatNode]:
    """What stands before an exchange of axes, the last first, as far as it sees each pixel by itself, and one more."""
    found = nodes.get(node.inputs[0])
    while found is not None:
        yield found
        if not _is_of_pixels(found, nodes):
            return
        found = nodes.get(next(name for name in found.inputs if not _is_scale(name, nodes)))


def _is_of_pixels(node: FlatNode, nodes: Nodes) -> bool:
    """Whether a node does the same to the last axis at every place, or the same to every number."""
    if node.foreign:
        return False
    if node.operator == "mul":
        return sum(_is_scale(name, nodes) for name in node.inputs) == len(node.inputs) - 1
    if node.operator == "layer_norm":
        return len(node.args.get("normalized_shape") or (0,)) == 1 and not node.args.get("over_channels")
    alike = node.operator in {"linear", "dropout"} or issubclass(ops.operator(node.operator), Elementwise)
    return alike and len(node.inputs) == 1


def _is_scale(name: str, nodes: Nodes) -> bool:
    """Whether a value is a learned number for each channel, or one for all."""
    found = nodes.get(name)
    return found is not None and found.operator == "parameter" and prod(found.args["shape"]) == found.shape[-1]


def _channels_first(node: FlatNode, *inputs: str, rank: int) -> FlatNode:
    """The same of channels before height and width."""
    shape = (node.shape[0], node.shape[-1], *node.shape[1:-1])
    made = replace(node, name=f"{node.name}@pixels", inputs=inputs, shape=shape)
    if node.operator == "parameter":
        return replace(made, args={"shape": shape[1:]}, arrays={"weight": node.arrays["weight"].reshaped(shape[1:])})
    if node.operator == "layer_norm":
        args = {name: value for name, value in node.args.items() if name != "normalized_shape"}
        return replace(made, args={**args, "over_channels": True})
    if node.operator == "linear":
        held = node.arrays["weight"]
        settings = {"out_channels": shape[1], "kernel_size": 1, "bias": "bias" in node.arrays}
        arrays = {**node.arrays, "weight": held.reshaped((*held.shape, *(1,) * (rank - 2)))}
        return replace(made_of(made, f"conv{rank - 2}d", inputs, **settings), arrays=arrays)
    return made
