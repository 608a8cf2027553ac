"""ONNX's operators → the language's: convolutions and fully connected layers."""

from math import prod
from typing import Any

from archspec.importing.onnx_rules.settings import even, learned, setting, sides
from archspec.importing.program import HeldArray, UnsupportedError
from archspec.importing.readings import few, one_bit, rows_at
from archspec.importing.rules import Bound, Reading, ReadNode, one_or_pair, rule


@rule("onnx.Conv")
def conv(call: Bound) -> Reading:
    """A convolution over one, two or three axes."""
    signs, arrays = call.signs("input1"), learned(call, bias="input2")
    weight = signs or call.array("input1")
    kernel = weight.shape[2:]
    args = {
        "out_channels": weight.shape[0],
        "kernel_size": one_or_pair(kernel),
        "stride": one_or_pair(call.get("strides", 1)),
        "padding": few(sides(call, kernel)),
        "dilation": one_or_pair(call.get("dilations", 1)),
        "groups": call.get("group", 1),
        "bias": bool(arrays),
    }
    if signs:
        return one_bit(f"conv{len(kernel)}d", args, call.values("input0"), signs)
    return ReadNode(f"conv{len(kernel)}d", args, call.values("input0"), {"weight": weight, **arrays})


@rule("onnx.ConvTranspose")
def conv_transpose(call: Bound) -> Reading:
    """A transposed convolution."""
    weight, groups, arrays = call.array("input1"), call.get("group", 1), learned(call, bias="input2")
    kernel = weight.shape[2:]
    pairs = sides(call, kernel) if call.get("auto_pad", "NOTSET") == "NOTSET" else [(0, 1)]
    if not even(pairs) or call.has("output_shape"):
        raise UnsupportedError("has a padding that torch's transposed convolution cannot have")
    args = {
        "out_channels": weight.shape[1] * groups,
        "kernel_size": one_or_pair(kernel),
        "stride": one_or_pair(call.get("strides", 1)),
        "padding": few(pairs),
        "output_padding": one_or_pair(call.get("output_padding", 0)),
        "dilation": one_or_pair(call.get("dilations", 1)),
        "groups": groups,
        "bias": bool(arrays),
    }
    return ReadNode(f"conv_transpose{len(kernel)}d", args, call.values("input0"), {"weight": weight, **arrays})


@rule("onnx.Gemm")
def gemm(call: Bound) -> Reading:
    """A fully connected layer; its weight may be stored either way."""
    if call.get("alpha", 1.0) != 1 or call.get("beta", 1.0) != 1 or call.get("transA", 0):
        raise UnsupportedError("scales or transposes what it takes")
    signs = call.signs("input1")
    weight = signs or call.array("input1")
    held = weight if call.get("transB", 0) else weight.transposed()
    bias = learned(call, bias="input2")
    if signs:
        return one_bit("linear", {"out_features": held.shape[0], "bias": bool(bias)}, call.values("input0"), held)
    if bias and prod(bias["bias"].shape) != held.shape[0]:
        raise UnsupportedError("adds a bias that is not one number for each feature")
    args = {"out_features": held.shape[0], "bias": bool(bias)}
    return ReadNode("linear", args, call.values("input0"), {"weight": held, **bias})


@rule("onnx.MatMul")
def matmul(call: Bound) -> Reading:
    """By a learned matrix: a fully connected layer without bias; else of two results."""
    if (signs := call.signs("input1")) is not None and len(signs.shape) == 2:
        told = {"out_features": signs.shape[1], "bias": False}
        return one_bit("linear", told, call.values("input0"), signs.transposed())
    weight = call.held(call.call.arguments["input1"])
    if weight is None or not weight.learned or len(weight.shape) != 2:
        return ReadNode("matmul", {}, call.values("input0", "input1"))
    args: dict[str, Any] = {"out_features": weight.shape[1], "bias": False}
    return ReadNode("linear", args, call.values("input0"), {"weight": weight.transposed()})


@rule("onnx.Gather")
def gather(call: Bound) -> Reading:
    """Rows of a learned table; or one place of an axis."""
    table, axis = call.held(call.call.arguments["input0"]), int(call.get("axis", 0))
    if table is not None and table.learned and len(table.shape) == 2 and axis == 0:
        return _looked_up(call, table)
    place = setting(call, "", 1)
    axis %= len(call.shape("input0"))
    if isinstance(place, int):
        return ReadNode("select" if axis else "~select", {"dim": axis, "index": place}, call.values("input0"))
    return ReadNode("~gather", {"dim": axis, "places": place}, call.values("input0"))


@rule("onnx.GatherND")
def gather_rows(call: Bound) -> Reading:
    """Rows of a learned table at constant places: what patterns read with its neighbours."""
    places = call.constant("input1")
    if places is None or places.shape[-1] != 1 or call.get("batch_dims", 0):
        raise UnsupportedError("looks up by several numbers, or by numbers that are computed")
    return rows_at(call, call.array("input0"), places[..., 0])


def _looked_up(call: Bound, table: HeldArray) -> ReadNode:
    rows, size = table.shape
    if (places := call.constant("input1")) is None:
        args = {"num_embeddings": rows, "embedding_dim": size}
        return ReadNode("embedding", args, call.values("input1"), {"weight": table})
    if places.reshape(-1).tolist() != list(range(rows)):
        raise UnsupportedError("looks up rows by constant numbers, and not all in order")
    return ReadNode("parameter", {"shape": table.shape}, call.program.inputs[:1], {"weight": table})
