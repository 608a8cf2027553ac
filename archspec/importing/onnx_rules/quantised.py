"""ONNX's operators → the language's: what a quantiser writes."""

import numpy as np

from archspec.importing.rules import Bound, Reading, ReadNode, Same, rule

LINEAR = frozenset(f"onnx.{name}" for name in ("Conv", "ConvTranspose", "Gemm", "MatMul", "Add", "BatchNormalization"))
"""What gives numbers below zero."""


@rule("onnx.QuantizeLinear")
def quantise(call: Bound) -> Reading:
    """The same numbers, but that a quantiser takes activations away which its range does: these come back.

    Where the zero point is the least number of the type nothing below zero is left, which is what relu does.
    """
    inputs = call.values("input0")
    maker = next((each.target for each in call.program.calls if inputs[0] in each.outputs), "")
    if maker in LINEAR and call.has("input2"):
        zero = call.array("input2").load()
        if zero.dtype.kind in "iu" and (zero == np.iinfo(zero.dtype).min).all():
            return ReadNode("relu", {}, inputs)
    return Same(inputs[0])


@rule("onnx.DequantizeLinear")
def dequantise(call: Bound) -> Reading:
    """Results go through as they are; what arrays stand for is known before."""
    return Same(call.values("input0")[0])
