"""What is made of learned arrays alone.

Views of them, in other sizes or with rows and columns exchanged, are the same weights. What is computed of them number
by number, such as the signs of one-bit weights, is known by what the function makes of any numbers.
"""

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from archspec.importing.constants import EVALUATORS, torchs_name
from archspec.importing.program import Derivation, HeldArray, Program, ProgramCall, Value, references

_RESIZED = frozenset(
    [
        *("view", "reshape", "flatten", "unflatten", "squeeze", "unsqueeze", "expand"),
        *("contiguous", "clone", "detach", "alias", "to", "lift_fresh_copy", "_to_copy"),
    ]
)
_TURNED = frozenset({"t", "transpose", "permute"})

_NUMBER_BY_NUMBER = frozenset({"clamp", "ge", "mul", "add", "sub", "to", "detach", "maximum", "minimum"})
"""Functions that give each number of a result of the numbers at its place."""

_FIRST = frozenset({"clamp", "ge", "maximum", "minimum"})
"""Those of them that no operator of the language is where a learned array stands."""


def viewed(call: ProgramCall, program: Program) -> HeldArray | None:
    """The result of a call that shows a learned array in another form; None of other calls."""
    name, names = torchs_name(call), references(tuple(call.arguments.values()))
    array, shape = program.arrays.get(names[0]) if names else None, program.shapes.get(call.outputs[0])
    if array is None or not array.learned or shape is None or prod(shape) != prod(array.shape):
        return None
    if name in _RESIZED or (name == "permute" and list(call.arguments.get("dims", ())) == list(range(len(shape)))):
        return array.reshaped(shape)
    return array.transposed() if name in _TURNED and len(shape) == 2 and shape == array.shape[::-1] else None


def dequantised(call: ProgramCall, program: Program) -> HeldArray | None:
    """An array that a file holds in few bits, as the numbers that it stands for; None of other calls.

    These are (q − zero point) · scale, with one of each for all or along an axis.
    """
    if call.target != "onnx.DequantizeLinear":
        return None
    given = {name: call.arguments[name].name for name in ("self", "scale", "zero_point") if name in call.arguments}
    if not {"self", "scale"} <= given.keys() or any(name not in program.arrays for name in given.values()):
        return None
    held, *rest = (program.arrays[name] for name in given.values())

    def along(array: HeldArray) -> np.ndarray[Any, Any]:
        numbers, sizes = array.load().astype(np.float32), [1] * len(held.shape)
        if numbers.size > 1:
            sizes[call.arguments["dim"]] = numbers.size
        return numbers.reshape(sizes)

    def load() -> np.ndarray[Any, Any]:
        scale, *zero = map(along, rest)
        return np.asarray((held.load().astype(np.float32) - sum(zero)) * scale)

    return HeldArray(held.key.removesuffix("_quantized"), held.shape, load)


def computed(call: ProgramCall, program: Program) -> HeldArray | None:
    """The result of a call that computes of one learned array alone, number by number; None of other calls."""
    found = [program.arrays.get(name) for name in references(tuple(call.arguments.values()))]
    sources = [array for array in found if array is not None and (array.made or array.learned)]
    name = torchs_name(call)
    if not sources or any(array is None for array in found):
        return None
    if all(array.made is None for array in sources) and name not in _FIRST:
        return None
    if name == "permute" and len(sources[0].shape) == 2 and call.arguments.get("dims") == (1, 0):
        return sources[0].transposed()
    roots = [array.made.source if array.made else array for array in sources]
    operands = {key: _operand(value, program) for key, value in call.arguments.items()}
    if name not in _NUMBER_BY_NUMBER or len({root.key for root in roots}) > 1 or None in operands.values():
        return None
    root, evaluate = roots[0], EVALUATORS[name]

    def made(numbers: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        given = {key: each(numbers) for key, each in operands.items() if each is not None}
        return np.asarray(evaluate(given, numbers.shape), np.float32)

    return HeldArray(call.outputs[0], root.shape, lambda: made(root.load()), learned=False, made=Derivation(root, made))


def _operand(argument: Any, program: Program) -> Callable[[np.ndarray[Any, Any]], Any] | None:
    """What an argument is of the numbers of the learned array; None of what is more than one number and not of it."""
    array = program.arrays[argument.name] if isinstance(argument, Value) else None
    if array is None:
        return lambda _: argument
    if array.made is not None:
        return array.made.function
    if array.learned:
        return lambda numbers: numbers
    return (lambda _: array.load().reshape(())) if prod(array.shape) == 1 else None


def signs_of(array: HeldArray) -> HeldArray | None:
    """The learned array of which an array is the signs, that of 0 being +1; None of others."""
    tried = np.array([-3, -1, -0.5, -1e-6, 0, 1e-6, 0.5, 1, 3], np.float32)
    if array.made is None or not np.array_equal(array.made.function(tried), np.where(tried >= 0, 1, -1)):
        return None
    return array.made.source
