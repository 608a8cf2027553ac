"""Functions → operators: what hands on or rearranges elements."""

from collections.abc import Sequence
from math import prod
from typing import Any

from archspec.importing.program import UnsupportedError
from archspec.importing.rules import Bound, Reading, ReadNode, enter_plain, rule


@rule(
    *(f"aten.{name}.default" for name in ("contiguous", "clone", "alias", "detach", "lift_fresh_copy", "_to_copy")),
    *(f"aten.to.{form}" for form in ("dtype", "dtype_layout", "device")),
    *("aten.expand_as.default", "onnx.Identity", "onnx.Cast", "onnx.CastLike", "onnx.DequantizeLinear"),
)
def same(call: Bound) -> Reading:
    """The same numbers, elsewhere in memory, in another type, or spread over axes as joins do by themselves."""
    return call.values("self")[0]


@rule("aten.expand.default", "onnx.Expand")
def expand(call: Bound) -> Reading:
    """A learned tensor once for each input; a result whose sizes stay as they are."""
    held, sizes = call.held(call.call.arguments["self"]), call.output()
    if held is not None:
        if sizes[0] != call.program.shapes[call.program.inputs[0]][0] or prod(sizes[1:]) != prod(held.shape):
            raise UnsupportedError("spreads an array by more than the batch")
        arrays = {"weight": held.reshaped(sizes[1:])}
        return ReadNode("parameter", {"shape": sizes[1:]}, call.program.inputs[:1], arrays)
    return call.values("self")[0] if sizes == call.shape("self") else ReadNode("~expand", {}, call.values("self"))


@rule(
    *(f"aten.{name}.default" for name in ("view", "reshape", "squeeze", "unsqueeze")),
    *("aten.flatten.using_ints", "aten.unflatten.int", "aten.squeeze.dim", "aten.squeeze.dims"),
    *("onnx.Reshape", "onnx.Flatten", "onnx.Squeeze", "onnx.Unsqueeze"),
)
def reshape(call: Bound) -> Reading:
    """Other axes for the same elements: nothing, a flattening, or what patterns read with its neighbours."""
    before, after = call.shape("self"), call.output()
    if before == after:
        return call.values("self")[0]
    if after == (before[0], prod(before[1:])):
        return ReadNode("flatten", {}, call.values("self"))
    return ReadNode("~reshape", {"shape": after, "before": before}, call.values("self"))


@rule("aten.permute.default", "onnx.Transpose")
def permute(call: Bound) -> Reading:
    """The axes in another order; in ONNX, if it says none, from behind."""
    rank = len(call.output())
    return _permuted(call, [dim % rank for dim in call.get("dims", range(rank)[::-1])])


@rule("aten.transpose.int")
def transpose(call: Bound) -> Reading:
    """Two axes change places."""
    order = list(range(len(call.output())))
    a, b = call.axis("dim0"), call.axis("dim1")
    order[a], order[b] = b, a
    return _permuted(call, order)


@rule("aten.movedim.int")
def movedim(call: Bound) -> Reading:
    """An axis stands elsewhere."""
    order = list(range(len(call.output())))
    order.insert(call.axis("destination"), order.pop(call.axis("source")))
    return _permuted(call, order)


def _permuted(call: Bound, order: Sequence[int]) -> Reading:
    if list(order) == sorted(order):
        return call.values("self")[0]
    return ReadNode("~permute", {"order": tuple(order)}, call.values("self"))


@rule("aten.select.int")
def select(call: Bound) -> Reading:
    """One place of an axis."""
    return place_of(call, "self", int(call.get("dim")), int(call.get("index")))


@rule("aten.unbind.int")
def unbind(call: Bound) -> Reading:
    """The places of an axis, one by one."""
    return [place_of(call, "self", int(call.get("dim", 0)), index, index) for index in range(len(call.call.outputs))]


def place_of(call: Bound, argument: str, dim: int, index: int, output: int = 0) -> ReadNode:
    """What stands at one place of an axis; one that is the batch's is read with its neighbours."""
    dim %= len(call.shape(argument))
    return ReadNode("select" if dim else "~select", {"dim": dim, "index": index}, call.values(argument), output=output)


@rule("aten.roll.default")
def roll(call: Bound) -> Reading:
    """Axes moved round."""
    dims = tuple(dim % len(call.output()) for dim in call.get("dims", ()))
    if not dims or 0 in dims:
        raise UnsupportedError("rolls the batch, or all axes as one")
    return ReadNode("roll", {"shifts": tuple(call.get("shifts")), "dims": dims}, call.values("self"))


enter_plain("channel_shuffle", "aten.channel_shuffle.default", "aten.native_channel_shuffle.default", groups=None)


@rule(
    *("aten.chunk.default", "aten.split_with_sizes.default", "aten.split.Tensor", "aten.split.sizes", "onnx.Split"),
)
def split(call: Bound) -> Reading:
    """Parts along an axis, a node each; those of one size are said by their number."""
    dim, count = call.axis("dim"), len(call.call.outputs)
    parts = tuple(call.output(number)[dim] for number in range(count))
    sections: Any = count if len(set(parts)) == 1 else parts
    return [
        ReadNode("split", {"sections": sections, "index": i, "dim": dim}, call.values("self"), output=i)
        for i in range(count)
    ]


@rule("aten.slice.Tensor", "aten.narrow.default", "onnx.Slice")
def part(call: Bound) -> Reading:
    """A part of an axis: one of the sections that it leaves, a piece between two others, or every second element.

    ONNX names several axes, of which one is cut.
    """
    before, after, inputs = call.shape("self"), call.output(), call.values("self")
    starts, steps = _each(call.get("start") or 0), _each(call.get("step", 1))
    if min(steps, default=1) < 1:
        raise UnsupportedError("goes along an axis backwards")
    if before == after:
        return inputs[0]
    axes = [axis % len(before) for axis in _each(call.get("dim", [*range(len(starts))]))]
    cut = [n for n, axis in enumerate(axes) if before[axis] != after[axis]]
    if len(cut) != 1:
        raise UnsupportedError("cuts several axes")
    dim, start, step = axes[cut[0]], starts[cut[0]], [*steps, *[1] * len(axes)][cut[0]]
    size, length = before[dim], after[dim]
    start += size if start < 0 else 0
    if step != 1:
        return ReadNode("~every", {"dim": dim, "step": step, "start": start}, inputs)
    if dim == 0:
        raise UnsupportedError("takes a part of the batch")
    if size % length == 0 and start % length == 0:
        return ReadNode("split", {"sections": size // length, "index": start // length, "dim": dim}, inputs)
    if start and start + length < size:
        return ReadNode("narrow", {"start": start, "length": length, "dim": dim}, inputs)
    sections = (start, length) if start else (length, size - length)
    return ReadNode("split", {"sections": sections, "index": 1 if start else 0, "dim": dim}, inputs)


def _each(said: Any) -> Sequence[int]:
    return said if isinstance(said, (list, tuple)) else [said]
