"""ONNX's operators → the language's: what hands on or rearranges elements."""

from archspec.importing.onnx_rules.settings import setting
from archspec.importing.program import UnsupportedError
from archspec.importing.readings import permuted, reshaped, sliced, split_into, spread_out
from archspec.importing.rules import Bound, Reading, ReadNode, Same, rule


@rule("onnx.Identity", "onnx.Cast", "onnx.CastLike")
def same(call: Bound) -> Reading:
    """The same numbers."""
    return Same(call.values("input0")[0])


@rule("onnx.Reshape", "onnx.Flatten", "onnx.Squeeze", "onnx.Unsqueeze")
def reshape(call: Bound) -> Reading:
    """Other axes for the same elements."""
    return reshaped(call.values("input0"), call.shape("input0"), call.output())


@rule("onnx.Expand")
def expand(call: Bound) -> Reading:
    """A learned tensor once for each input."""
    return spread_out(call, "input0")


@rule("onnx.Transpose")
def transpose(call: Bound) -> Reading:
    """The axes in another order."""
    return permuted(call.values("input0"), call.get("perm", range(len(call.output()))[::-1]))


@rule("onnx.Split")
def split(call: Bound) -> Reading:
    """Parts along an axis."""
    dim = int(call.get("axis", 0)) % len(call.output())
    parts = tuple(call.output(number)[dim] for number in range(len(call.call.outputs)))
    return split_into(parts, dim, call.values("input0"))


@rule("onnx.Slice")
def part(call: Bound) -> Reading:
    """A part of an axis, or every second element and so on."""
    shape, after = call.shape("input0"), call.output()
    starts, steps = setting(call, "starts", 1), call.get("input4", (1,))
    if shape == after:
        return Same(call.values("input0")[0])
    axes = setting(call, "axes", 3, tuple(range(len(starts))))
    cut = [n for n, axis in enumerate(axes) if shape[axis] != after[axis]]
    if len(cut) != 1:
        raise UnsupportedError("cuts several axes")
    dim, start, step = axes[cut[0]] % len(shape), starts[cut[0]], [*steps, *[1] * len(axes)][cut[0]]
    start += shape[dim] if start < 0 else 0
    if step != 1:
        return ReadNode("~every", {"dim": dim, "step": step, "start": start}, call.values("input0"))
    return sliced(call.values("input0"), dim, shape[dim], start, after[dim])
