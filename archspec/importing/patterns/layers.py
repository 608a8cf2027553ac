"""Layers that an exporter takes apart, and joins of three and more results, which it writes two at a time."""

from collections.abc import Iterator
from dataclasses import replace

from archspec.importing.flat import FlatGraph, FlatNode
from archspec.importing.patterns.base import Seen, without


def biased(node: Seen) -> Iterator[FlatNode]:
    """A linear layer whose bias is added behind it."""
    match node:
        case Seen("~bias", [Seen("linear") as found]) if "bias" not in found.arrays:
            arrays = {**found.arrays, **node.arrays}
            yield replace(found.flat, name=node.name, args=without(found.args, "bias"), arrays=arrays)


def local_response(node: Seen) -> Iterator[FlatNode]:
    """x / (k + alpha·mean of squares)^beta as `torch.nn.functional.local_response_norm` writes it."""
    match node:
        case Seen("aten.div.Tensor" | "divide", [x, at]):
            chain = dict[str, Seen]()
            while at.of and at != x and len(chain) < 12 and (at.operator, at.of) != ("mul", (x, x)):
                chain[at.operator] = at
                at = at.of[0]
            match chain:
                case {"power": power, "~mul": times, "~add": added, "avg_pool3d": window} | {
                    "power": power,
                    "~mul": times,
                    "~add": added,
                    "avg_pool2d": window,
                }:
                    size = next((n for n in window.args.get("kernel_size", ()) if n > 1), 1)
                    beta, alpha, k = power.args["exponent"], times.args["number"], added.args["number"]
                    yield node.made("local_response_norm", x, size=size, beta=beta, alpha=alpha, k=k)


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
