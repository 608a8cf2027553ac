"""torch.export's functions → operators: normalisations, and dropout."""

from archspec.importing.program import UnsupportedError
from archspec.importing.rules import Bound, Reading, ReadNode, rule


@rule("aten.batch_norm.default")
def batch_norm(call: Bound) -> Reading:
    """Batch normalisation by its running statistics."""
    tracks = call.has("running_mean")
    if tracks and call.get("training", False):
        raise UnsupportedError("normalises by its batch; put the model into evaluation")
    names = {"weight": "weight", "bias": "bias", "running_mean": "running_mean", "running_var": "running_var"}
    args = {"eps": call.get("eps", 1e-5), "momentum": call.get("momentum", 0.1), "affine": call.has("weight")}
    args["track_running_stats"] = tracks
    return ReadNode("batch_norm", args, call.values("input"), call.arrays(**names))


@rule("aten.layer_norm.default")
def layer_norm(call: Bound) -> Reading:
    """Layer normalisation over the last axes."""
    over = tuple(call.get("normalized_shape"))
    last = len(over) == 1 and len(call.shape("input")) < 4
    args = {
        "normalized_shape": None if last else over,
        "eps": call.get("eps", 1e-5),
        "elementwise_affine": call.has("weight"),
        "bias": call.has("bias") or not call.has("weight"),
    }
    return ReadNode("layer_norm", args, call.values("input"), call.arrays(weight="weight", bias="bias"))


@rule("aten.group_norm.default")
def group_norm(call: Bound) -> Reading:
    """Over groups of channels."""
    args = {"num_groups": call.get("num_groups"), "eps": call.get("eps", 1e-5), "affine": call.has("weight")}
    return ReadNode("group_norm", args, call.values("input"), call.arrays(weight="weight", bias="bias"))


@rule("aten.instance_norm.default")
def instance_norm(call: Bound) -> Reading:
    """Over each channel by itself."""
    if call.has("running_mean") and not call.get("use_input_stats", True):
        raise UnsupportedError("normalises by running statistics; batch_norm does")
    args = {"eps": call.get("eps", 1e-5), "affine": call.has("weight")}
    return ReadNode("instance_norm", args, call.values("input"), call.arrays(weight="weight", bias="bias"))


@rule("aten.rms_norm.default")
def rms_norm(call: Bound) -> Reading:
    """Over the last axis."""
    if len(call.get("normalized_shape")) != 1 or not call.get("eps"):
        raise UnsupportedError("is over several axes, or has an eps that depends on the type of the numbers")
    args = {"eps": call.get("eps"), "elementwise_affine": call.has("weight")}
    return ReadNode("rms_norm", args, call.values("input"), call.arrays(weight="weight"))


@rule("aten.local_response_norm.default")
def local_response_norm(call: Bound) -> Reading:
    """By neighbouring channels."""
    args = {
        "size": call.get("size"),
        "alpha": call.get("alpha", 1e-4),
        "beta": call.get("beta", 0.75),
        "k": call.get("k", 1),
    }
    return ReadNode("local_response_norm", args, call.values("input"))


@rule("aten.dropout.default", "aten.dropout_.default", "aten.feature_dropout.default")
def dropout(call: Bound) -> Reading:
    """Nothing, when evaluating."""
    return ReadNode("dropout", {"p": call.get("p", 0.5)}, call.values("input", "self"))
