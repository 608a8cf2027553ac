"""Several nodes that are one operator: a shuffle written as reshapings, a hard swish as a clip, and their like.

A pattern looks at the last of its nodes and gives what stands for all of them; the others go when nothing else reads
them. Each exporter's way of writing an operator is one pattern here.
"""

from dataclasses import replace

from archspec.importing.flat import FlatGraph, FlatNode
from archspec.importing.patterns.activation import gated_by_itself, gelu, hard, softplus
from archspec.importing.patterns.attention import dot_product, grouped, of_other_axes, rotary
from archspec.importing.patterns.base import Pattern, Seen
from archspec.importing.patterns.binary import binarised, input_scale, one_bit_bias, sign
from archspec.importing.patterns.layers import biased, local_response
from archspec.importing.patterns.multihead import multihead, split_before_turned, turned_twice
from archspec.importing.patterns.norm import in_groups, layer, root_mean_square, scaled, shifted
from archspec.importing.patterns.numbers import arithmetic
from archspec.importing.patterns.padding import average_of_what_is_there, padded_window
from archspec.importing.patterns.pointwise import over_channels, pointwise
from archspec.importing.patterns.recurrent import last_state, sequences, states, time_first
from archspec.importing.patterns.shape import (
    columns,
    moved,
    of_one_row,
    patches,
    pooled,
    reshaped_twice,
    rolled,
    selected,
    shuffled,
    single_join,
    strided,
)
from archspec.importing.patterns.windows import window_bias


def joined(graph: FlatGraph) -> FlatGraph:
    """The graph with the patterns read, each node against those before it."""
    nodes: dict[str, Seen] = {}
    for node in graph.nodes:
        orders = list(Seen.of_node(node, nodes).orders())
        for pattern in PATTERNS:
            found = next(filter(None, (list(pattern(each)) for each in orders)), None)
            if found is not None:
                *more, last = found
                for each in more:
                    nodes[each.name] = Seen.of_node(each, nodes)
                orders = list(Seen.of_node(last, nodes).orders())
        nodes[node.name] = orders[0]
    return replace(graph, nodes=tuple(each for node in nodes.values() for each in _alone(node.flat)))


def _alone(node: FlatNode) -> list[FlatNode]:
    """What stands for a node that no pattern has taken."""
    found = moved(node)
    return found if isinstance(found, list) else arithmetic(found)


PATTERNS: tuple[Pattern, ...] = (
    time_first,
    sequences,
    states,
    last_state,
    in_groups,
    layer,
    root_mean_square,
    scaled,
    shifted,
    padded_window,
    average_of_what_is_there,
    rotary,
    turned_twice,
    split_before_turned,
    dot_product,
    grouped,
    of_other_axes,
    multihead,
    window_bias,
    softplus,
    shuffled,
    over_channels,
    pointwise,
    columns,
    patches,
    strided,
    rolled,
    selected,
    reshaped_twice,
    pooled,
    of_one_row,
    gelu,
    hard,
    gated_by_itself,
    sign,
    input_scale,
    binarised,
    one_bit_bias,
    biased,
    single_join,
    local_response,
)
