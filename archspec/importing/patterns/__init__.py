"""Several nodes that are one operator: a shuffle written as reshapings, a hard swish as a clip, and their like.

A pattern looks at the last of its nodes and gives what stands for all of them; the others go when nothing else reads
them. Each exporter's way of writing an operator is one pattern here.
"""

from dataclasses import replace

from archspec.importing.flat import FlatGraph, FlatNode
from archspec.importing.patterns.activation import gated_by_itself, hard_sigmoid, hard_swish
from archspec.importing.patterns.base import Pattern, made_of
from archspec.importing.patterns.layers import biased, local_response
from archspec.importing.patterns.shape import channel_shuffle, pooled, reshaped_twice, single_join


def joined(graph: FlatGraph) -> FlatGraph:
    """The graph with the patterns read, each node against those before it."""
    nodes: dict[str, FlatNode] = {}
    for node in graph.nodes:
        found = node
        for pattern in PATTERNS:
            better = pattern(found, nodes)
            found = better if better is not None else found
        nodes[node.name] = found
    return replace(graph, nodes=tuple(map(_moved, nodes.values())))


def _moved(node: FlatNode) -> FlatNode:
    """A reshaping or an exchange of axes that is no part of anything else: an operator of its own."""
    if node.operator == "~reshape" and len(node.shape) > 1:
        return made_of(node, "reshape", node.inputs, shape=node.shape[1:])
    if node.operator == "~permute" and node.args["order"][0] == 0:
        return made_of(node, "permute", node.inputs, dims=node.args["order"][1:])
    return node


PATTERNS: tuple[Pattern, ...] = (
    channel_shuffle,
    reshaped_twice,
    pooled,
    hard_sigmoid,
    hard_swish,
    gated_by_itself,
    biased,
    single_join,
    local_response,
)
