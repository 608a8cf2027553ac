"""Activations written as arithmetic."""

from archspec.importing.flat import FlatNode
from archspec.importing.patterns.base import Nodes, before, made_of


def hard_sigmoid(node: FlatNode, nodes: Nodes) -> FlatNode | None:
    """relu6(x + 3)/6, or x/6 + 1/2 between 0 and 1."""
    if node.operator == "clamp" and node.args == {"min": 0, "max": 1}:
        shifted, offset = before(node, nodes, "~add"), 0.5
        sixth = nodes.get(shifted.inputs[0]) if shifted is not None else None
        found = sixth if sixth is not None and _is_sixth(sixth) else None
    else:
        clip = before(node, nodes, "relu6") if _is_sixth(node) else None
        shifted, offset = before(clip, nodes, "~add") if clip is not None else None, 3
        found = shifted
    if found is None or shifted is None or shifted.args["number"] != offset:
        return None
    return made_of(node, "hard_sigmoid", found.inputs)


def _is_sixth(node: FlatNode) -> bool:
    """Whether it divides by 6."""
    number = node.args.get("number", 0)
    return (node.operator == "~div" and number == 6) or (node.operator == "~mul" and abs(number - 1 / 6) < 1e-6)


GATED = {"sigmoid": "silu", "hard_sigmoid": "hard_swish"}


def gated_by_itself(node: FlatNode, nodes: Nodes) -> FlatNode | None:
    """x·sigmoid(x) is silu, x·hard_sigmoid(x) hard_swish."""
    if node.operator != "mul" or len(node.inputs) != 2:
        return None
    for x, gate in (node.inputs, node.inputs[::-1]):
        found = nodes.get(gate)
        if found is not None and found.operator in GATED and found.inputs == (x,):
            return made_of(node, GATED[found.operator], (x,))
    return None


def hard_swish(node: FlatNode, nodes: Nodes) -> FlatNode | None:
    """x·relu6(x + 3)/6, the product taken first."""
    product = before(node, nodes, "mul") if _is_sixth(node) else None
    for x, clipped in (product.inputs, product.inputs[::-1]) if product is not None else ():
        clip = nodes.get(clipped)
        shifted = before(clip, nodes, "~add") if clip is not None and clip.operator == "relu6" else None
        if shifted is not None and shifted.inputs == (x,) and shifted.args["number"] == 3:
            return made_of(node, "hard_swish", (x,))
    return None


def softplus(node: FlatNode, nodes: Nodes) -> FlatNode | None:
    """log(1 + e^(beta·x))/beta up to a threshold, and x above it."""
    if node.operator != "~where" or len(node.inputs) != 3:
        return None
    above, curve = nodes.get(node.inputs[0]), nodes.get(node.inputs[2])
    x, beta = node.inputs[1], 1
    if curve is not None and curve.operator == "~div":
        beta, curve = curve.args["number"], before(curve, nodes, "softplus")
        times = before(curve, nodes, "~mul") if curve is not None else None
        inner = times.inputs[0] if times is not None and times.args["number"] == beta else ""
    else:
        inner = curve.inputs[0] if curve is not None and curve.operator == "softplus" else ""
    if above is None or above.operator != "~greater" or inner != x:
        return None
    beta = int(beta) if beta == int(beta) else beta
    args = {"beta": beta, "threshold": above.args["number"]}
    return made_of(node, "softplus", (x,), **args)
