"""torch.export's functions → operators: poolings and means."""

from typing import Any

from archspec.importing.program import UnsupportedError
from archspec.importing.readings import averaged, pooled_by_window
from archspec.importing.rules import Bound, Reading, ReadNode, one_or_pair, rule


@rule("aten.max_pool1d.default", "aten.max_pool2d.default", "aten.max_pool3d.default")
def max_pool(call: Bound) -> Reading:
    """The largest under a window."""
    return ReadNode(call.call.target.split(".")[1], _window(call, dilation=1), call.values("self"))


@rule("aten.avg_pool1d.default", "aten.avg_pool2d.default")
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


@rule("aten.mean.dim")
def mean(call: Bound) -> Reading:
    """Over height and width: the global average pooling."""
    return averaged(call.values("self"), call.shape("self"), call.get("dim"), call.get("keepdim", False))
