"""ONNX's operators → the language's: poolings, and what makes one number of all along axes."""

from typing import Any

from archspec.importing.onnx_rules.settings import even, setting, sides
from archspec.importing.program import UnsupportedError
from archspec.importing.readings import averaged, few, largest, pooled_by_window, summed
from archspec.importing.rules import Bound, Reading, ReadNode, one_or_pair, rule


@rule("onnx.MaxPool", "onnx.AveragePool")
def pool(call: Bound) -> Reading:
    """Under a window."""
    kernel = call.get("kernel_shape")
    axes, pairs = len(kernel), sides(call, kernel)
    if not even(pairs):
        raise UnsupportedError(f"pads its sides by {', '.join(map(str, pairs))}, not both alike")
    args: dict[str, Any] = {
        "kernel_size": one_or_pair(kernel),
        "stride": one_or_pair(call.get("strides", (1,) * axes)),
        "padding": few(pairs),
        "ceil_mode": bool(call.get("ceil_mode", 0)),
    }
    if call.call.target == "onnx.MaxPool":
        args["dilation"] = one_or_pair(call.get("dilations", 1))
        return ReadNode(f"max_pool{axes}d", args, call.values("input0"))
    args["count_include_pad"] = bool(call.get("count_include_pad", 0))
    return pooled_by_window(args, call.values("input0"), call.shape("input0"))


@rule("onnx.GlobalAveragePool", "onnx.GlobalMaxPool")
def global_pool(call: Bound) -> Reading:
    """To one pixel."""
    kind = "max" if call.call.target.endswith("MaxPool") else "avg"
    return ReadNode(f"global_{kind}_pool", {"keepdim": True}, call.values("input0"))


@rule("onnx.ReduceMean", "onnx.ReduceSum", "onnx.ReduceMax")
def reduced(call: Bound) -> Reading:
    """The mean, the sum or the largest over axes."""
    word = call.call.target.removeprefix("onnx.Reduce")
    read = {"Mean": averaged, "Sum": summed, "Max": largest}[word]
    return read(call.values("input0"), call.shape("input0"), setting(call, "axes", 1), bool(call.get("keepdims", 1)))
