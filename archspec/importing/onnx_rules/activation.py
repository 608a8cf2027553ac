"""ONNX's operators → the language's: activations."""

from math import prod

from archspec.importing.onnx_rules.settings import setting
from archspec.importing.program import HeldArray, UnsupportedError
from archspec.importing.readings import as_written, clipped, rounded
from archspec.importing.rules import Bound, Reading, ReadNode, elementwise, rule

elementwise(
    {
        "onnx.Relu": "relu",
        "onnx.Sigmoid": "sigmoid",
        "onnx.Tanh": "tanh",
        "onnx.HardSwish": "hard_swish",
        "onnx.Swish": "silu",
        "onnx.Mish": "mish",
        "onnx.Exp": "exp",
    },
    "input0",
)


@rule("onnx.Clip")
def clip(call: Bound) -> Reading:
    """Between two bounds, of which one may not be given."""
    bounds = (setting(call, name, number) for number, name in enumerate(("min", "max"), 1))
    return clipped(call.values("input0"), *(None if at is None else as_written(at) for at in bounds))


@rule("onnx.LeakyRelu")
def leaky_relu(call: Bound) -> Reading:
    """A slope below zero."""
    return ReadNode("leaky_relu", {"negative_slope": rounded(call.get("alpha", 0.01))}, call.values("input0"))


@rule("onnx.Elu")
def elu(call: Bound) -> Reading:
    """An exponential below zero."""
    return ReadNode("elu", {"alpha": rounded(call.get("alpha", 1))}, call.values("input0"))


@rule("onnx.PRelu")
def prelu(call: Bound) -> Reading:
    """A learned slope, one or one a channel."""
    slope = call.array("input1")
    count = prod(slope.shape)
    flat = HeldArray(slope.key, (count,), lambda: slope.load().reshape(-1))
    return ReadNode("prelu", {"num_parameters": count}, call.values("input0"), {"weight": flat})


@rule("onnx.Gelu")
def gelu(call: Bound) -> Reading:
    """By erf, or by tanh."""
    return ReadNode("gelu", {"approximate": call.get("approximate", "none")}, call.values("input0"))


@rule("onnx.HardSigmoid")
def hard_sigmoid(call: Bound) -> Reading:
    """x/6 + 1/2 between 0 and 1; of another slope, such as Keras's 1/5, what it is made of."""
    slope, offset = call.get("alpha", 0.2), call.get("beta", 0.5)
    if abs(slope - 1 / 6) > 1e-5 or abs(offset - 0.5) > 1e-5:
        line = {"slope": as_written(slope), "offset": as_written(offset)}
        return ReadNode("~hard_sigmoid", line, call.values("input0"))
    return ReadNode("hard_sigmoid", {}, call.values("input0"))


@rule("onnx.Softmax", "onnx.LogSoftmax")
def softmax(call: Bound) -> Reading:
    """Along an axis; older versions flattened what stands behind it, which is the same on vectors."""
    operator = {"Softmax": "softmax", "LogSoftmax": "log_softmax"}[call.call.target.rpartition(".")[2]]
    rank = len(call.output())
    return ReadNode(operator, {"dim": int(call.get("axis", -1 if rank != 2 else 1)) % rank}, call.values("input0"))


@rule("onnx.Sqrt", "onnx.Reciprocal")
def root(call: Bound) -> Reading:
    """Powers of a half, and of less one."""
    exponent = {"Sqrt": 0.5, "Reciprocal": -1}[call.call.target.removeprefix("onnx.")]
    return ReadNode("power", {"exponent": exponent}, call.values("input0"))


@rule("onnx.Softplus")
def softplus(call: Bound) -> Reading:
    """log(1 + eˣ), without torch's threshold."""
    return ReadNode("softplus", {}, call.values("input0"))


@rule("onnx.Greater")
def greater(call: Bound) -> Reading:
    """What patterns read with its neighbours."""
    return ReadNode("~greater", {"number": call.number("input1")}, call.values("input0"))


@rule("onnx.GreaterOrEqual")
def at_least(call: Bound) -> Reading:
    """Where a number is reached: what patterns read with its neighbours."""
    if (number := call.number("input1")) is None:
        raise UnsupportedError("compares results")
    return ReadNode("~at_least", {"number": number}, call.values("input0"))


@rule("onnx.Abs")
def absolute(call: Bound) -> Reading:
    """Without the sign: what patterns read with its neighbours."""
    return ReadNode("~abs", {}, call.values("input0"))


@rule("onnx.Where")
def where(call: Bound) -> Reading:
    """What patterns read with its neighbours; so is a number where a constant says so."""
    if call.constant("input0") is not None and (number := call.number("input1")) is not None:
        return ReadNode("~masked_fill", {"value": number}, call.values("input2", "input0"))
    return ReadNode("~where", {}, call.values("input0", "input1", "input2"))
