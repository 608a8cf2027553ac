"""Activations written as arithmetic."""

from collections.abc import Iterator
from math import isclose, pi, prod, sqrt

from archspec.importing.flat import FlatNode
from archspec.importing.patterns.base import Seen

GATED = {"sigmoid": "silu", "hard_sigmoid": "hard_swish"}
"""What x times these of x is."""


def hard(node: Seen) -> Iterator[FlatNode]:
    """relu6(x + 3)/6, or x/6 + 1/2 between 0 and 1, is hard_sigmoid; x·relu6(x + 3)/6, in any order, hard_swish."""
    match node:
        case Seen("clamp", [Seen("~add", [sixth], args={"number": 0.5})], args={"min": 0, "max": 1}) if _is_sixth(
            sixth
        ):
            yield node.made("hard_sigmoid", *sixth.of)
        case Seen("~div" | "~mul", [Seen("relu6", [Seen("~add", [x], args={"number": 3})])]) if _is_sixth(node):
            yield node.made("hard_sigmoid", x)
        case Seen("~div" | "~mul", [Seen("mul", [x, Seen("relu6", [Seen("~add", [y], args={"number": 3})])])]) if (
            x == y and _is_sixth(node)
        ):
            yield node.made("hard_swish", x)
        case Seen("~div" | "~mul", [Seen("mul", [Seen("relu6", [Seen("~add", [y], args={"number": 3})]), x])]) if (
            x == y and _is_sixth(node)
        ):
            yield node.made("hard_swish", x)


def _is_sixth(node: Seen) -> bool:
    """Whether it divides by 6."""
    number = node.args.get("number", 0)
    return (node.operator == "~div" and number == 6) or (node.operator == "~mul" and abs(number - 1 / 6) < 1e-6)


def gated_by_itself(node: Seen) -> Iterator[FlatNode]:
    """x·sigmoid(x) is silu, x·hard_sigmoid(x) hard_swish."""
    match node:
        case Seen("mul", [x, Seen("sigmoid" | "hard_sigmoid" as gate, [y])]) if x == y:
            yield node.made(GATED[gate], x)


def softplus(node: Seen) -> Iterator[FlatNode]:
    """log(1 + e^(beta·x))/beta up to a threshold, and x above it."""
    match node:
        case Seen("~where", [Seen("~greater", args={"number": threshold}), x, Seen("softplus", [y])]) if x == y:
            yield node.made("softplus", x, threshold=threshold)
        case Seen("~where", [Seen("~greater", args={"number": threshold}), x, Seen("~div", [curve]) as scaled]):
            beta = scaled.args["number"]
            match curve:
                case Seen("softplus", [Seen("~mul", [y], args={"number": number})]) if x == y and number == beta:
                    whole = int(beta) if beta == int(beta) else beta
                    yield node.made("softplus", x, beta=whole, threshold=threshold)


MOST_FACTORS = 6


def gelu(node: Seen) -> Iterator[FlatNode]:
    """x/2·(1 + erf(x/√2)), or x/2·(1 + tanh(√(2/π)·(x + 0.044715·x³))), multiplied in any order.

    The error function is no operator of the language; exporters call it by names of their own.
    """
    for gate in _factors(node)[1]:
        match gate:
            case Seen("~add", [Seen("onnx.Erf" | "aten.erf.default", [inner])], args={"number": 1}):
                for x in _halves(node, gate):
                    if _is_product(inner, 1 / sqrt(2), [x]):
                        yield node.made("gelu", x)
                        return
            case Seen("~add", [Seen("tanh", [inner])], args={"number": 1}):
                for x in _halves(node, gate):
                    if _is_cubic(inner, x):
                        yield node.made("gelu", x, approximate="tanh")
                        return


def _halves(node: Seen, gate: Seen) -> Iterator[Seen]:
    """What x a node may be x/2 times the gate of."""
    for depth in range(MOST_FACTORS):
        number, names = _factors(node, depth)
        rest = [name for name in names if name != gate]
        if len(rest) == 1 and len(names) == 2 and isclose(number, 0.5, rel_tol=1e-4):
            yield rest[0]


def _is_cubic(value: Seen, x: Seen) -> bool:
    """Whether a value is √(2/π)·(x + 0.044715·x³)."""
    number, factors = _factors(value)
    totals = [*factors[0].orders()] if len(factors) == 1 and isclose(number, sqrt(2 / pi), rel_tol=1e-4) else []
    pairs = (total.of for total in totals if total.operator == "add" and len(total.of) == 2)
    return any(one == x and _is_product(other, 0.044715, [x, x, x]) for one, other in pairs)


def _is_product(value: Seen, number: float, factors: list[Seen]) -> bool:
    """Whether a value is a number times these values; a power of 3 is three factors."""
    made, found = _factors(value, stop=factors[0])
    return found == factors and isclose(made, number, rel_tol=1e-4)


def _factors(value: Seen, depth: int = MOST_FACTORS, stop: Seen | None = None) -> tuple[float, list[Seen]]:
    """A number and the values whose product a value is, looking so far back."""
    match value if value != stop and depth else None:
        case Seen("~mul" | "~div" as operator, [x], args={"number": number}):
            whole, found = _factors(x, depth - 1, stop)
            return whole * number if operator == "~mul" else whole / number, found
        case Seen("power", [x], args={"exponent": 3}):
            return 1.0, [x] * 3
        case Seen("mul", several):
            inner = [_factors(each, depth - 1, stop) for each in several]
            return prod(number for number, _ in inner), [each for _, found in inner for each in found]
    return 1.0, [value]
