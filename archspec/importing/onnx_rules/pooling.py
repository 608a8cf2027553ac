"""ONNX's operators → the language's: poolings and means."""

from typing import Any

from archspec.importing.onnx_rules.settings import setting, sides
from archspec.importing.program import UnsupportedError
from archspec.importing.readings import averaged, padded, pooled_by_window
from archspec.importing.rules import Bound, Reading, ReadNode, one_or_pair, rule


@rule("onnx.MaxPool", "onnx.AveragePool")
def pool(call: Bound) -> Reading:
    """Under a window."""
    kernel = call.get("kernel_shape")
    args: dict[str, Any] = {"kernel_size": one_or_pair(kernel), "stride": one_or_pair(call.get("strides", (1, 1)))}
    padding = padded(*sides(call, kernel))
    args |= {"padding": padding, "ceil_mode": bool(call.get("ceil_mode", 0))}
    if isinstance(padding, tuple) and len(padding) == 4:
        raise UnsupportedError(f"pads its sides by {padding}, not both alike")
    if call.call.target == "onnx.MaxPool":
        return ReadNode(
            "max_pool2d", {**args, "dilation": one_or_pair(call.get("dilations", 1))}, call.values("input0")
        )
    args["count_include_pad"] = bool(call.get("count_include_pad", 0))
    return pooled_by_window(args, call.values("input0"), call.shape("input0"))


@rule("onnx.GlobalAveragePool", "onnx.GlobalMaxPool")
def global_pool(call: Bound) -> Reading:
    """To one pixel."""
    kind = "max" if call.call.target.endswith("MaxPool") else "avg"
    return ReadNode(f"global_{kind}_pool", {"keepdim": True}, call.values("input0"))


@rule("onnx.ReduceMean")
def reduce_mean(call: Bound) -> Reading:
    """Over height and width: the global average pooling."""
    axes = setting(call, "axes", 1)
    return averaged(call.values("input0"), call.shape("input0"), axes, bool(call.get("keepdims", 1)))
