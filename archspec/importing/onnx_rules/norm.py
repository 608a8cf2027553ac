"""ONNX's operators → the language's: normalisations, and dropout."""

from archspec.importing.onnx_rules.settings import learned, setting
from archspec.importing.program import UnsupportedError
from archspec.importing.readings import as_written, rounded
from archspec.importing.rules import Bound, Reading, ReadNode, rule


@rule("onnx.BatchNormalization")
def batch_normalization(call: Bound) -> Reading:
    """Batch normalisation; its momentum is one less torch's."""
    if call.get("training_mode", 0):
        raise UnsupportedError("normalises by its batch; export the model in evaluation")
    arrays = learned(call, weight="input1", bias="input2")
    statistics = call.arrays(running_mean="input3", running_var="input4")
    args = {"eps": rounded(call.get("epsilon", 1e-5)), "momentum": rounded(1 - as_written(call.get("momentum", 0.9)))}
    args["affine"] = bool(arrays)
    return ReadNode("batch_norm", args, call.values("input0"), {**arrays, **statistics})


@rule("onnx.LayerNormalization")
def layer_normalization(call: Bound) -> Reading:
    """Layer normalisation over the last axes."""
    shape, arrays = call.shape("input0"), learned(call, weight="input1", bias="input2")
    over = shape[int(call.get("axis", -1)) % len(shape) :]
    args = {
        "normalized_shape": None if len(over) == 1 and len(shape) < 4 else over,
        "eps": rounded(call.get("epsilon", 1e-5)),
        "elementwise_affine": bool(arrays),
        "bias": "bias" in arrays or not arrays,
    }
    return ReadNode("layer_norm", args, call.values("input0"), arrays)


@rule("onnx.RMSNormalization")
def rms_normalization(call: Bound) -> Reading:
    """Over the last axis."""
    shape, arrays = call.shape("input0"), learned(call, weight="input1")
    if int(call.get("axis", -1)) % len(shape) != len(shape) - 1:
        raise UnsupportedError("is over several axes")
    args = {"eps": rounded(call.get("epsilon", 1e-5)), "elementwise_affine": bool(arrays)}
    return ReadNode("rms_norm", args, call.values("input0"), arrays)


@rule("onnx.InstanceNormalization")
def instance_normalization(call: Bound) -> Reading:
    """Over each channel by itself."""
    arrays = learned(call, weight="input1", bias="input2")
    args = {"eps": rounded(call.get("epsilon", 1e-5)), "affine": bool(arrays)}
    return ReadNode("instance_norm", args, call.values("input0"), arrays)


@rule("onnx.GroupNormalization")
def group_normalization(call: Bound) -> Reading:
    """Over groups of channels; its scale is one a channel since opset 21."""
    arrays = learned(call, weight="input1", bias="input2")
    if arrays and arrays["weight"].shape[0] != call.shape("input0")[1]:
        raise UnsupportedError("has a scale for each group, not for each channel")
    args = {"num_groups": call.get("num_groups"), "eps": rounded(call.get("epsilon", 1e-5)), "affine": bool(arrays)}
    return ReadNode("group_norm", args, call.values("input0"), arrays)


@rule("onnx.LRN")
def lrn(call: Bound) -> Reading:
    """By neighbouring channels."""
    args = {
        "size": call.get("size"),
        "alpha": rounded(call.get("alpha", 1e-4)),
        "beta": rounded(call.get("beta", 0.75)),
        "k": rounded(call.get("bias", 1.0)),
    }
    return ReadNode("local_response_norm", args, call.values("input0"))


@rule("onnx.Dropout")
def dropout(call: Bound) -> Reading:
    """Nothing, when evaluating."""
    return ReadNode("dropout", {"p": rounded(float(setting(call, "ratio", 1, 0.5)))}, call.values("input0"))
