"""ONNX's operators → the language's: joins of results, and sums and products with numbers and arrays."""

from math import prod

from archspec.importing.program import HeldArray, UnsupportedError, Value
from archspec.importing.readings import rounded
from archspec.importing.rules import Bound, Reading, ReadNode, rule


@rule("onnx.Concat")
def concat(call: Bound) -> Reading:
    """One behind the other."""
    names = sorted((name for name in call.call.arguments if name.startswith("input")), key=lambda name: int(name[5:]))
    return ReadNode("concat", {"dim": int(call.get("axis", 1)) % len(call.output())}, call.values(*names))


@rule("onnx.Add", "onnx.Sum", "onnx.Mul", "onnx.Sub", "onnx.Div", "onnx.Pow")
def join(call: Bound) -> Reading:
    """A sum, product or difference of results; with a number, what patterns read with its neighbours."""
    word = call.call.target.rpartition(".")[2]
    name = {"Add": "add", "Sum": "add", "Mul": "mul", "Sub": "subtract"}.get(word, word.lower())
    held = [
        key
        for key, value in call.call.arguments.items()
        if isinstance(value, Value) and value.name in call.program.arrays
    ]
    if held:
        array = call.array(held[0])
        others = call.values(*(key for key in call.call.arguments if key.startswith("input") and key not in held))
        if prod(array.shape) != 1 or (held[0] != "input1" and word not in {"Add", "Mul"}):
            return _biased(call, word, array, others)
        return ReadNode(f"~{name}", {"number": rounded(float(array.load().reshape(-1)[0]))}, others)
    if word in {"Div", "Pow"}:
        raise UnsupportedError("takes two results")
    inputs = sorted(key for key in call.call.arguments if key.startswith("input"))
    return ReadNode(name, {}, call.values(*inputs))


def _biased(call: Bound, word: str, array: HeldArray, others: tuple[str, ...]) -> ReadNode:
    """A sum with an array: the bias of the linear layer before it, which a pattern puts there."""
    if word == "Add" and len(array.shape) == 1 and array.shape == call.output()[-1:]:
        return ReadNode("~bias", {}, others, {"bias": array})
    raise UnsupportedError(f"takes an array of the model, {'×'.join(map(str, array.shape))}, as it takes a result")
