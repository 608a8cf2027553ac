"""ONNX's operators in torch's words, so that one rule reads both: what their inputs and attributes are called.

What older versions say by an attribute and newer ones by an input has one name.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from archspec.importing.program import Value
from archspec.importing.rules import as_written, rounded

_LAYER = ("input", "weight", "bias")
_STATES = ("input", "weight_ih", "weight_hh", "bias", "lengths", "begin_h", "begin_c", "peepholes")
_INPUTS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("Conv", "ConvTranspose", "Gemm"), _LAYER),
    **{f"{kind}Normalization": _LAYER for kind in ("Layer", "RMS", "Instance", "Group")},
    "BatchNormalization": (*_LAYER, "running_mean", "running_var"),
    "LRN": ("input",),
    "Dropout": ("input", "p"),
    "PRelu": ("self", "weight"),
    "Clip": ("self", "min", "max"),
    "Pow": ("self", "exponent"),
    **{f"Reduce{kind}": ("self", "dim") for kind in ("Mean", "Sum", "Max")},
    **dict.fromkeys(("LSTM", "GRU", "RNN"), _STATES),
    "Gather": ("weight", "indices"),
    "GatherND": ("self", "indices"),
    "Slice": ("self", "start", "end", "dim", "step"),
    "Pad": ("self", "pads", "value", "axes"),
    "Col2Im": ("self", "output_size", "kernel_size"),
    "Where": ("condition", "self", "other"),
    **dict.fromkeys(("QuantizeLinear", "DequantizeLinear"), ("self", "scale", "zero_point")),
}
"""The inputs of operators in order; those of others are `self`, `other`, `input2` and so on."""

_ATTRIBUTES = {
    "epsilon": "eps",
    "training_mode": "training",
    "strides": "stride",
    "dilations": "dilation",
    "kernel_shape": "kernel_size",
    "group": "groups",
    "keepdims": "keepdim",
    "axis": "dim",
    "axes": "dim",
    "perm": "dims",
    "starts": "start",
    "ratio": "p",
    "blocksize": "upscale_factor",
}
_OF_ONE = {("LeakyRelu", "alpha"): "negative_slope", ("LRN", "bias"): "k"}
"""Attributes that other operators have with another meaning."""

_UNSAID: Mapping[str, Mapping[str, Any]] = {kind: {"stride": 1} for kind in ("MaxPool", "AveragePool")}
"""What torch has another default for, and onnx's own tables of operators have none."""


def in_torchs_words(kind: str, inputs: Sequence[str | None], attributes: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a call.

    Args:
        kind: The operator.
        inputs: The values that it takes; None where one is left out.
        attributes: By ONNX's names.

    >>> in_torchs_words("LeakyRelu", ["x"], {"alpha": 0.10000000149011612})
    {'self': Value(name='x'), 'negative_slope': 0.1}
    """
    if kind == "Concat":
        return {"tensors": tuple(Value(name) for name in inputs if name is not None), "dim": attributes.get("axis", 1)}
    words = _INPUTS.get(kind, ("self", "other"))
    names = (*words, *(f"input{number}" for number in range(len(words), len(inputs))))
    found: dict[str, Any] = {word: Value(name) for word, name in zip(names, inputs, strict=False) if name is not None}
    found.update(_UNSAID.get(kind, {}))
    for name, value in attributes.items():
        word = _OF_ONE.get((kind, name), _ATTRIBUTES.get(name, name))
        found[word] = tuple(value) if isinstance(value, (list, tuple)) else as_written(value)
    if isinstance(found.get("momentum"), float):
        found["momentum"] = rounded(1 - found["momentum"])  # what stays of the old statistics; torch's is what comes in
    return found
