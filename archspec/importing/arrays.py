"""Views of learned arrays: other sizes, or rows and columns exchanged, are the same weights."""

from math import prod

from archspec.importing.program import HeldArray, Program, ProgramCall, references

_RESIZED = frozenset(
    [
        *(f"aten.{name}" for name in ("view", "reshape", "flatten", "unflatten", "squeeze", "unsqueeze", "expand")),
        *(f"aten.{name}" for name in ("contiguous", "clone", "detach", "alias", "to", "lift_fresh_copy", "_to_copy")),
        *(f"onnx.{name}" for name in ("Reshape", "Flatten", "Squeeze", "Unsqueeze", "Expand", "Cast", "CastLike")),
    ]
)
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
    if function in _TURNED:
        return array.transposed() if len(shape) == 2 and shape == array.shape[::-1] else None
    return array.reshaped(shape)
