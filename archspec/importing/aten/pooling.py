"""torch.export's functions → operators: poolings and means."""

from typing import Any

from archspec.importing.program import UnsupportedError
from archspec.importing.readings import averaged, largest, pooled_by_window, summed
from archspec.importing.rules import Bound, Reading, ReadNode, one_or_pair, rule


@rule("aten.max_pool1d.default", "aten.max_pool2d.default", "aten.max_pool3d.default")
def max_pool(call: Bound) -> Reading:
    """The largest under a window."""
    return ReadNode(call.call.target.split(".")[1], _window(call, dilation=1), call.values("self"))


@rule(*(f"aten.avg_pool{n}d.default" for n in (1, 2, 3)))
def avg_pool(call: Bound) -> Reading:
    """The mean under a window."""
    if call.get("divisor_override"):
        raise UnsupportedError("divides by a number of its own")
    args = _window(call, count_include_pad=True)
    return pooled_by_window(args, call.values("self"), call.shape("self"))


def _window(call: Bound, **more: Any) -> dict[str, Any]:
    kernel = one_or_pair(call.get("kernel_size"))
    stride = one_or_pair(call.get("stride") or kernel)
    sizes = {"kernel_size": kernel, "stride": stride, "padding": one_or_pair(call.get("padding", 0))}
    return {
        **sizes,
        "ceil_mode": call.get("ceil_mode", False),
        **{k: one_or_pair(call.get(k, v)) for k, v in more.items()},
    }


@rule(*(f"aten.adaptive_{kind}_pool{n}d.default" for kind in ("avg", "max") for n in (1, 2, 3)))
def adaptive_pool(call: Bound) -> Reading:
    """To one pixel: the global pooling."""
    kind = "max" if "max" in call.call.target else "avg"
    size = one_or_pair(call.get("output_size"))
    if size == 1:
        return ReadNode(f"global_{kind}_pool", {"keepdim": True}, call.values("self"))
    return ReadNode(call.call.target.split(".")[1], {"output_size": size}, call.values("self"))


@rule("aten.sum.dim_IntList")
def total(call: Bound) -> Reading:
    """The sum over axes."""
    return summed(call.values("self"), call.shape("self"), call.get("dim"), call.get("keepdim", False))


@rule("aten.amax.default")
def amax(call: Bound) -> Reading:
    """The largest over axes."""
    return largest(call.values("self"), call.shape("self"), call.get("dim"), call.get("keepdim", False))


@rule("aten.max.dim")
def max_along(call: Bound) -> Reading:
    """The largest along an axis; where it is, is not read."""
    return largest(call.values("self"), call.shape("self"), (call.get("dim"),), call.get("keepdim", False))


@rule("aten.mean.dim")
def mean(call: Bound) -> Reading:
    """Over height and width: the global average pooling."""
    return averaged(call.values("self"), call.shape("self"), call.get("dim"), call.get("keepdim", False))
