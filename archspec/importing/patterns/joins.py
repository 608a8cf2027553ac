"""Joins of three and more results, which exporters write two at a time."""

from dataclasses import replace

from archspec.importing.flat import FlatGraph, FlatNode

FOLDED = frozenset({"add", "subtract", "mul", "maximum", "minimum"})
"""Joins that take two at a time, from the left."""


def folded(graph: FlatGraph) -> FlatGraph:
    """The graph with a join of a join as one, where both stand in one module and nobody else reads the inner."""
    users, found = graph.users(), dict[str, FlatNode]()
    gone = set[str]()
    for node in graph.nodes:
        first = found.get(node.inputs[0]) if node.operator in FOLDED and len(node.inputs) == 2 else None
        alone = first is not None and len(users[first.name]) == 1 and first.name not in graph.outputs
        if first is not None and alone and _continues(first, node):
            gone.add(first.name)
            args = {**first.args, **node.args}
            found[node.name] = replace(node, args=args, inputs=(*first.inputs, *node.inputs[1:]))
        else:
            found[node.name] = node
    return replace(graph, nodes=tuple(node for name, node in found.items() if name not in gone))


def _continues(first: FlatNode, node: FlatNode) -> bool:
    return (first.operator, first.place) == (node.operator, node.place)
