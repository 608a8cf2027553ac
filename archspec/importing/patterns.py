"""Several nodes that are one operator: a shuffle written as reshapings, a hard swish as a clip, and their like.

A pattern looks at the last of its nodes and gives what stands for all of them; the others go when nothing else reads
them. Each exporter's way of writing an operator is one pattern here.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from math import prod
from typing import Any, TypeAlias

from archspec.importing.flat import FlatGraph, FlatNode

Nodes: TypeAlias = Mapping[str, FlatNode]
Pattern: TypeAlias = Callable[[FlatNode, Nodes], FlatNode | None]


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
        return _as(node, "reshape", node.inputs, shape=node.shape[1:])
    if node.operator == "~permute" and node.args["order"][0] == 0:
        return _as(node, "permute", node.inputs, dims=node.args["order"][1:])
    return node


def _before(node: FlatNode, nodes: Nodes, operator: str) -> FlatNode | None:
    """The node that gives the first input, if it is that operator."""
    found = nodes.get(node.inputs[0]) if node.inputs else None
    return found if found is not None and found.operator == operator else None


def _as(node: FlatNode, operator: str, inputs: tuple[str, ...], **args: Any) -> FlatNode:
    return replace(node, operator=operator, args=args, inputs=inputs, foreign=False, reason="")


def channel_shuffle(node: FlatNode, nodes: Nodes) -> FlatNode | None:
    """n × g·m × h × w as n × g × m × h × w, the two changed about, and back."""
    permute = _before(node, nodes, "~permute") if node.operator == "~reshape" else None
    first = _before(permute, nodes, "~reshape") if permute is not None else None
    if permute is None or first is None or permute.args["order"] not in {(0, 2, 1, 3, 4), (0, 2, 1, 3)}:
        return None
    n, groups, *rest = first.shape
    if len(node.shape) != 4 or node.shape[0] != n or groups * rest[0] != node.shape[1]:
        return None
    if prod(rest[1:]) != prod(node.shape[2:]):
        return None
    return _as(node, "channel_shuffle", first.inputs, groups=groups)


def pooled(node: FlatNode, nodes: Nodes) -> FlatNode | None:
    """A global pooling that keeps its axes, flattened: one that does not."""
    for kind in ("global_avg_pool", "global_max_pool"):
        found = _before(node, nodes, kind) if node.operator == "flatten" else None
        if found is not None and found.args.get("keepdim"):
            return replace(found, name=node.name, args={}, shape=node.shape)
    return None


def reshaped_twice(node: FlatNode, nodes: Nodes) -> FlatNode | None:
    """A flattening behind a reshaping is a flattening."""
    found = _before(node, nodes, "~reshape") if node.operator == "flatten" else None
    return replace(node, inputs=found.inputs) if found is not None else None


def hard_sigmoid(node: FlatNode, nodes: Nodes) -> FlatNode | None:
    """relu6(x + 3)/6."""
    by_six = (node.operator == "~div" and node.args["number"] == 6) or (
        node.operator == "~mul" and abs(node.args["number"] - 1 / 6) < 1e-6
    )
    clip = _before(node, nodes, "relu6") if by_six else None
    shifted = _before(clip, nodes, "~add") if clip is not None else None
    if shifted is None or shifted.args["number"] != 3:
        return None
    return _as(node, "hard_sigmoid", shifted.inputs)


GATED = {"sigmoid": "silu", "hard_sigmoid": "hard_swish"}


def gated_by_itself(node: FlatNode, nodes: Nodes) -> FlatNode | None:
    """x·sigmoid(x) is silu, x·hard_sigmoid(x) hard_swish."""
    if node.operator != "mul" or len(node.inputs) != 2:
        return None
    for x, gate in (node.inputs, node.inputs[::-1]):
        found = nodes.get(gate)
        if found is not None and found.operator in GATED and found.inputs == (x,):
            return _as(node, GATED[found.operator], (x,))
    return None


def hard_swish(node: FlatNode, nodes: Nodes) -> FlatNode | None:
    """x·relu6(x + 3)/6, the product taken first."""
    if node.operator != "~div" or node.args["number"] != 6:
        return None
    product = _before(node, nodes, "mul")
    for x, clipped in (product.inputs, product.inputs[::-1]) if product is not None else ():
        clip = nodes.get(clipped)
        shifted = _before(clip, nodes, "~add") if clip is not None and clip.operator == "relu6" else None
        if shifted is not None and shifted.inputs == (x,) and shifted.args["number"] == 3:
            return _as(node, "hard_swish", (x,))
    return None


def biased(node: FlatNode, nodes: Nodes) -> FlatNode | None:
    """A linear layer whose bias is added behind it."""
    found = _before(node, nodes, "linear") if node.operator == "~bias" else None
    if found is None or "bias" in found.arrays:
        return None
    args = {name: value for name, value in found.args.items() if name != "bias"}
    return replace(found, name=node.name, args=args, arrays={**found.arrays, **node.arrays})


def single_join(node: FlatNode, _: Nodes) -> FlatNode | None:
    """A join of one result is that result."""
    alone = node.operator in {"concat", "add"} and len(node.inputs) == 1
    return _as(node, "identity", node.inputs) if alone else None


def local_response(node: FlatNode, nodes: Nodes) -> FlatNode | None:
    """x / (k + alpha·mean of squares)^beta as `torch.nn.functional.local_response_norm` writes it."""
    if node.operator not in {"aten.div.Tensor", "divide"} or len(node.inputs) != 2:
        return None
    x, divisor = node.inputs
    chain, name = dict[str, FlatNode](), divisor
    while name in nodes and name != x and len(chain) < 12:
        found = nodes[name]
        if found.operator == "mul" and found.inputs == (x, x):
            break
        chain[found.operator] = found
        name = found.inputs[0]
    power, pool = chain.get("aten.pow.Tensor_Scalar"), chain.get("aten.avg_pool3d.default")
    window = pool or chain.get("aten.avg_pool2d.default")
    if power is None or window is None or not {"~mul", "~add"} <= chain.keys():
        return None
    size = next((n for n in window.args.get("kernel_size", ()) if n > 1), 1)
    numbers = {"alpha": chain["~mul"].args["number"], "k": chain["~add"].args["number"]}
    return _as(node, "local_response_norm", (x,), size=size, beta=power.args["exponent"], **numbers)


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
