"""Several nodes that are one operator: a shuffle written as reshapings, a hard swish as a clip, and their like.

A pattern looks at the last of its nodes and gives what stands for all of them; the others go when nothing else reads
them. Each exporter's way of writing an operator is one pattern here.
"""

from dataclasses import replace

from archspec.importing.flat import FlatGraph, FlatNode
from archspec.importing.patterns.activation import gated_by_itself, gelu, hard_sigmoid, hard_swish, softplus
from archspec.importing.patterns.attention import dot_product, grouped, of_other_axes, rotary
from archspec.importing.patterns.base import Pattern
from archspec.importing.patterns.binary import binarised, input_scale, one_bit_bias, sign
from archspec.importing.patterns.layers import biased, local_response
from archspec.importing.patterns.multihead import multihead, split_before_turned, turned_twice
from archspec.importing.patterns.norm import in_groups, layer, root_mean_square, scaled, shifted
from archspec.importing.patterns.numbers import arithmetic
from archspec.importing.patterns.padding import average_of_what_is_there, padded_window
from archspec.importing.patterns.pointwise import pointwise
from archspec.importing.patterns.recurrent import last_state, sequences, states, time_first
from archspec.importing.patterns.shape import (
    channel_shuffle,
    columns,
    moved,
    of_one_row,
    over_channels,
    patches,
    pixels,
    pooled,
    reshaped_twice,
    rolled,
    selected,
    single_join,
    strided,
)
from archspec.importing.patterns.windows import window_bias


def joined(graph: FlatGraph) -> FlatGraph:
    """The graph with the patterns read, each node against those before it."""
    nodes: dict[str, FlatNode] = {}
    for node in graph.nodes:
        found = node
        for pattern in PATTERNS:
            better = pattern(found, nodes)
            *more, found = better if isinstance(better, list) else [better if better is not None else found]
            nodes.update((each.name, each) for each in more)
        nodes[node.name] = found
    return replace(graph, nodes=tuple(each for node in nodes.values() for each in _alone(node)))


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
    channel_shuffle,
    pixels,
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
    hard_sigmoid,
    hard_swish,
    gated_by_itself,
    sign,
    input_scale,
    binarised,
    one_bit_bias,
    biased,
    single_join,
    local_response,
)
