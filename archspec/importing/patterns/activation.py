"""Activations written as arithmetic."""

from collections.abc import Iterator
from math import isclose, pi, sqrt

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


ERRORS = frozenset({"onnx.Erf", "aten.erf.default"})
"""What exporters call the error function, which is no operator of the language."""

MOST_FACTORS = 6


def gelu(node: FlatNode, nodes: Nodes) -> FlatNode | None:
    """x/2·(1 + erf(x/√2)), or x/2·(1 + tanh(√(2/π)·(x + 0.044715·x³))), multiplied in any order."""
    for gate in _gates(node, nodes):
        curve = nodes[gate.inputs[0]]
        for x in _halves(node, gate.name, nodes):
            if curve.operator in ERRORS and _is_product(curve.inputs[0], 1 / sqrt(2), [x], nodes):
                return made_of(node, "gelu", (x,))
            if curve.operator == "tanh" and _is_cubic(curve.inputs[0], x, nodes):
                return made_of(node, "gelu", (x,), approximate="tanh")
    return None


def _gates(node: FlatNode, nodes: Nodes) -> Iterator[FlatNode]:
    """The factors of a node that are 1 more than an error function or a hyperbolic tangent."""
    for name in _factors(node.name, node, nodes)[1]:
        found = nodes.get(name)
        inner = before(found, nodes, "tanh") or _error(found, nodes) if found is not None else None
        if found is not None and inner is not None and found.operator == "~add" and found.args["number"] == 1:
            yield found


def _error(node: FlatNode, nodes: Nodes) -> FlatNode | None:
    return next((found for name in sorted(ERRORS) if (found := before(node, nodes, name)) is not None), None)


def _halves(node: FlatNode, gate: str, nodes: Nodes) -> Iterator[str]:
    """What x a node may be x/2 times the gate of."""
    for depth in range(MOST_FACTORS):
        number, names = _factors(node.name, node, nodes, depth)
        rest = [name for name in names if name != gate]
        if len(rest) == 1 and len(names) == 2 and isclose(number, 0.5, rel_tol=1e-4):
            yield rest[0]


def _is_cubic(name: str, x: str, nodes: Nodes) -> bool:
    """Whether a value is √(2/π)·(x + 0.044715·x³)."""
    found = nodes.get(name)
    number, (inner, *others) = _factors(name, found, nodes) if found is not None else (0.0, [name])
    total = nodes.get(inner)
    if others or total is None or total.operator != "add" or not isclose(number, sqrt(2 / pi), rel_tol=1e-4):
        return False
    return any(
        one == x and (_is_product(other, 0.044715, [x, x, x], nodes))
        for one, other in (total.inputs, total.inputs[::-1])
    )


def _is_product(name: str, number: float, names: list[str], nodes: Nodes) -> bool:
    """Whether a value is a number times these values; a power of 3 is three factors."""
    made, found = _factors(name, nodes.get(name), nodes, stop=names[0])
    return sorted(found) == names and isclose(made, number, rel_tol=1e-4)


def _factors(
    name: str, node: FlatNode | None, nodes: Nodes, depth: int = MOST_FACTORS, stop: str = ""
) -> tuple[float, list[str]]:
    """A number and the values whose product a value is, looking so far back."""
    if node is None or name == stop or not depth:
        return 1.0, [name]
    if node.operator in {"~mul", "~div"}:
        number, found = _factors(node.inputs[0], nodes.get(node.inputs[0]), nodes, depth - 1, stop)
        return number * node.args["number"] if node.operator == "~mul" else number / node.args["number"], found
    if node.operator == "power" and node.args["exponent"] == 3:
        return 1.0, [node.inputs[0]] * 3
    if node.operator != "mul":
        return 1.0, [name]
    number, found = 1.0, list[str]()
    for each in node.inputs:
        factor, names = _factors(each, nodes.get(each), nodes, depth - 1, stop)
        number, found = number * factor, [*found, *names]
    return number, found
