"""Functions → operators: poolings, and what makes one number of all along axes."""

from typing import Any

from archspec.importing.program import UnsupportedError
from archspec.importing.rules import Bound, Reading, ReadNode, few, is_even, one_or_pair, rule, sides
from archspec.ops.base import AXES, per_axis


@rule(*(f"aten.max_pool{n}d.default" for n in (1, 2, 3)), "onnx.MaxPool")
def max_pool(call: Bound) -> Reading:
    """The largest under a window."""
    args, axes = _window(call), _axes(call)
    args["dilation"] = one_or_pair(call.get("dilation", 1))
    return ReadNode(f"max_pool{axes}d", args, call.values("self"))


@rule(*(f"aten.avg_pool{n}d.default" for n in (1, 2, 3)), "onnx.AveragePool")
def avg_pool(call: Bound) -> Reading:
    """The mean under a window; over the whole image, the global one."""
    if call.get("divisor_override"):
        raise UnsupportedError("divides by a number of its own")
    args, axes = _window(call), _axes(call)
    if {*per_axis(one_or_pair(call.get("dilation", 1)), axes)} != {1}:
        raise UnsupportedError("takes the mean of pixels that stand apart (dilations)")
    if per_axis(args["kernel_size"], axes) == call.shape("self")[2:] and not args["padding"]:
        return ReadNode("global_avg_pool", {"keepdim": True}, call.values("self"))
    args["count_include_pad"] = args["padding"] == 0 or bool(call.get("count_include_pad", True))
    return ReadNode(f"avg_pool{axes}d", args, call.values("self"))


def _axes(call: Bound) -> int:
    """Over how many axes a pooling is: torch's name says it, and ONNX's kernel."""
    return int(call.function[-2]) if call.function.endswith("d") else len(call.get("kernel_size"))


def _window(call: Bound) -> dict[str, Any]:
    kernel = one_or_pair(call.get("kernel_size"))
    pairs = sides(call, per_axis(kernel, _axes(call)))
    if not is_even(pairs):
        raise UnsupportedError(f"pads its sides by {', '.join(map(str, pairs))}, not both alike")
    stride = one_or_pair(call.get("stride") or kernel)
    padding, ceil = few(pairs), bool(call.get("ceil_mode", False))
    return {"kernel_size": kernel, "stride": stride, "padding": padding, "ceil_mode": ceil}


@rule(*(f"aten.adaptive_{kind}_pool{n}d.default" for kind in ("avg", "max") for n in (1, 2, 3)))
def adaptive_pool(call: Bound) -> Reading:
    """To one pixel: the global pooling."""
    size = one_or_pair(call.get("output_size"))
    return _global_pool(call) if size == 1 else ReadNode(call.function, {"output_size": size}, call.values("self"))


@rule("onnx.GlobalAveragePool", "onnx.GlobalMaxPool")
def _global_pool(call: Bound) -> ReadNode:
    kind = "max" if "max" in call.function.lower() else "avg"
    return ReadNode(f"global_{kind}_pool", {"keepdim": True}, call.values("self"))


@rule(
    *("aten.mean.dim", "aten.sum.dim_IntList", "aten.amax.default", "aten.max.dim"),
    *("onnx.ReduceMean", "onnx.ReduceSum", "onnx.ReduceMax"),
)
def reduced(call: Bound) -> Reading:
    """The mean, the sum or the largest over axes; where it is, is not read. Over an image: the global pooling."""
    operator = {"mean": "mean", "sum": "sum", "max": "amax", "amax": "amax"}[
        call.function.removeprefix("Reduce").lower()
    ]
    shape, axes = call.shape("self"), call.get("dim")
    given = (axes,) if isinstance(axes, int) else axes or range(len(shape))
    over = tuple(sorted(int(axis) % len(shape) for axis in given))
    if 0 in over:
        raise UnsupportedError("is over the batch, too")
    keepdim = bool(call.get("keepdim", False))
    if over == (*range(2, len(shape)),):
        if operator == "mean" and len(over) == 2:
            return ReadNode("global_avg_pool", {"keepdim": keepdim}, call.values("self"))
        if operator == "amax" and len(over) in AXES:
            return ReadNode("global_max_pool", {"keepdim": keepdim}, call.values("self"))
    return ReadNode(operator, {"dim": over, "keepdim": keepdim}, call.values("self"))
