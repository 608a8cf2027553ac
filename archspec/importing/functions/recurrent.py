"""Functions → operators: recurrent layers, whose states begin as zeros; patterns read what stands around them.

torch has one function for all layers. ONNX has a node for each, the gates of an LSTM in the order i, o, f, c and torch
in i, f, c, o; of a GRU in z, r, h and r, z, h. ONNX's sequences have time first: L × directions × n × h.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from archspec.importing.program import HeldArray, UnsupportedError
from archspec.importing.rules import Bound, Reading, ReadNode, rule

GATES = {"LSTM": (0, 2, 3, 1), "GRU": (1, 0, 2), "RNN": (0,)}
"""Where torch's gates stand among ONNX's."""

USUAL = {"LSTM": ("Sigmoid", "Tanh", "Tanh"), "GRU": ("Sigmoid", "Tanh"), "RNN": ("Tanh",)}
"""The activations of a direction that torch has."""


@rule("aten.lstm.input", "aten.gru.input", "aten.rnn_tanh.input", "aten.rnn_relu.input")
def stack_of_layers(call: Bound) -> Reading:
    """The sequence of states, and the last ones: patterns read what is taken of these."""
    operator = call.function
    _check_states(call)
    arrays = _in_order(call)
    hidden = arrays["weight_ih_l0"].shape[0] // len(GATES[operator.partition("_")[0].upper()])
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


def _check_states(call: Bound) -> None:
    """The states are zeros at first, and the batch comes first."""
    if not call.get("batch_first", False):
        raise UnsupportedError("takes sequences before the batch; make it batch_first")
    begin = call.call.arguments.get("hx")
    for value in begin if isinstance(begin, tuple) else (begin,):
        _check_zeros(call.held(value), learned=False)


def _check_zeros(held: HeldArray | None, *, learned: bool) -> None:
    if held is None or (held.learned and not learned) or held.load().any():
        raise UnsupportedError("begins with states other than zeros")


def _in_order(call: Bound) -> dict[str, HeldArray]:
    """Weights and biases by torch's names of them, in which order they are given."""
    directions = ("", "_reverse") if call.get("bidirectional") else ("",)
    kinds = ["weight_ih", "weight_hh", *(("bias_ih", "bias_hh") if call.get("has_biases") else ())]
    held = [call.held(value) for value in call.call.arguments["params"]]
    places = [f"l{layer}{direction}" for layer in range(int(call.get("num_layers"))) for direction in directions]
    if len(held) == len(places) * (len(kinds) + 1):
        kinds.append("weight_hr")
    names = [f"{kind}_{place}" for place in places for kind in kinds]
    if len(held) != len(names):
        raise UnsupportedError("has other weights than torch's layers")
    found = {name: array for name, array in zip(names, held, strict=True) if array is not None}
    if len(found) < len(held):
        raise UnsupportedError("has weights that are computed, not arrays of the model")
    return found


@rule("onnx.LSTM", "onnx.GRU", "onnx.RNN")
def layer(call: Bound) -> Reading:
    """A layer: its sequence, and its last states."""
    word = call.function
    directions = 2 if call.get("direction", "forward") == "bidirectional" else 1
    nonlinearity = _check(call, word, directions)
    arrays = _arrays(call, word, directions)
    args: dict[str, Any] = {
        "operator": word.lower(),
        "hidden_size": call.get("hidden_size"),
        "bias": "bias_ih" in arrays,
        "bidirectional": directions == 2,
        **({"nonlinearity": nonlinearity} if word == "RNN" else {}),
    }
    inputs = call.values("input")
    found = [ReadNode("~layer", args, inputs, arrays)]
    if len(call.call.outputs) > 1:
        found.append(ReadNode("~layer_states", {**args, "raw": call.call.outputs[0]}, inputs, arrays, output=1))
    return found


def _check_begin(call: Bound, begin: str) -> None:
    """States begin as zeros, whether the file calls them constants or not, as many as the layer has."""
    held, hidden = call.held(call.call.arguments[begin]), call.get("hidden_size")
    if held is not None and held.shape[-1:] != (hidden,):
        sizes = "×".join(map(str, held.shape))
        written = "torch's exporter writes a projection (proj_size) so, and nothing runs it"
        raise UnsupportedError(f"begins with states of {sizes}, not with {hidden} numbers each: {written}")
    _check_zeros(held, learned=True)


def _check(call: Bound, word: str, directions: int) -> str:
    """What torch's layers have not is refused by name; gives the activation of a plain layer."""
    if call.get("direction", "forward") == "reverse":
        raise UnsupportedError("goes through the sequence backwards alone")
    for name, usual in (("clip", None), ("input_forget", 0), ("layout", 0)):
        if call.get(name, usual) != usual:
            raise UnsupportedError(f"has {name} {call.get(name)}")
    if word == "GRU" and not call.get("linear_before_reset", 0):
        raise UnsupportedError("resets the state before its product (linear_before_reset is 0), which is another layer")
    if call.has("lengths") or call.has("peepholes"):
        raise UnsupportedError("has lengths of its sequences, or peepholes")
    for begin in ("begin_h", "begin_c"):
        if call.has(begin):
            _check_begin(call, begin)
    whole = USUAL[word] * directions
    activations = tuple(call.get("activations", whole))[: len(whole)]
    if activations != whole and not (word == "RNN" and activations == ("Relu",) * directions):
        raise UnsupportedError(f"has the activations {', '.join(activations)}")
    return str(activations[0]).lower()


def _arrays(call: Bound, word: str, directions: int) -> dict[str, HeldArray]:
    """Of each direction the weights of input and state, and both biases, with the gates in torch's order."""
    w, r, hidden = call.array("weight_ih"), call.array("weight_hh"), int(call.get("hidden_size"))
    order, found = GATES[word], dict[str, HeldArray]()
    for direction, end in enumerate(("", "_reverse")[:directions]):
        for kind, held in (("weight_ih", w), ("weight_hh", r)):
            found[kind + end] = _part(held, direction, slice(None), order, hidden)
        for bias in call.learned("bias").values():
            for number, kind in enumerate(("bias_ih", "bias_hh")):
                piece = slice(number * len(order) * hidden, (number + 1) * len(order) * hidden)
                found[kind + end] = _part(bias, direction, piece, order, hidden)
    return found


def _part(held: HeldArray, direction: int, piece: slice, order: tuple[int, ...], hidden: int) -> HeldArray:
    """A direction's array in torch's order of gates; its own key, for one of ONNX's is several of torch's."""

    def load() -> np.ndarray[Any, Any]:
        whole = held.load()[direction][piece]
        return np.concatenate([whole[gate * hidden : (gate + 1) * hidden] for gate in order])

    sizes = (len(order) * hidden, *held.shape[2:])
    return replace(held, key=f"{held.key}[{direction}, {piece.start or 0}]", shape=sizes, load=load, learned=True)
