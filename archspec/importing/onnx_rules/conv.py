"""ONNX's operators → the language's: convolutions and fully connected layers."""

from math import prod

from archspec.importing.onnx_rules.settings import sides
from archspec.importing.program import UnsupportedError
from archspec.importing.readings import padded, transposed
from archspec.importing.rules import Bound, Reading, ReadNode, one_or_pair, rule


@rule("onnx.Conv")
def conv(call: Bound) -> Reading:
    """A convolution."""
    weight = call.array("input1")
    if len(weight.shape) != 4:
        raise UnsupportedError(f"is over {len(weight.shape) - 2} axes, not over height and width")
    args = {
        "out_channels": weight.shape[0],
        "kernel_size": one_or_pair(weight.shape[2:]),
        "stride": one_or_pair(call.get("strides", 1)),
        "padding": padded(*sides(call, weight.shape[2:])),
        "dilation": one_or_pair(call.get("dilations", 1)),
        "groups": call.get("group", 1),
        "bias": call.has("input2"),
    }
    return ReadNode("conv2d", args, call.values("input0"), call.arrays(weight="input1", bias="input2"))


@rule("onnx.ConvTranspose")
def conv_transpose(call: Bound) -> Reading:
    """A transposed convolution."""
    weight, groups = call.array("input1"), call.get("group", 1)
    padding = padded(*sides(call, weight.shape[2:])) if call.get("auto_pad", "NOTSET") == "NOTSET" else None
    if (
        len(weight.shape) != 4
        or padding is None
        or (isinstance(padding, tuple) and len(padding) == 4)
        or call.has("output_shape")
    ):
        raise UnsupportedError("has a padding that torch's transposed convolution cannot have")
    args = {
        "out_channels": weight.shape[1] * groups,
        "kernel_size": one_or_pair(weight.shape[2:]),
        "stride": one_or_pair(call.get("strides", 1)),
        "padding": padding,
        "output_padding": one_or_pair(call.get("output_padding", 0)),
        "dilation": one_or_pair(call.get("dilations", 1)),
        "groups": groups,
        "bias": call.has("input2"),
    }
    return ReadNode("conv_transpose2d", args, call.values("input0"), call.arrays(weight="input1", bias="input2"))


@rule("onnx.Gemm")
def gemm(call: Bound) -> Reading:
    """A fully connected layer; its weight may be stored either way."""
    if call.get("alpha", 1.0) != 1 or call.get("beta", 1.0) != 1 or call.get("transA", 0):
        raise UnsupportedError("scales or transposes what it takes")
    weight = call.array("input1")
    held = weight if call.get("transB", 0) else transposed(weight)
    bias = call.arrays(bias="input2")
    if bias and prod(bias["bias"].shape) != held.shape[0]:
        raise UnsupportedError("adds a bias that is not one number for each feature")
    args = {"out_features": held.shape[0], "bias": bool(bias)}
    return ReadNode("linear", args, call.values("input0"), {"weight": held, **bias})


@rule("onnx.MatMul")
def matmul(call: Bound) -> Reading:
    """By an array: a fully connected layer without bias."""
    weight = call.array("input1")
    if len(weight.shape) != 2:
        raise UnsupportedError("multiplies by an array that is no matrix")
    return ReadNode(
        "linear",
        {"out_features": weight.shape[1], "bias": False},
        call.values("input0"),
        {"weight": transposed(weight)},
    )
