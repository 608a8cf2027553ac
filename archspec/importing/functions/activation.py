"""Functions → operators: activations, bounds, powers and comparisons."""

from dataclasses import replace
from math import prod
from typing import Any

import numpy as np

from archspec.importing.program import UnsupportedError
from archspec.importing.rules import Bound, Reading, ReadNode, enter_plain, rule
from archspec.ops.base import MAX_NUMBER

_PLAIN = {
    "relu": ("relu", "Relu"),
    "relu6": ("relu6",),
    "sigmoid": ("sigmoid", "Sigmoid"),
    "tanh": ("tanh", "Tanh"),
    "silu": ("silu",),
    "hard_swish": ("hardswish", "HardSwish"),
    "hard_sigmoid": ("hardsigmoid",),
    "mish": ("mish", "Mish"),
    "exp": ("exp", "Exp"),
    "~neg": ("neg", "Neg"),
    "~abs": ("abs", "Abs"),
}
"""Operators without settings: what aten calls them, and what ONNX does."""

for _operator, (_atens, *_onnxs) in _PLAIN.items():
    enter_plain(_operator, f"aten.{_atens}.default", f"aten.{_atens}_.default", *(f"onnx.{name}" for name in _onnxs))
enter_plain("softplus", "aten.softplus.default", "onnx.Softplus", beta=1, threshold=20)
enter_plain("leaky_relu", "aten.leaky_relu.default", "aten.leaky_relu_.default", "onnx.LeakyRelu", negative_slope=0.01)
enter_plain("gelu", "aten.gelu.default", "onnx.Gelu", approximate="none")


@rule("aten.prelu.default", "onnx.PRelu")
def prelu(call: Bound) -> Reading:
    """A learned slope, or one of each channel."""
    slopes = call.array("weight")
    count = prod(slopes.shape)
    arrays = {"weight": replace(slopes.reshaped((count,)), learned=True)}
    return ReadNode("prelu", {"num_parameters": count}, call.values("self"), arrays)


_EXPONENTS = {"square": 2, "sqrt": 0.5, "rsqrt": -0.5, "reciprocal": -1}


@rule(
    *(f"aten.{name}.default" for name in _EXPONENTS),
    *("aten.pow.Tensor_Scalar", "onnx.Pow", "onnx.Sqrt", "onnx.Reciprocal"),
)
def power(call: Bound) -> Reading:
    """A power: a square, a root, an inverse."""
    exponent = _EXPONENTS.get(call.function.lower(), call.number("exponent"))
    if exponent is None:
        raise UnsupportedError("has an exponent that is no number")
    return ReadNode("power", {"exponent": exponent}, call.values("self"))


@rule("onnx.Swish")
def swish(call: Bound) -> Reading:
    """x·σ(αx), of which α is 1."""
    if call.get("alpha", 1) != 1:
        raise UnsupportedError(f"multiplies by {call.get('alpha')} before its sigmoid, which silu does not")
    return ReadNode("silu", {}, call.values("self"))


@rule("aten.elu.default", "aten.elu_.default", "onnx.Elu")
def elu(call: Bound) -> Reading:
    """An exponential below zero."""
    if call.get("scale", 1) != 1 or call.get("input_scale", 1) != 1:
        raise UnsupportedError("scales its result or its input (SELU)")
    return ReadNode("elu", {"alpha": call.get("alpha", 1)}, call.values("self"))


@rule("onnx.HardSigmoid")
def hard_sigmoid(call: Bound) -> Reading:
    """x/6 + 1/2 between 0 and 1; of another slope, such as Keras's 1/5, what it is made of."""
    slope, offset = float(call.get("alpha", 0.2)), float(call.get("beta", 0.5))
    if not (abs(slope - 1 / 6) <= 1e-5 and abs(offset - 0.5) <= 1e-5):
        return ReadNode("~hard_sigmoid", {"slope": slope, "offset": offset}, call.values("self"))
    return ReadNode("hard_sigmoid", {}, call.values("self"))


