"""ONNX's operators → the language's: joins of results, and sums and products with numbers and arrays."""

from math import prod

from archspec.importing.program import UnsupportedError
from archspec.importing.readings import as_written, clipped, joined_results, rounded, with_number
from archspec.importing.rules import Bound, Reading, ReadNode, Same, rule

_NAMES = {"Add": "add", "Sum": "add", "Mul": "mul", "Sub": "subtract", "Div": "divide"}


@rule("onnx.Concat")
def concat(call: Bound) -> Reading:
    """One behind the other."""
    return ReadNode("concat", {"dim": int(call.get("axis", 1)) % len(call.output())}, call.values(*_inputs(call)))


@rule("onnx.Add", "onnx.Sum", "onnx.Mul", "onnx.Sub", "onnx.Div")
def join(call: Bound) -> Reading:
    """A sum, product or difference of results and learned tensors; or with a number."""
    word, inputs = call.call.target.removeprefix("onnx."), _inputs(call)
    numbers = {name: number for name in inputs if (number := call.number(name)) is not None}
    if len(numbers) == 1 and len(inputs) == 2:
        ((name, number),) = numbers.items()
        (other,) = (each for each in inputs if each != name)
        if name == "input0" and word in {"Sub", "Div"}:
            return ReadNode(f"~from_{_NAMES[word]}", {"number": as_written(number)}, call.values(other))
        return with_number(_NAMES[word], as_written(number), call.values(other))
    held = [name for name in inputs if (array := call.held(call.call.arguments[name])) is not None and array.learned]
    if word == "Add" and len(held) == 1 and len(inputs) == 2 and call.shape(held[0]) == call.output()[-1:]:
        (other,) = (each for each in inputs if each not in held)
        return ReadNode("~bias", {}, call.values(other), {"bias": call.array(held[0])})
    told = [name for name in inputs if not _is_neutral(call, name, word)]
    return joined_results(_NAMES[word], call, *told) if len(told) > 1 else Same(call.values(*told)[0])


def _is_neutral(call: Bound, name: str, word: str) -> bool:
    """Whether it is zeros that are added, or ones that are multiplied, to nothing larger."""
    wanted = {"Add": 0, "Mul": 1}.get(word)
    numbers = call.constant(name) if wanted is not None else None
    return numbers is not None and bool((numbers == wanted).all()) and numbers.size < prod(call.output())


@rule("onnx.Max", "onnx.Min")
def extreme(call: Bound) -> Reading:
    """The larger or smaller of results; of a result and a number, which is a bound."""
    inputs, word = _inputs(call), call.call.target.removeprefix("onnx.")
    numbers = {name: as_written(number) for name in inputs if (number := call.number(name)) is not None}
    if not numbers:
        return joined_results({"Max": "maximum", "Min": "minimum"}[word], call, *inputs)
    others = [name for name in inputs if name not in numbers]
    if len(others) != 1:
        raise UnsupportedError("compares several results with a number")
    bounds = (max(numbers.values()), None) if word == "Max" else (None, min(numbers.values()))
    return clipped(call.values(*others), *bounds)


@rule("onnx.Pow")
def power(call: Bound) -> Reading:
    """To the power of a number."""
    exponent = call.number("input1")
    if exponent is None:
        raise UnsupportedError("has an exponent that is no number")
    return ReadNode("power", {"exponent": rounded(exponent)}, call.values("input0"))


@rule("onnx.Neg")
def negative(call: Bound) -> Reading:
    """The sign changed: what patterns read with its neighbours."""
    return ReadNode("~neg", {}, call.values("input0"))


def _inputs(call: Bound) -> list[str]:
    names = (name for name in call.call.arguments if name.startswith("input") and name[5:].isdecimal())
    return sorted(names, key=lambda name: int(name[5:]))
