"""torch.export's functions → operators: activations."""

from math import prod

from archspec.importing.program import UnsupportedError
from archspec.importing.readings import clipped
from archspec.importing.rules import Bound, Reading, ReadNode, elementwise, rule

_PLAIN = {
    "relu": "relu",
    "relu6": "relu6",
    "sigmoid": "sigmoid",
    "tanh": "tanh",
    "silu": "silu",
    "hardswish": "hard_swish",
    "hardsigmoid": "hard_sigmoid",
    "mish": "mish",
    "exp": "exp",
}


elementwise(
    {f"aten.{name}{place}.default": operator for name, operator in _PLAIN.items() for place in ("", "_")}, "self"
)


@rule("aten.softplus.default")
def softplus(call: Bound) -> Reading:
    """log(1 + eˣ)."""
    return ReadNode(
        "softplus", {"beta": call.get("beta", 1), "threshold": call.get("threshold", 20)}, call.values("self")
    )


@rule("aten.prelu.default")
def prelu(call: Bound) -> Reading:
    """A learned slope, one or one a channel."""
    slopes = prod(call.array("weight").shape)
    return ReadNode("prelu", {"num_parameters": slopes}, call.values("self"), call.arrays(weight="weight"))


@rule(
    "aten.pow.Tensor_Scalar",
    "aten.square.default",
    "aten.sqrt.default",
    "aten.rsqrt.default",
    "aten.reciprocal.default",
)
def power(call: Bound) -> Reading:
    """A power: a square, a root, an inverse."""
    known = {"square": 2, "sqrt": 0.5, "rsqrt": -0.5, "reciprocal": -1}.get(call.call.target.split(".")[1])
    return ReadNode("power", {"exponent": call.get("exponent") if known is None else known}, call.values("self"))


@rule("aten.leaky_relu.default", "aten.leaky_relu_.default")
def leaky_relu(call: Bound) -> Reading:
    """A slope below zero."""
    return ReadNode("leaky_relu", {"negative_slope": call.get("negative_slope", 0.01)}, call.values("self"))


@rule("aten.elu.default", "aten.elu_.default")
def elu(call: Bound) -> Reading:
    """An exponential below zero."""
    if call.get("scale", 1) != 1 or call.get("input_scale", 1) != 1:
        raise UnsupportedError("scales its result or its input (SELU)")
    return ReadNode("elu", {"alpha": call.get("alpha", 1)}, call.values("self"))


@rule("aten.gelu.default")
def gelu(call: Bound) -> Reading:
    """By erf, or by tanh."""
    return ReadNode("gelu", {"approximate": call.get("approximate", "none")}, call.values("self"))


@rule("aten.hardtanh.default", "aten.hardtanh_.default")
def hardtanh(call: Bound) -> Reading:
    """Between -1 and 1, or others."""
    return clipped(call.values("self"), call.get("min_val", -1), call.get("max_val", 1))


@rule(*(f"aten.clamp{bound}{place}.default" for bound in ("", "_min", "_max") for place in ("", "_")))
def clamp(call: Bound) -> Reading:
    """Between two bounds, of which one may not be given."""
    return clipped(call.values("self"), call.get("min"), call.get("max"))


@rule("aten.abs.default")
def absolute(call: Bound) -> Reading:
    """Without the sign: what patterns read with its neighbours."""
    return ReadNode("~abs", {}, call.values("self"))


@rule("aten.ge.Scalar")
def at_least(call: Bound) -> Reading:
    """Where a number is reached: what patterns read with its neighbours."""
    return ReadNode("~at_least", {"number": call.get("other")}, call.values("self"))


@rule("aten.softmax.int", "aten.log_softmax.int")
def softmax(call: Bound) -> Reading:
    """Along an axis."""
    operator = call.call.target.split(".")[1]
    return ReadNode(operator, {"dim": call.axis("dim")}, call.values("self"))
