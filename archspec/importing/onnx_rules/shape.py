"""ONNX's operators → the language's: what hands on or rearranges elements."""

from archspec.importing.onnx_rules.settings import setting
from archspec.importing.program import UnsupportedError
from archspec.importing.readings import reshaped, sliced, split_into
from archspec.importing.rules import Bound, Reading, ReadNode, Same, rule


@rule("onnx.Identity", "onnx.Cast", "onnx.CastLike")
def same(call: Bound) -> Reading:
    """The same numbers."""
    return Same(call.values("input0")[0])


@rule("onnx.Reshape", "onnx.Flatten", "onnx.Squeeze", "onnx.Unsqueeze")
def reshape(call: Bound) -> Reading:
    """Other axes for the same elements."""
    return reshaped(call.values("input0"), call.shape("input0"), call.output())


@rule("onnx.Transpose")
def transpose(call: Bound) -> Reading:
    """The axes in another order."""
    rank = len(call.output())
    return ReadNode("~permute", {"order": tuple(call.get("perm", range(rank)[::-1]))}, call.values("input0"))


@rule("onnx.Split")
def split(call: Bound) -> Reading:
    """Parts along an axis."""
    dim = int(call.get("axis", 0)) % len(call.output())
    parts = tuple(call.output(number)[dim] for number in range(len(call.call.outputs)))
    return split_into(parts, dim, call.values("input0"))


@rule("onnx.Slice")
def part(call: Bound) -> Reading:
    """A part of an axis."""
    shape, after = call.shape("input0"), call.output()
    starts, steps = setting(call, "starts", 1), call.get("input4", (1,))
    if shape == after:
        return Same(call.values("input0")[0])
    axes = setting(call, "axes", 3, tuple(range(len(starts))))
    cut = [n for n, axis in enumerate(axes) if shape[axis] != after[axis]]
    if len(cut) != 1 or any(step != 1 for step in steps):
        raise UnsupportedError("cuts several axes, or takes not every element")
    dim, start = axes[cut[0]] % len(shape), starts[cut[0]]
    return sliced(call.values("input0"), dim, shape[dim], start + (shape[dim] if start < 0 else 0), after[dim])
