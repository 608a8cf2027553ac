"""What no operator computes, kept by the shape that it had: foreign nodes as `opaque` ones."""

import re
from collections import Counter
from dataclasses import replace
from math import prod

from archspec.errors import ArchspecError
from archspec.importing.flat import INPUT, FlatGraph, FlatNode
from archspec.writing import printable

MOST_NAMED = 6


def opaque(graph: FlatGraph) -> FlatGraph:
    """The model with its foreign nodes as operators of which only the result's shape is known.

    Foreign nodes whose results do not begin with the batch (tables of indices, parts of a decomposition) become one
    with the nodes that take them; these are opaque, too, if they have no weights.

    Raises:
        ArchspecError: A result that does not begin with the batch, or whose shape is unknown, is taken by an operator
            with weights.
    """
    foreign = [node for node in graph.nodes if node.foreign]
    if not foreign:
        return graph
    graph = _absorbed(graph)
    nodes = tuple(_kept(node, graph) if node.foreign else node for node in graph.nodes)
    return replace(graph, nodes=nodes, notes=(*graph.notes, _opaque_note(foreign)))


def _absorbed(graph: FlatGraph) -> FlatGraph:
    """The model in which every foreign result begins with the batch."""
    nodes = graph.by_name()
    for node in graph.nodes:
        users = [user for user in nodes.values() if node.name in user.inputs]
        if nodes[node.name].foreign and not _batched(node, graph) and users and not any(map(_weighs, users)):
            taken = nodes.pop(node.name)
            for number, user in enumerate(users):
                nodes[user.name] = _with(nodes[user.name], taken, owns=number == 0)
    return replace(graph, nodes=tuple(nodes.values()))


def _with(user: FlatNode, taken: FlatNode, owns: bool) -> FlatNode:
    """A node together with one that it takes; whose arrays stand once."""
    inputs = [each for name in user.inputs for each in (taken.inputs if name == taken.name else (name,))]
    arrays = {f"{taken.name}.{name}": array for name, array in taken.arrays.items()} if owns else {}
    return replace(user, inputs=tuple(dict.fromkeys(inputs)), arrays={**user.arrays, **arrays}, foreign=True)


def _weighs(node: FlatNode) -> bool:
    """Whether an operator that is known has arrays, or multiplies and accumulates."""
    return not node.foreign and bool(node.arrays or node.operator in {"matmul", "scaled_dot_product_attention"})


def _batched(node: FlatNode, graph: FlatGraph) -> bool:
    return bool(node.shape) and node.shape[0] == graph.input[0]


def _kept(node: FlatNode, graph: FlatGraph) -> FlatNode:
    """A foreign node as an opaque one."""
    if not _batched(node, graph):
        sizes = "×".join(map(str, node.shape)) or "nothing that is known"
        raise ArchspecError(
            f"{node.operator} at {node.place or node.name} gives {sizes}, which does not begin with the batch of "
            f"{graph.input[0]}; it cannot be kept as an opaque node"
        )
    numbers = {
        name: sum(prod(array.shape) for array in node.arrays.values() if array.learned == learned)
        for name, learned in (("params", True), ("buffers", False))
    }
    inputs = tuple(dict.fromkeys(node.inputs)) or (INPUT,)
    args = {"shape": node.shape[1:], **{name: count for name, count in numbers.items() if count}}
    operator = "opaque" if len(inputs) == 1 else "opaque_join"
    return replace(node, operator=operator, args=args, inputs=inputs, foreign=False, function=short(node.operator))


def short(function: str) -> str:
    """What a function is called without the package that it is of and the form that it is called in.

    >>> short("torchvision.roi_align.default"), short("aten.max.dim"), short("onnx.Einsum"), short("~add")
    ('roi_align', 'max', 'einsum', 'add')
    """
    parts = [part for part in re.split(r"[.:]+", function.strip("~")) if part]
    name = parts[1] if len(parts) > 1 else parts[0]
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _opaque_note(foreign: list[FlatNode]) -> str:
    counts = Counter(node.operator for node in foreign)
    named = [f"{printable(name.strip('~'), 60)} ({often}×)" for name, often in counts.most_common(MOST_NAMED)]
    more = f", and {len(counts) - MOST_NAMED} more" if len(counts) > MOST_NAMED else ""
    return (
        f"opaque, because no operator computes it: {', '.join(named)}{more}; shapes are those at this input, and what "
        "it computes is in no total"
    )
