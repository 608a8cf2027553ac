"""What is made of learned arrays alone.

Views of them, in other sizes or with rows and columns exchanged, are the same weights. What is computed of them number
by number, such as the signs of one-bit weights, is known by what the function makes of any numbers.
"""

from collections.abc import Callable, Mapping
from math import prod
from typing import Any

import numpy as np

from archspec.importing.program import Derivation, HeldArray, Program, ProgramCall, Value, references

_RESIZED = frozenset(
    [
        *(f"aten.{name}" for name in ("view", "reshape", "flatten", "unflatten", "squeeze", "unsqueeze", "expand")),
        *(f"aten.{name}" for name in ("contiguous", "clone", "detach", "alias", "to", "lift_fresh_copy", "_to_copy")),
        *(f"onnx.{name}" for name in ("Reshape", "Flatten", "Squeeze", "Unsqueeze", "Expand", "Cast", "CastLike")),
    ]
)
MOST_ELEMENTS = 2**26
"""The largest constant that is computed; a mask of 8,192 × 8,192."""

_TURNED = frozenset({"aten.t", "aten.transpose", "aten.permute", "onnx.Transpose"})


def viewed(call: ProgramCall, program: Program) -> HeldArray | None:
    """The result of a call that shows a learned array in another form; None of other calls."""
    function = call.target.rpartition(".")[0] if call.target.startswith("aten.") else call.target
    if function not in _RESIZED | _TURNED or not call.outputs:
        return None
    names = references(tuple(call.arguments.values()))
    array, shape = program.arrays.get(names[0]) if names else None, program.shapes.get(call.outputs[0])
    if array is None or not array.learned or shape is None or prod(shape) != prod(array.shape):
        return None
    if function not in _TURNED:
        return array.reshaped(shape)
    if function == "onnx.Transpose" and list(call.arguments.get("perm", ())) == list(range(len(shape))):
        return array
    return array.transposed() if len(shape) == 2 and shape == array.shape[::-1] else None


_OF_CONSTANTS: Mapping[str, Callable[..., Any]] = {
    "onnx.Not": np.logical_not,
    "onnx.Equal": np.equal,
    "onnx.GreaterOrEqual": np.greater_equal,
    "onnx.Add": np.add,
    "onnx.Mul": np.multiply,
    **{name: lambda x, *_: x for name in _RESIZED if name.startswith("onnx.")},
}
"""What ONNX computes of constants that are too large to be folded when a file is opened; sizes are the result's."""


def unfolded(call: ProgramCall, program: Program) -> HeldArray | None:
    """The result of a call of ONNX on constants alone, computed when somebody looks; None of other calls."""
    function, shape = _OF_CONSTANTS.get(call.target), program.shapes.get(call.outputs[0]) if call.outputs else None
    held = [program.arrays.get(name) for name in references(tuple(call.arguments.values()))]
    given = [array for array in held if array is not None and not array.learned]
    if function is None or shape is None or prod(shape) > MOST_ELEMENTS or not held or len(given) < len(held):
        return None

    def load() -> "np.ndarray[Any, Any]":
        found = np.asarray(function(*(array.load() for array in given)))
        return found.reshape(shape) if found.size == prod(shape) else np.broadcast_to(found, shape)

    return HeldArray(call.outputs[0], shape, load, learned=False)


_COMPUTED: Mapping[str, Callable[..., Any]] = {
    **dict.fromkeys(("aten.clamp.default", "onnx.Clip"), lambda x, low=None, high=None: np.clip(x, low, high)),
    **dict.fromkeys(("aten.ge.Scalar", "onnx.GreaterOrEqual"), np.greater_equal),
    **dict.fromkeys(("aten.mul.Tensor", "onnx.Mul"), np.multiply),
    **dict.fromkeys(("aten.add.Tensor", "onnx.Add"), np.add),
    **dict.fromkeys(("aten.sub.Tensor", "onnx.Sub"), np.subtract),
    **dict.fromkeys(
        ("aten.to.dtype", "aten.detach.default", "onnx.Cast", "onnx.Identity"), lambda x: x.astype(np.float32)
    ),
    "onnx.Max": np.maximum,
    "onnx.Min": np.minimum,
}
"""What gives each number of a result of the numbers at its place."""

_FIRST = frozenset({"aten.clamp.default", "aten.ge.Scalar", "onnx.Clip", "onnx.GreaterOrEqual", "onnx.Max", "onnx.Min"})
"""Those of them that no operator of the language is where a learned array stands."""

_ORDER = ("self", "other", "min", "max", "input0", "input1", "input2")


def computed(call: ProgramCall, program: Program) -> HeldArray | None:
    """The result of a call that computes of one learned array alone, number by number; None of other calls."""
    found = [program.arrays.get(name) for name in references(tuple(call.arguments.values()))]
    sources = [array for array in found if array is not None and (array.made or array.learned)]
    if not sources or any(array is None for array in found):
        return None
    if all(array.made is None for array in sources) and call.target not in _FIRST:
        return None
    if call.target == "onnx.Transpose" and len(sources[0].shape) == 2 and call.arguments.get("perm") == (1, 0):
        return sources[0].transposed()
    function, roots = _COMPUTED.get(call.target), [array.made.source if array.made else array for array in sources]
    operands = [_operand(call.arguments[name], program) for name in _ORDER if call.arguments.get(name) is not None]
    if function is None or len({root.key for root in roots}) > 1 or any(each is None for each in operands):
        return None
    root = roots[0]

    def made(numbers: "np.ndarray[Any, Any]") -> "np.ndarray[Any, Any]":
        return np.asarray(function(*(each(numbers) for each in operands if each is not None)))

    return HeldArray(call.outputs[0], root.shape, lambda: made(root.load()), learned=False, made=Derivation(root, made))


def _operand(argument: Any, program: Program) -> "Callable[[np.ndarray[Any, Any]], Any] | None":
    """What an argument is of the numbers of the learned array; None of what is more than one number and not of it."""
    array = program.arrays[argument.name] if isinstance(argument, Value) else None
    if array is None:
        return lambda _: argument
    if array.made is not None:
        return array.made.function
    if array.learned:
        return lambda numbers: numbers
    held = array
    return (lambda _: held.load().reshape(())) if prod(array.shape) == 1 else None


def signs_of(array: HeldArray) -> HeldArray | None:
    """The learned array of which an array is the signs, that of 0 being +1; None of others."""
    tried = np.array([-3, -1, -0.5, -1e-6, 0, 1e-6, 0.5, 1, 3], np.float32)
    if array.made is None or not np.array_equal(array.made.function(tried), np.where(tried >= 0, 1, -1)):
        return None
    return array.made.source
