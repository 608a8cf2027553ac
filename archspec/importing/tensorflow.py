"""Padding as TensorFlow has it, `tf_same`: how much stands before and behind depends on the side.

At one side such a layer has numbers like any other; only another instance tells.
"""

from collections.abc import Sequence
from dataclasses import replace

from archspec.importing.flat import FlatGraph, FlatNode
from archspec.ops.base import per_axis
from archspec.ops.window import Sides, sides

WINDOWED = frozenset(f"{word}{axes}d" for word in ("conv", "max_pool", "avg_pool", "binary_conv") for axes in (1, 2, 3))
"""Operators whose padding may be TensorFlow's."""


def with_tensorflow_padding(graphs: Sequence[FlatGraph]) -> list[FlatGraph]:
    """Instances in which a layer whose padding differs is padded as TensorFlow does, if that gives it in all of them.

    Args:
        graphs: Instances of a model; those with other steps than the first one's stay as they are.
    """
    first, found = graphs[0], list(graphs)
    steps = [node.operator for node in first.nodes]
    alike = [number for number, graph in enumerate(graphs) if [node.operator for node in graph.nodes] == steps]
    shapes = [{**graph.inputs, **{node.name: node.shape for node in graph.nodes}} for graph in graphs]
    for place, operator in enumerate(steps):
        nodes = [found[number].nodes[place] for number in alike]
        if operator not in WINDOWED or len({str(node.args.get("padding", 0)) for node in nodes}) == 1:
            continue
        sizes = [shapes[number][node.inputs[0]][2:] for number, node in zip(alike, nodes, strict=True)]
        if all(map(_fits, nodes, sizes)):
            for number, node in zip(alike, nodes, strict=True):
                padded = replace(node, args={**node.args, "padding": "tf_same"})
                before, behind = found[number].nodes[:place], found[number].nodes[place + 1 :]
                found[number] = replace(found[number], nodes=(*before, padded, *behind))
    return found


def told_apart_by(graph: FlatGraph) -> str:
    """What is to be said of an instance that has what TensorFlow's padding is at its side; nothing, if it has none."""
    shapes = {**graph.inputs, **{node.name: node.shape for node in graph.nodes}}
    nodes = [node for node in graph.nodes if node.operator in WINDOWED and isinstance(node.args.get("padding"), tuple)]
    uneven = [node for node in nodes if _is_uneven(node) and _fits(node, shapes[node.inputs[0]][2:])]
    if not uneven:
        return ""
    first, side = uneven[0], graph.input[-1]
    more = f" and {len(uneven) - 1} more" if len(uneven) > 1 else ""
    padding = ", ".join(map(str, first.args["padding"]))
    return (
        f"the padding of {first.place or first.name}{more}, [{padding}], is what TensorFlow's (tf_same) is at this "
        f"side, too; --vary side={side},{side + 1} of what makes the model tells them apart"
    )


def _is_uneven(node: FlatNode) -> bool:
    return any(before != behind for before, behind in _own(node, ()))


def _own(node: FlatNode, sizes: Sequence[int], padding: object = None) -> Sides:
    """What stands before and behind each axis by a node's padding, or by another one."""
    axes = int(node.operator[-2])
    kernel = per_axis(node.args["kernel_size"], axes)
    stride = node.args.get("stride", kernel if "pool" in node.operator else 1)
    told = node.args.get("padding", 0) if padding is None else padding
    return sides(told, sizes, kernel, stride, node.args.get("dilation", 1))


def _fits(node: FlatNode, sizes: Sequence[int]) -> bool:
    """Whether a node pads as TensorFlow would at these sizes."""
    return _own(node, sizes) == _own(node, sizes, "tf_same")
