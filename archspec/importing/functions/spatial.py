"""Functions → operators: what is put around images, their enlarging, pixels and channels."""

from collections.abc import Sequence
from math import inf
from typing import Any

from archspec.importing.program import UnsupportedError
from archspec.importing.rules import Bound, Reading, ReadNode, few, one_or_pair, rule

_MODES = {"edge": "replicate", "wrap": "circular"}


@rule("aten.pixel_shuffle.default", "aten.pixel_unshuffle.default")
def pixel_shuffle(call: Bound) -> Reading:
    """Channels become pixels, or pixels channels."""
    factor = "upscale_factor" if call.function == "pixel_shuffle" else "downscale_factor"
    return ReadNode(call.function, {factor: call.get(factor)}, call.values("self"))


@rule("onnx.DepthToSpace")
def depth_to_space(call: Bound) -> Reading:
    """Channels become pixels, in torch's order."""
    if call.get("mode", "DCR") != "CRD":
        raise UnsupportedError("takes the channels of a pixel apart in another order than pixel_shuffle (DCR)")
    return ReadNode("pixel_shuffle", {"upscale_factor": call.get("upscale_factor")}, call.values("self"))


@rule("aten.pad.default", "aten.constant_pad_nd.default")
def pad(call: Bound) -> Reading:
    """Around the last axes, the last first; less than nothing is cut off."""
    sizes, rank = list(call.get("pad")), len(call.shape("self"))
    sides = [*zip(sizes[::2], sizes[1::2], strict=True)][::-1]
    whole = [(0, 0)] * (rank - len(sides)) + sides
    if any(map(any, whole[:2])):
        raise UnsupportedError("pads the channels, or the batch")
    return _around(call, whole[2:])


@rule("onnx.Pad")
def pad_all(call: Bound) -> Reading:
    """Around all axes, of each what stands before first; channels that are added are read with their neighbours."""
    rank, pads = len(call.shape("self")), [int(size) for size in call.get("pads")]
    if call.has("axes"):
        raise UnsupportedError("names its axes")
    sides = [*zip(pads[:rank], pads[rank:], strict=True)]
    if any(map(any, sides[:2])):
        return ReadNode("~pad_channels", {"sides": tuple(sides)}, call.values("self"))
    return _around(call, sides[2:])


def _around(call: Bound, sides: Sequence[tuple[int, int]]) -> Reading:
    """What is put around the axes behind the channels, or cut off: before and behind each."""
    inputs, mode, value = call.values("self"), call.get("mode", "constant"), call.get("value", 0)
    if not any(map(any, sides)):
        return inputs[0]
    flat = tuple(side for pair in sides for side in pair)
    if mode == "constant" and max(flat) <= 0:
        return ReadNode("crop", {"cropping": few([(-a, -b) for a, b in sides])}, inputs)
    if min(flat) < 0:
        raise UnsupportedError("puts something around, and cuts something off")
    if mode == "constant" and not value and len(sides) == 2:
        return ReadNode("zero_pad", {"padding": few(sides)}, inputs)
    more = {"value": value} if mode == "constant" else {}
    if value == -inf:
        return ReadNode("~pad", {"padding": few(sides), **more}, inputs)
    return ReadNode("pad", {"padding": few(sides), "mode": _MODES.get(mode, mode), **more}, inputs)


@rule(*(f"aten.upsample_{kind}2d.{form}" for kind in ("nearest", "bilinear", "bicubic") for form in ("vec", "default")))
def upsample(call: Bound) -> Reading:
    """By a whole factor, or to a size."""
    argument = "input" if call.has("input") else "self"
    factors, sizes = call.get("scale_factors") or (), zip(call.shape(argument)[2:], call.output()[2:], strict=True)
    if any(before * factor != after for (before, after), factor in zip(sizes, factors, strict=False)):
        raise UnsupportedError("enlarges by a factor that gives no whole number of pixels")
    mode = call.function.removeprefix("upsample_").removesuffix("2d")
    return _enlarged(call, argument, mode, call.get("align_corners", False))


@rule("onnx.Resize", "onnx.Upsample")
def resize(call: Bound) -> Reading:
    """An enlargement as one of torch's modes has it."""
    mode = {"nearest": "nearest", "linear": "bilinear", "cubic": "bicubic"}.get(call.get("mode", "nearest"))
    how = call.get("coordinate_transformation_mode", "half_pixel")
    if mode == "nearest":
        fits = call.function == "Upsample" or (how == "asymmetric" and call.get("nearest_mode") == "floor")
    else:
        fits = how in {"half_pixel", "pytorch_half_pixel", "align_corners"} and not call.get("antialias", 0)
    if mode == "bicubic" and abs(call.get("cubic_coeff_a", -0.75) + 0.75) > 1e-6:
        fits = False
    if mode is None or not fits:
        raise UnsupportedError(f"enlarges by {call.get('mode')} {how}")
    return _enlarged(call, "self", mode, how == "align_corners")


def _enlarged(call: Bound, argument: str, mode: str, corners: bool) -> Reading:
    """An enlargement by a whole factor, or a new size."""
    before, after, inputs = call.shape(argument), call.output(), call.values(argument)
    if before == after:
        return inputs[0]
    args: dict[str, Any] = {"mode": mode, "align_corners": corners} if mode != "nearest" else {"mode": mode}
    sizes = list(zip(after[2:], before[2:], strict=True))
    if mode == "bicubic" or any(big % small for big, small in sizes):
        return ReadNode("resize", {"size": one_or_pair(after[2:]), **args}, inputs)
    return ReadNode("upsample", {"scale_factor": one_or_pair([big // small for big, small in sizes]), **args}, inputs)


@rule("aten.im2col.default", "aten.col2im.default", "onnx.Col2Im")
def columns(call: Bound) -> Reading:
    """Squares side by side as columns, or columns as squares: patterns read it with the exchange of axes beside it."""
    kernel, stride = tuple(call.get("kernel_size")), tuple(call.get("stride", (1, 1)))
    around = (*call.get("padding", ()), *call.get("pads", ()))
    if kernel != stride or any(around) or set(call.get("dilation", (1,))) != {1}:
        raise UnsupportedError("takes squares that overlap, or stand apart")
    word = "~columns" if call.function == "im2col" else "~squares"
    return ReadNode(word, {"patch_size": one_or_pair(kernel)}, call.values("self"))
