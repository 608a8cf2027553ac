"""Functions → operators: normalisations, and dropout."""

from archspec.importing.program import HeldArray, UnsupportedError
from archspec.importing.rules import Bound, Reading, ReadNode, enter_plain, rule


@rule("aten.batch_norm.default", "onnx.BatchNormalization")
def batch_norm(call: Bound) -> Reading:
    """Batch normalisation by its running statistics."""
    tracks, arrays = call.has("running_mean"), _scale_and_shift(call)
    if tracks and call.get("training", False):
        raise UnsupportedError("normalises by its batch; put the model into evaluation")
    args = {"eps": call.get("eps", 1e-5), "momentum": call.get("momentum", 0.1), "affine": bool(arrays)}
    args["track_running_stats"] = tracks
    return ReadNode("batch_norm", args, call.values("input"), {**arrays, **call.arrays("running_mean", "running_var")})


def _scale_and_shift(call: Bound) -> dict[str, HeldArray]:
    """Both arrays, unless both do nothing."""
    return call.arrays("weight", "bias") if call.learned("weight", "bias") else {}


def _last_axes(call: Bound) -> tuple[int, ...]:
    """The sizes over which a layer normalises; ONNX says the first of their axes."""
    shape = call.shape("input")
    return tuple(call.get("normalized_shape", shape[int(call.get("dim", -1)) % len(shape) :]))


@rule("aten.layer_norm.default", "onnx.LayerNormalization")
def layer_norm(call: Bound) -> Reading:
    """Layer normalisation over the last axes."""
    over, arrays = _last_axes(call), call.learned("weight", "bias")
    args = {
        "normalized_shape": None if len(over) == 1 and len(call.shape("input")) < 4 else over,
        "eps": call.get("eps", 1e-5),
        "elementwise_affine": bool(arrays),
        "bias": "bias" in arrays or not arrays,
    }
    return ReadNode("layer_norm", args, call.values("input"), arrays)


@rule("aten.rms_norm.default", "onnx.RMSNormalization")
def rms_norm(call: Bound) -> Reading:
    """Over the last axis."""
    if len(_last_axes(call)) != 1 or not call.get("eps"):
        raise UnsupportedError("is over several axes, or has an eps that depends on the type of the numbers")
    arrays = call.learned("weight")
    return ReadNode(
        "rms_norm", {"eps": call.get("eps"), "elementwise_affine": bool(arrays)}, call.values("input"), arrays
    )


@rule("aten.group_norm.default", "onnx.GroupNormalization")
def group_norm(call: Bound) -> Reading:
    """Over groups of channels; ONNX's scale is one a channel since opset 21."""
    arrays = _scale_and_shift(call)
    if arrays and arrays["weight"].shape[0] != call.shape("input")[1]:
        raise UnsupportedError("has a scale for each group, not for each channel")
    args = {"num_groups": call.get("num_groups"), "eps": call.get("eps", 1e-5), "affine": bool(arrays)}
    return ReadNode("group_norm", args, call.values("input"), arrays)


@rule("aten.instance_norm.default", "onnx.InstanceNormalization")
def instance_norm(call: Bound) -> Reading:
    """Over each channel by itself."""
    if call.has("running_mean") and not call.get("use_input_stats", True):
        raise UnsupportedError("normalises by running statistics; batch_norm does")
    arrays = _scale_and_shift(call)
    return ReadNode(
        "instance_norm", {"eps": call.get("eps", 1e-5), "affine": bool(arrays)}, call.values("input"), arrays
    )


enter_plain(
    "local_response_norm", "aten.local_response_norm.default", "onnx.LRN", size=None, alpha=1e-4, beta=0.75, k=1
)
enter_plain(
    "dropout", *(f"aten.{name}.default" for name in ("dropout", "dropout_", "feature_dropout")), "onnx.Dropout", p=0.5
)
