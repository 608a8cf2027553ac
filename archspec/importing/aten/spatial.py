"""torch.export's functions → operators: what is put around images, and their enlarging."""

from archspec.importing.program import UnsupportedError
from archspec.importing.readings import enlarged, padded_around
from archspec.importing.rules import Bound, Reading, ReadNode, one_or_pair, rule


@rule("aten.pixel_shuffle.default", "aten.pixel_unshuffle.default")
def pixel_shuffle(call: Bound) -> Reading:
    """Channels become pixels, or pixels channels."""
    name = call.call.target.split(".")[1]
    factor = "upscale_factor" if name == "pixel_shuffle" else "downscale_factor"
    return ReadNode(name, {factor: call.get(factor)}, call.values("self"))


@rule("aten.pad.default", "aten.constant_pad_nd.default")
def pad(call: Bound) -> Reading:
    """Around the last axes, the last first; less than nothing is cut off."""
    sizes, rank = list(call.get("pad")), len(call.shape("self"))
    sides = [*zip(sizes[::2], sizes[1::2], strict=True)][::-1]
    whole = [(0, 0)] * (rank - len(sides)) + sides
    if any(map(any, whole[:2])):
        raise UnsupportedError("pads the channels, or the batch")
    return padded_around(call.values("self"), whole[2:], call.get("mode", "constant"), call.get("value", 0))


@rule(*(f"aten.upsample_{kind}2d.{form}" for kind in ("nearest", "bilinear", "bicubic") for form in ("vec", "default")))
def upsample(call: Bound) -> Reading:
    """By a whole factor, or to a size."""
    mode = call.call.target.removeprefix("aten.upsample_").partition("2d")[0]
    before, after = call.shape("input" if call.has("input") else "self"), call.output()
    factors = call.get("scale_factors") or ()
    if any(size * factor != whole for size, factor, whole in zip(before[2:], factors, after[2:], strict=False)):
        raise UnsupportedError("enlarges by a factor that gives no whole number of pixels")
    return enlarged(call.values("input", "self"), before, after, mode, call.get("align_corners", False))


@rule("aten.im2col.default", "aten.col2im.default")
def columns(call: Bound) -> Reading:
    """Squares side by side as columns, or columns as squares: patterns read it with the exchange of axes beside it."""
    kernel, stride = tuple(call.get("kernel_size")), tuple(call.get("stride"))
    if kernel != stride or any(call.get("padding")) or set(call.get("dilation")) != {1}:
        raise UnsupportedError("takes squares that overlap, or stand apart")
    word = "~columns" if "im2col" in call.call.target else "~squares"
    return ReadNode(word, {"patch_size": one_or_pair(kernel)}, call.values("self"))