@rule("aten.hardtanh.default", "aten.hardtanh_.default")
def hardtanh(call: Bound) -> Reading:
    """Between -1 and 1, or others."""
    return clipped(call.values("self"), call.get("min_val", -1), call.get("max_val", 1))


@rule(*(f"aten.clamp{bound}{place}.default" for bound in ("", "_min", "_max") for place in ("", "_")), "onnx.Clip")
def clamp(call: Bound) -> Reading:
    """Between two bounds, of which one may not be given."""
    return clipped(call.values("self"), call.get("min"), call.get("max"))


def clipped(inputs: tuple[str, ...], low: Any, high: Any) -> Reading:
    """What holds numbers between two bounds; a bound that no number of a network reaches is none."""
    bounds = {"min": low, "max": high}
    told = {name: at for name, at in bounds.items() if at is not None and not abs(at) > MAX_NUMBER}
    if not told:
        return inputs[0]
    if told in ({"min": 0}, {"min": 0, "max": 6}):
        return ReadNode("relu6" if "max" in told else "relu", {}, inputs)
    if len(told) == 2 and high < low:
        raise UnsupportedError(f"holds numbers between {low} and {high}, which is less")
    return ReadNode("clamp", told, inputs)


@rule("aten.softmax.int", "aten.log_softmax.int", "onnx.Softmax", "onnx.LogSoftmax")
def softmax(call: Bound) -> Reading:
    """Along an axis; ONNX took the axis and all behind it for one, until opset 13."""
    operator = "log_softmax" if call.function.lower().startswith("log") else "softmax"
    shape, dim = call.output(), call.axis("dim")
    if call.get("flattens", False):
        long = [axis for axis in range(dim, len(shape)) if shape[axis] > 1] or [dim]
        if len(long) > 1:
            raise UnsupportedError("is over several axes as one, as it was until opset 13")
        dim = long[0]
    return ReadNode(operator, {"dim": dim}, call.values("self"))


@rule("onnx.Greater")
def greater(call: Bound) -> Reading:
    """What patterns read with its neighbours."""
    return ReadNode("~greater", {"number": call.number("other")}, call.values("self"))


@rule("aten.ge.Scalar", "onnx.GreaterOrEqual")
def at_least(call: Bound) -> Reading:
    """Where a number is reached: what patterns read with its neighbours."""
    if (number := call.number("other")) is None:
        raise UnsupportedError("compares results")
    return ReadNode("~at_least", {"number": number}, call.values("self"))


@rule("onnx.Where")
def where(call: Bound) -> Reading:
    """What patterns read with its neighbours; so is a number where a constant says so."""
    if call.constant("condition") is not None and (number := call.number("self")) is not None:
        return ReadNode("~masked_fill", {"value": number}, call.values("other", "condition"))
    return ReadNode("~where", {}, call.values("condition", "self", "other"))


@rule("aten.masked_fill.Scalar")
def masked_fill(call: Bound) -> Reading:
    """A number where a constant says so: what patterns read with its neighbours."""
    if call.constant("mask") is None:
        raise UnsupportedError("puts a number where a result says so")
    return ReadNode("~masked_fill", {"value": call.get("value")}, call.values("self", "mask"))


_LINEAR = frozenset(f"onnx.{name}" for name in ("Conv", "ConvTranspose", "Gemm", "MatMul", "Add", "BatchNormalization"))
"""What gives numbers below zero."""


@rule("onnx.QuantizeLinear")
def quantise(call: Bound) -> Reading:
    """The same numbers, but that a quantiser takes activations away which its range does: these come back.

    Where the zero point is the least number of the type nothing below zero is left, which is what relu does.
    """
    inputs = call.values("self")
    maker = next((each.target for each in call.program.calls if inputs[0] in each.outputs), "")
    if maker in _LINEAR and call.has("zero_point"):
        zero = call.array("zero_point").load()
        if zero.dtype.kind in "iu" and (zero == np.iinfo(zero.dtype).min).all():
            return ReadNode("relu", {}, inputs)
    return inputs[0]
