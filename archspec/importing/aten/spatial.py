"""torch.export's functions → operators: what is put around images, and their enlarging."""

from archspec.importing.program import UnsupportedError
from archspec.importing.readings import enlarged, padded
from archspec.importing.rules import Bound, Reading, ReadNode, Same, rule


@rule("aten.pixel_shuffle.default", "aten.pixel_unshuffle.default")
def pixel_shuffle(call: Bound) -> Reading:
    """Channels become pixels, or pixels channels."""
    name = call.call.target.split(".")[1]
    factor = "upscale_factor" if name == "pixel_shuffle" else "downscale_factor"
    return ReadNode(name, {factor: call.get(factor)}, call.values("self"))


@rule("aten.pad.default", "aten.constant_pad_nd.default")
def pad(call: Bound) -> Reading:
    """Zeros around an image."""
    sizes = list(call.get("pad"))
    if call.get("mode", "constant") != "constant" or call.get("value") or len(sizes) > 4 or min(sizes) < 0:
        raise UnsupportedError("pads by something other than zeros around height and width")
    left, right, top, bottom = [*sizes, 0, 0][:4]
    if not any(sizes):
        return Same(call.values("self")[0])
    if len(call.shape("self")) == 3 and len(sizes) == 2:
        return ReadNode("pad", {"padding": (left, right)}, call.values("self"))
    return ReadNode("zero_pad", {"padding": padded(top, bottom, left, right)}, call.values("self"))


@rule(
    "aten.upsample_nearest2d.vec",
    "aten.upsample_bilinear2d.vec",
    "aten.upsample_nearest2d.default",
    "aten.upsample_bilinear2d.default",
)
def upsample(call: Bound) -> Reading:
    """By a whole factor."""
    mode = "bilinear" if "bilinear" in call.call.target else "nearest"
    return enlarged(
        call.values("input", "self"),
        call.shape("input" if call.has("input") else "self"),
        call.output(),
        mode,
        call.get("align_corners", False),
    )
