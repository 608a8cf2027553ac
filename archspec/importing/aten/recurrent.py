"""torch.export's functions → operators: recurrent layers, whose states begin as zeros."""

from typing import Any

from archspec.importing.program import HeldArray, UnsupportedError
from archspec.importing.rules import Bound, Reading, ReadNode, rule

GATES = {"lstm": 4, "gru": 3, "rnn": 1}
"""How many products a step has of each of its two inputs."""


@rule("aten.lstm.input", "aten.gru.input", "aten.rnn_tanh.input", "aten.rnn_relu.input")
def recurrent(call: Bound) -> Reading:
    """The sequence of states, and the last ones: patterns read what is taken of these."""
    operator = call.call.target.split(".")[1]
    _check_begin(call)
    arrays = _arrays(call)
    hidden = arrays["weight_ih_l0"].shape[0] // GATES[operator.partition("_")[0]]
    args: dict[str, Any] = {
        "hidden_size": hidden,
        "num_layers": call.get("num_layers"),
        "bias": call.get("has_biases"),
        "bidirectional": call.get("bidirectional"),
        "dropout": call.get("dropout", 0),
    }
    if operator.startswith("rnn"):
        args["nonlinearity"] = operator.removeprefix("rnn_")
        operator = "rnn"
    if "weight_hr_l0" in arrays:
        args["proj_size"] = arrays["weight_hr_l0"].shape[0]
    inputs, sequence = call.values("input"), call.call.outputs[0]
    states = {"operator": operator, "sequence": sequence, **args}
    return [ReadNode(operator, args, inputs, arrays), ReadNode("~states", states, inputs, arrays, output=1)]


def _check_begin(call: Bound) -> None:
    """The states are zeros at first, and the batch comes first."""
    if not call.get("batch_first", False):
        raise UnsupportedError("takes sequences before the batch; make it batch_first")
    begin = call.call.arguments.get("hx")
    for value in begin if isinstance(begin, tuple) else (begin,):
        held = call.held(value)
        if held is None or held.learned or held.load().any():
            raise UnsupportedError("begins with states other than zeros")


def _arrays(call: Bound) -> dict[str, HeldArray]:
    """Weights and biases by torch's names of them, in which order they are given."""
    directions = ("", "_reverse") if call.get("bidirectional") else ("",)
    kinds = ("weight_ih", "weight_hh", *(("bias_ih", "bias_hh") if call.get("has_biases") else ()))
    held = [call.held(value) for value in call.call.arguments["params"]]
    layers = int(call.get("num_layers")) * len(directions)
    if len(held) == layers * (len(kinds) + 1):
        kinds = (*kinds, "weight_hr")
    names = [
        f"{kind}_l{layer}{direction}"
        for layer in range(int(call.get("num_layers")))
        for direction in directions
        for kind in kinds
    ]
    if len(held) != len(names):
        raise UnsupportedError("has other weights than torch's layers")
    if any(array is None for array in held):
        raise UnsupportedError("has weights that are computed, not arrays of the model")
    return {name: array for name, array in zip(names, held, strict=True) if array is not None}
