"""ONNX's operators → the language's: what is put around images, and their enlarging."""

from archspec.importing.onnx_rules.settings import setting
from archspec.importing.program import UnsupportedError
from archspec.importing.readings import enlarged, padded
from archspec.importing.rules import Bound, Reading, ReadNode, Same, rule


@rule("onnx.Pad")
def pad(call: Bound) -> Reading:
    """Zeros around an image."""
    pads = setting(call, "pads", 1)
    if (
        call.get("mode", "constant") != "constant"
        or setting(call, "value", 2, 0)
        or len(pads) != 8
        or any((*pads[:2], *pads[4:6]))
    ):
        raise UnsupportedError("pads by something other than zeros around height and width")
    top, left, bottom, right = [int(size) for size in (*pads[2:4], *pads[6:8])]
    if min(pads) < 0:
        raise UnsupportedError("cuts rows or columns off")
    if not any(pads):
        return Same(call.values("input0")[0])
    return ReadNode("zero_pad", {"padding": padded(top, bottom, left, right)}, call.values("input0"))


@rule("onnx.Resize", "onnx.Upsample")
def resize(call: Bound) -> Reading:
    """An enlargement by a whole factor."""
    mode = {"nearest": "nearest", "linear": "bilinear"}.get(call.get("mode", "nearest"))
    how = call.get("coordinate_transformation_mode", "half_pixel")
    fits = (
        how in {"half_pixel", "pytorch_half_pixel", "align_corners"}
        if mode == "bilinear"
        else call.call.target == "onnx.Upsample" or (how == "asymmetric" and call.get("nearest_mode") == "floor")
    )
    if mode is None or not fits:
        raise UnsupportedError(f"enlarges by {call.get('mode')} {how}")
    return enlarged(call.values("input0"), call.shape("input0"), call.output(), mode, how == "align_corners")


@rule("onnx.DepthToSpace")
def depth_to_space(call: Bound) -> Reading:
    """Channels become pixels: there is no such operator in the language yet."""
    raise UnsupportedError(f"is a pixel shuffle by {call.get('blocksize')}")
