"""ONNX's operators → the language's: normalisations, and dropout."""

from archspec.importing.onnx_rules.settings import setting
from archspec.importing.program import UnsupportedError
from archspec.importing.readings import rounded
from archspec.importing.rules import Bound, Reading, ReadNode, rule


@rule("onnx.BatchNormalization")
def batch_normalization(call: Bound) -> Reading:
    """Batch normalisation; its momentum is one less torch's."""
    if call.get("training_mode", 0):
        raise UnsupportedError("normalises by its batch; export the model in evaluation")
    arrays = call.arrays(weight="input1", bias="input2", running_mean="input3", running_var="input4")
    args = {"eps": rounded(call.get("epsilon", 1e-5)), "momentum": rounded(1 - call.get("momentum", 0.9))}
    return ReadNode("batch_norm", args, call.values("input0"), arrays)


@rule("onnx.LayerNormalization")
def layer_normalization(call: Bound) -> Reading:
    """Layer normalisation over the last axes."""
    shape = call.shape("input0")
    axis = int(call.get("axis", -1)) % len(shape)
    args = {"normalized_shape": shape[axis:], "eps": rounded(call.get("epsilon", 1e-5)), "bias": call.has("input2")}
    return ReadNode("layer_norm", args, call.values("input0"), call.arrays(weight="input1", bias="input2"))


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
