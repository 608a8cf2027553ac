"""Layers that an exporter takes apart."""

from dataclasses import replace

from archspec.importing.flat import FlatNode
from archspec.importing.patterns.base import Nodes, before, made_of


def biased(node: FlatNode, nodes: Nodes) -> FlatNode | None:
    """A linear layer whose bias is added behind it."""
    found = before(node, nodes, "linear") if node.operator == "~bias" else None
    if found is None or "bias" in found.arrays:
        return None
    args = {name: value for name, value in found.args.items() if name != "bias"}
    return replace(found, name=node.name, args=args, arrays={**found.arrays, **node.arrays})


def local_response(node: FlatNode, nodes: Nodes) -> FlatNode | None:
    """x / (k + alpha·mean of squares)^beta as `torch.nn.functional.local_response_norm` writes it."""
    if node.operator not in {"aten.div.Tensor", "divide"} or len(node.inputs) != 2:
        return None
    x, divisor = node.inputs
    chain, name = dict[str, FlatNode](), divisor
    while name in nodes and name != x and len(chain) < 12 and nodes[name].inputs:
        found = nodes[name]
        if found.operator == "mul" and found.inputs == (x, x):
            break
        chain[found.operator] = found
        name = found.inputs[0]
    power, window = chain.get("power"), chain.get("avg_pool3d") or chain.get("avg_pool2d")
    if power is None or window is None or not {"~mul", "~add"} <= chain.keys():
        return None
    size = next((n for n in window.args.get("kernel_size", ()) if n > 1), 1)
    numbers = {"alpha": chain["~mul"].args["number"], "k": chain["~add"].args["number"]}
    return made_of(node, "local_response_norm", (x,), size=size, beta=power.args["exponent"], **numbers)
