"""Functions → operators: convolutions and fully connected layers."""

from math import prod
from typing import Any

from archspec.importing.program import HeldArray, UnsupportedError
from archspec.importing.rules import Bound, Reading, ReadNode, few, is_even, one_or_pair, rule, sides


@rule(*(f"aten.conv{n}d.{form}" for n in (1, 2, 3) for form in ("default", "padding")), "onnx.Conv")
def conv(call: Bound) -> Reading:
    """A convolution over one, two or three axes; torch's padding may be a word."""
    weight, bias = call.signs("weight") or call.array("weight"), call.learned("bias")
    args = {
        "out_channels": weight.shape[0],
        "kernel_size": one_or_pair(weight.shape[2:]),
        "stride": one_or_pair(call.get("stride", 1)),
        "padding": "same" if call.get("padding") == "same" else few(sides(call, weight.shape[2:])),
        "dilation": one_or_pair(call.get("dilation", 1)),
        "groups": call.get("groups", 1),
        "bias": bool(bias),
    }
    return _weighted(f"conv{len(weight.shape) - 2}d", args, call, "input", "weight", {"weight": weight, **bias})


@rule(
    "aten.conv_transpose1d.default", "aten.conv_transpose2d.input", "aten.conv_transpose3d.input", "onnx.ConvTranspose"
)
def conv_transpose(call: Bound) -> Reading:
    """A transposed convolution, whose weight is in × out/g × k × k."""
    weight, groups, bias = call.array("weight"), call.get("groups", 1), call.learned("bias")
    kernel = weight.shape[2:]
    pairs = sides(call, kernel) if call.get("auto_pad", "NOTSET") == "NOTSET" else [(0, 1)]
    if not is_even(pairs) or call.has("output_shape"):
        raise UnsupportedError("has a padding that torch's transposed convolution cannot have")
    args = {
        "out_channels": weight.shape[1] * groups,
        "kernel_size": one_or_pair(kernel),
        "stride": one_or_pair(call.get("stride", 1)),
        "padding": few(pairs),
        "output_padding": one_or_pair(call.get("output_padding", 0)),
        "dilation": one_or_pair(call.get("dilation", 1)),
        "groups": groups,
        "bias": bool(bias),
    }
    return ReadNode(f"conv_transpose{len(weight.shape) - 2}d", args, call.values("input"), {"weight": weight, **bias})


@rule("aten.linear.default", "onnx.Gemm")
def linear(call: Bound) -> Reading:
    """A fully connected layer; ONNX may hold its weight either way."""
    if call.get("alpha", 1) != 1 or call.get("beta", 1) != 1 or call.get("transA", 0):
        raise UnsupportedError("scales or transposes what it takes")
    weight, bias = call.signs("weight") or call.array("weight"), call.learned("bias")
    held = weight if call.get("transB", 1) else weight.transposed()
    args = {"out_features": held.shape[0], "bias": bool(bias)}
    if bias and prod(bias["bias"].shape) != held.shape[0]:
        raise UnsupportedError("adds a bias that is not one number for each feature")
    return _weighted("linear", args, call, "input", "weight", {"weight": held, **bias})


@rule("aten.matmul.default", "aten.bmm.default", "onnx.MatMul")
def matmul(call: Bound) -> Reading:
    """By a learned matrix: a fully connected layer without bias; else of two results."""
    other = "mat2" if call.has("mat2") else "other"
    held = call.signs(other) or call.held(call.call.arguments.get(other))
    if held is None or not held.learned or len(held.shape) != 2:
        return ReadNode("matmul", {}, call.values("self", other))
    args = {"out_features": held.shape[1], "bias": False}
    return _weighted("linear", args, call, "self", other, {"weight": held.transposed()})


def _weighted(
    word: str, args: dict[str, Any], call: Bound, source: str, weight: str, arrays: dict[str, HeldArray]
) -> ReadNode:
    """A layer by its weights; by the signs of weights, what patterns read with the factors behind it.

    Args:
        word: What it is by weights that are real.
        args: Its settings.
        call: What it is read of.
        source: The argument that it takes.
        weight: The argument that is its weights, or their signs.
        arrays: Its arrays; of signs, those of which they are.
    """
    if call.signs(weight) is None:
        return ReadNode(word, args, call.values(source), arrays)
    if word not in {"conv2d", "linear"} or args["bias"]:
        raise UnsupportedError("has one-bit weights, and is no conv2d or linear layer without bias")
    told = {name: value for name, value in args.items() if name != "bias"}
    return ReadNode(f"~binary_{word}", told, call.values(source), arrays)
