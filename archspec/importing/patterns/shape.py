"""Reshapings that are one operator."""

from dataclasses import replace
from math import prod

from archspec.importing.flat import FlatNode
from archspec.importing.patterns.base import Nodes, before, made_of


def channel_shuffle(node: FlatNode, nodes: Nodes) -> FlatNode | None:
    """n × g·m × h × w as n × g × m × h × w, the two changed about, and back."""
    permute = before(node, nodes, "~permute") if node.operator == "~reshape" else None
    first = before(permute, nodes, "~reshape") if permute is not None else None
    if permute is None or first is None or permute.args["order"] not in {(0, 2, 1, 3, 4), (0, 2, 1, 3)}:
        return None
    n, groups, *rest = first.shape
    if len(node.shape) != 4 or node.shape[0] != n or groups * rest[0] != node.shape[1]:
        return None
    if prod(rest[1:]) != prod(node.shape[2:]):
        return None
    return made_of(node, "channel_shuffle", first.inputs, groups=groups)


def pooled(node: FlatNode, nodes: Nodes) -> FlatNode | None:
    """A global pooling that keeps its axes, flattened: one that does not."""
    for kind in ("global_avg_pool", "global_max_pool"):
        found = before(node, nodes, kind) if node.operator == "flatten" else None
        if found is not None and found.args.get("keepdim"):
            return replace(found, name=node.name, args={}, shape=node.shape)
    return None


def reshaped_twice(node: FlatNode, nodes: Nodes) -> FlatNode | None:
    """A flattening behind a reshaping is a flattening."""
    found = before(node, nodes, "~reshape") if node.operator == "flatten" else None
    return replace(node, inputs=found.inputs) if found is not None else None


def single_join(node: FlatNode, _: Nodes) -> FlatNode | None:
    """A join of one result is that result."""
    alone = node.operator in {"concat", "add"} and len(node.inputs) == 1
    return made_of(node, "identity", node.inputs) if alone else None
