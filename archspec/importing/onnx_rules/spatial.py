"""ONNX's operators → the language's: what is put around images, their enlarging, pixels and channels."""

from archspec.importing.onnx_rules.settings import setting
from archspec.importing.program import UnsupportedError
from archspec.importing.readings import enlarged, padded_around
from archspec.importing.rules import Bound, Reading, ReadNode, one_or_pair, rule

_MODES = {"constant": "constant", "reflect": "reflect", "edge": "replicate", "wrap": "circular"}


@rule("onnx.Pad")
def pad(call: Bound) -> Reading:
    """Around the axes behind the channels; less than nothing is cut off."""
    rank, pads = len(call.shape("input0")), [int(size) for size in setting(call, "pads", 1)]
    if call.has("input3"):
        raise UnsupportedError("names its axes")
    sides = [*zip(pads[:rank], pads[rank:], strict=True)]
    if any(map(any, sides[:2])):
        return ReadNode("~pad_channels", {"sides": tuple(sides)}, call.values("input0"))
    mode = _MODES[call.get("mode", "constant")]
    return padded_around(call.values("input0"), sides[2:], mode, float(setting(call, "value", 2, 0)))


@rule("onnx.Resize", "onnx.Upsample")
def resize(call: Bound) -> Reading:
    """An enlargement by a whole factor, or a new size."""
    mode = {"nearest": "nearest", "linear": "bilinear", "cubic": "bicubic"}.get(call.get("mode", "nearest"))
    how = call.get("coordinate_transformation_mode", "half_pixel")
    if mode == "nearest":
        fits = call.call.target == "onnx.Upsample" or (how == "asymmetric" and call.get("nearest_mode") == "floor")
    else:
        fits = how in {"half_pixel", "pytorch_half_pixel", "align_corners"} and not call.get("antialias", 0)
    if mode == "bicubic" and abs(call.get("cubic_coeff_a", -0.75) + 0.75) > 1e-6:
        fits = False
    if mode is None or not fits:
        raise UnsupportedError(f"enlarges by {call.get('mode')} {how}")
    return enlarged(call.values("input0"), call.shape("input0"), call.output(), mode, how == "align_corners")


@rule("onnx.DepthToSpace")
def depth_to_space(call: Bound) -> Reading:
    """Channels become pixels, in torch's order."""
    if call.get("mode", "DCR") != "CRD":
        raise UnsupportedError("takes the channels of a pixel apart in another order than pixel_shuffle (DCR)")
    return ReadNode("pixel_shuffle", {"upscale_factor": call.get("blocksize")}, call.values("input0"))


@rule("onnx.Col2Im")
def columns(call: Bound) -> Reading:
    """Columns as squares side by side."""
    kernel, stride = tuple(call.get("input2")), tuple(call.get("strides", (1, 1)))
    if kernel != stride or any(call.get("pads", ())) or set(call.get("dilations", (1,))) != {1}:
        raise UnsupportedError("puts squares that overlap, or stand apart")
    return ReadNode("~squares", {"patch_size": one_or_pair(kernel)}, call.values("input0"))
