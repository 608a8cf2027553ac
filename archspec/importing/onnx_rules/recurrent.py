"""ONNX's operators → the language's: recurrent layers, one node each; patterns read what stands around them.

ONNX has the gates of an LSTM in the order i, o, f, c and torch in i, f, c, o; of a GRU in z, r, h and r, z, h. ONNX's
sequences have time first: L × directions × n × h.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from archspec.importing.program import HeldArray, UnsupportedError
from archspec.importing.rules import Bound, Reading, ReadNode, rule

if TYPE_CHECKING:
    from collections.abc import Callable

GATES = {"LSTM": (0, 2, 3, 1), "GRU": (1, 0, 2), "RNN": (0,)}
"""Where torch's gates stand among ONNX's."""

USUAL = {"LSTM": ("Sigmoid", "Tanh", "Tanh"), "GRU": ("Sigmoid", "Tanh"), "RNN": ("Tanh",)}
"""The activations of a direction that torch has."""


@rule("onnx.LSTM", "onnx.GRU", "onnx.RNN")
def recurrent(call: Bound) -> Reading:
    """A layer: its sequence, and its last states."""
    word = call.call.target.removeprefix("onnx.")
    directions = 2 if call.get("direction", "forward") == "bidirectional" else 1
    nonlinearity = _check(call, word, directions)
    arrays = dict(_arrays(call, word, directions))
    args: dict[str, Any] = {
        "operator": word.lower(),
        "hidden_size": call.get("hidden_size"),
        "bias": "bias_ih" in arrays,
        "bidirectional": directions == 2,
        **({"nonlinearity": nonlinearity} if word == "RNN" else {}),
    }
    inputs = call.values("input0")
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
    if held is None or held.load().any():
        raise UnsupportedError("begins with states other than zeros")


def _check(call: Bound, word: str, directions: int) -> str:
    """What torch's layers have not is refused by name; gives the activation of a plain layer."""
    if call.get("direction", "forward") == "reverse":
        raise UnsupportedError("goes through the sequence backwards alone")
    for name, usual in (("clip", None), ("input_forget", 0), ("layout", 0)):
        if call.get(name, usual) != usual:
            raise UnsupportedError(f"has {name} {call.get(name)}")
    if word == "GRU" and not call.get("linear_before_reset", 0):
        raise UnsupportedError("resets the state before its product (linear_before_reset is 0), which is another layer")
    if call.has("input4") or call.has("input7"):
        raise UnsupportedError("has lengths of its sequences, or peepholes")
    for begin in ("input5", "input6"):
        if call.has(begin):
            _check_begin(call, begin)
    activations = tuple(call.get("activations", USUAL[word] * directions))
    if activations not in {USUAL[word] * directions, ("Relu",) * directions} or (
        "Relu" in activations and word != "RNN"
    ):
        raise UnsupportedError(f"has the activations {', '.join(activations)}")
    return str(activations[0]).lower()


def _arrays(call: Bound, word: str, directions: int) -> "list[tuple[str, HeldArray]]":
    """Of each direction the weights of input and state, and both biases, with the gates in torch's order."""
    w, r, hidden = call.array("input1"), call.array("input2"), int(call.get("hidden_size"))
    order, found = GATES[word], []
    for direction, end in enumerate(("", "_reverse")[:directions]):
        for kind, held in (("weight_ih", w), ("weight_hh", r)):
            found.append((kind + end, _part(held, direction, slice(None), order, hidden)))
        if call.has("input3") and not _zero(call):
            bias, whole = call.array("input3"), len(order) * hidden
            for number, kind in enumerate(("bias_ih", "bias_hh")):
                piece = slice(number * whole, (number + 1) * whole)
                found.append((kind + end, _part(bias, direction, piece, order, hidden)))
    return found


def _zero(call: Bound) -> bool:
    bias = call.constant("input3")
    return bias is not None and not bias.any()


def _part(held: HeldArray, direction: int, piece: slice, order: tuple[int, ...], hidden: int) -> HeldArray:
    """A direction's array in torch's order of gates; its own key, for one of ONNX's is several of torch's."""

    def load() -> "np.ndarray[Any, Any]":
        whole = held.load()[direction][piece]
        return np.concatenate([whole[gate * hidden : (gate + 1) * hidden] for gate in order])

    loader: Callable[[], np.ndarray[Any, Any]] = load
    sizes = (len(order) * hidden, *held.shape[2:])
    return replace(held, key=f"{held.key}[{direction}, {piece.start or 0}]", shape=sizes, load=loader, learned=True)
