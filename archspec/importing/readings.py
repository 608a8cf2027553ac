"""What exporters' functions mean in the language, where several of them mean the same."""

from collections.abc import Sequence
from math import inf, prod
from typing import TYPE_CHECKING, Any

from archspec.importing.program import HeldArray, UnsupportedError
from archspec.importing.rules import Bound, Reading, ReadNode, Same, one_or_pair
from archspec.ops.base import AXES, MAX_NUMBER

if TYPE_CHECKING:
    import numpy as np


def pooled_by_window(args: dict[str, Any], inputs: tuple[str, ...], shape: tuple[int, ...]) -> ReadNode:
    """An average pooling; over the whole image, the global one."""
    kernel, axes = args["kernel_size"], len(shape) - 2
    if (kernel if isinstance(kernel, tuple) else (kernel,) * axes) == shape[2:] and not args["padding"]:
        return ReadNode("global_avg_pool", {"keepdim": True}, inputs)
    if args["padding"] == 0:
        args = {**args, "count_include_pad": True}
    return ReadNode(f"avg_pool{axes}d", args, inputs)


def clipped(inputs: tuple[str, ...], low: Any, high: Any) -> Reading:
    """What holds numbers between two bounds; a bound that no number of a network reaches is none."""
    bounds = {"min": low, "max": high}
    told = {name: at for name, at in bounds.items() if at is not None and abs(at) <= MAX_NUMBER}
    if not told:
        return Same(inputs[0])
    if told in ({"min": 0}, {"min": 0, "max": 6}):
        return ReadNode("relu6" if "max" in told else "relu", {}, inputs)
    if len(told) == 2 and high < low:
        raise UnsupportedError(f"holds numbers between {low} and {high}, which is less")
    return ReadNode("clamp", told, inputs)


def averaged(inputs: tuple[str, ...], shape: tuple[int, ...], axes: Any, keepdim: bool) -> ReadNode:
    """A mean over axes, which is the global average pooling where these are height and width."""
    over = _axes(shape, axes)
    if len(shape) == 4 and over == (2, 3):
        return ReadNode("global_avg_pool", {"keepdim": bool(keepdim)}, inputs)
    return ReadNode("mean", {"dim": over, "keepdim": bool(keepdim)}, inputs)


def summed(inputs: tuple[str, ...], shape: tuple[int, ...], axes: Any, keepdim: bool) -> ReadNode:
    """A sum over axes."""
    return ReadNode("sum", {"dim": _axes(shape, axes), "keepdim": bool(keepdim)}, inputs)


def largest(inputs: tuple[str, ...], shape: tuple[int, ...], axes: Any, keepdim: bool) -> ReadNode:
    """The largest over axes, which is the global pooling where these are all behind the channels."""
    over = _axes(shape, axes)
    if len(over) in AXES and over == (*range(2, len(shape)),):
        return ReadNode("global_max_pool", {"keepdim": bool(keepdim)}, inputs)
    return ReadNode("amax", {"dim": over, "keepdim": bool(keepdim)}, inputs)


def _axes(shape: tuple[int, ...], axes: Any) -> tuple[int, ...]:
    """The axes of a reduction from the front, in order; all, if none is given."""
    over = tuple(sorted(int(axis) % len(shape) for axis in axes or range(len(shape))))
    if 0 in over:
        raise UnsupportedError("is over the batch, too")
    return over


def reshaped(inputs: tuple[str, ...], before: tuple[int, ...], after: tuple[int, ...]) -> Reading:
    """What a reshaping is: nothing, a flattening, or a `reshape` that patterns read with its neighbours."""
    if before == after:
        return Same(inputs[0])
    if after == (before[0], prod(before[1:])):
        return ReadNode("flatten", {}, inputs)
    return ReadNode("~reshape", {"shape": after, "before": before}, inputs)


def permuted(inputs: tuple[str, ...], order: Sequence[int]) -> Reading:
    """Axes in another order; nothing, if it is the same."""
    if list(order) == sorted(order):
        return Same(inputs[0])
    return ReadNode("~permute", {"order": tuple(order)}, inputs)


def split_into(parts: tuple[int, ...], dim: int, inputs: tuple[str, ...]) -> list[ReadNode]:
    """The parts of an axis; those of one size are said by their number."""
    sections: Any = len(parts) if len(set(parts)) == 1 else parts
    return [
        ReadNode("split", {"sections": sections, "index": i, "dim": dim}, inputs, output=i) for i in range(len(parts))
    ]


def sliced(inputs: tuple[str, ...], dim: int, size: int, start: int, length: int) -> ReadNode:
    """A part of an axis: one of the sections that it leaves, or a piece between two others."""
    if dim == 0:
        raise UnsupportedError("takes a part of the batch")
    if size % length == 0 and start % length == 0:
        return ReadNode("split", {"sections": size // length, "index": start // length, "dim": dim}, inputs)
    if start and start + length < size:
        return ReadNode("narrow", {"start": start, "length": length, "dim": dim}, inputs)
    sections = (start, length) if start else (length, size - length)
    return ReadNode("split", {"sections": sections, "index": 1 if start else 0, "dim": dim}, inputs)


def joined_results(operator: str, call: Bound, *names: str) -> ReadNode:
    """A join of results and arrays, of which one may have axes of size 1."""
    alike = len({_with_batch(call, name) for name in names}) == 1
    args = {} if alike or operator not in {"add", "subtract", "maximum", "minimum"} else {"broadcast": True}
    return ReadNode(operator, args, call.values(*names))


def _with_batch(call: Bound, name: str) -> tuple[int, ...]:
    """The sizes of an argument; an array is there once for each input."""
    shape = call.shape(name)
    is_array = call.held(call.call.arguments[name]) is not None
    return (call.output()[0], *shape[1:]) if is_array and len(shape) == len(call.output()) and shape[0] == 1 else shape


def with_number(operator: str, number: float, inputs: tuple[str, ...]) -> Reading:
    """A sum, difference, product or quotient with a number: what patterns read with its neighbours."""
    if number == (0 if operator in {"add", "subtract"} else 1):
        return Same(inputs[0])
    if not abs(number) <= MAX_NUMBER or (operator == "divide" and not number):
        raise UnsupportedError(f"computes with {number}")
    return ReadNode({"subtract": "~sub", "divide": "~div"}.get(operator, f"~{operator}"), {"number": number}, inputs)


def spread_out(call: Bound, argument: str) -> Reading:
    """A learned tensor once for each input; a result whose sizes stay as they are."""
    held, sizes = call.held(call.call.arguments[argument]), call.output()
    if held is not None:
        if sizes[0] != call.program.shapes[call.program.inputs[0]][0] or prod(sizes[1:]) != prod(held.shape):
            raise UnsupportedError("spreads an array by more than the batch")
        arrays = {"weight": held.reshaped(sizes[1:])}
        return ReadNode("parameter", {"shape": sizes[1:]}, call.program.inputs[:1], arrays)
    if sizes != call.shape(argument):
        return ReadNode("~expand", {}, call.values(argument))
    return Same(call.values(argument)[0])


def one_bit(word: str, args: dict[str, Any], inputs: tuple[str, ...], weight: HeldArray) -> ReadNode:
    """A layer by the signs of its weights: what patterns read with the factors behind it.

    Args:
        word: What it is by weights that are real.
        args: Its settings.
        inputs: What it takes.
        weight: Of whose numbers there are the signs.
    """
    if word not in {"conv2d", "linear"} or args["bias"]:
        raise UnsupportedError("has one-bit weights, and is no conv2d or linear layer without bias")
    told = {name: value for name, value in args.items() if name != "bias"}
    return ReadNode(f"~binary_{word}", told, inputs, {"weight": weight})


def padded(top: int, bottom: int, left: int, right: int) -> Any:
    """A padding in as few numbers as say it.

    >>> padded(1, 1, 1, 1), padded(0, 0, 3, 3), padded(0, 1, 0, 1)
    (1, (0, 3), (0, 1, 0, 1))
    """
    if (top, left) == (bottom, right):
        return top if top == left else (top, left)
    return top, bottom, left, right


def enlarged(
    inputs: tuple[str, ...], before: tuple[int, ...], after: tuple[int, ...], mode: str, corners: bool
) -> Reading:
    """An enlargement by a whole factor, or a new size."""
    if before == after:
        return Same(inputs[0])
    args: dict[str, Any] = {"mode": mode, "align_corners": corners} if mode != "nearest" else {"mode": mode}
    sizes = list(zip(after[2:], before[2:], strict=True))
    if mode == "bicubic" or any(big % small for big, small in sizes):
        return ReadNode("resize", {"size": one_or_pair(after[2:]), **args}, inputs)
    return ReadNode("upsample", {"scale_factor": one_or_pair([big // small for big, small in sizes]), **args}, inputs)


def padded_around(inputs: tuple[str, ...], sides: Sequence[tuple[int, int]], mode: str, value: float) -> Reading:
    """What is put around the axes behind the channels, or cut off: before and behind each."""
    if not any(map(any, sides)):
        return Same(inputs[0])
    flat = [side for pair in sides for side in pair]
    if mode == "constant" and max(flat) <= 0:
        return ReadNode("crop", {"cropping": few([(-a, -b) for a, b in sides])}, inputs)
    if min(flat) < 0:
        raise UnsupportedError("puts something around, and cuts something off")
    if mode == "constant" and not value and len(sides) == 2:
        (top, bottom), (left, right) = sides
        return ReadNode("zero_pad", {"padding": padded(top, bottom, left, right)}, inputs)
    more = {"value": value} if mode == "constant" else {}
    if value == -inf:
        return ReadNode("~pad", {"padding": few(sides), **more}, inputs)
    return ReadNode("pad", {"padding": few(sides), "mode": mode, **more}, inputs)


def few(sides: Sequence[tuple[int, int]]) -> Any:
    """What stands before and behind each axis, in as few numbers as say it.

    >>> few([(1, 1), (1, 1)]), few([(2, 2), (1, 1)]), few([(8, 0)])
    (1, (2, 1), (8, 0))
    """
    if all(a == b for a, b in sides):
        return one_or_pair([a for a, _ in sides])
    return tuple(side for pair in sides for side in pair)


def rows_at(call: Bound, table: HeldArray, places: "np.ndarray[Any, Any]") -> ReadNode:
    """Rows of a learned table at constant places, which patterns read with what stands behind it."""
    if len(table.shape) != 2 or not table.learned:
        raise UnsupportedError("looks up in what is no learned table")
    return ReadNode("~rows", {"places": places}, call.program.inputs[:1], {"weight": table})


def masked(scores: tuple[int, ...], mask: "np.ndarray[Any, Any]") -> dict[str, Any]:
    """What a constant mask of attention is: causal, or causal with a window.

    Raises:
        UnsupportedError: It is neither.
    """
    import numpy as np

    seen = mask if mask.dtype == bool else (mask > -1e4)
    if mask.dtype != bool and not (mask[seen] == 0).all():
        raise UnsupportedError("takes a mask of its own")
    length, keys = scores[-2:]
    seen = np.broadcast_to(seen, (*seen.shape[:-2], length, keys)).reshape(-1, length, keys)
    behind = np.arange(length)[:, None] - np.arange(keys)
    window = int(seen[0, -1].sum())
    if (seen == (behind >= 0)).all():
        return {"is_causal": True}
    if (seen == ((behind >= 0) & (behind < window))).all():
        return {"is_causal": True, "window": window}
    raise UnsupportedError("takes a mask of its own")


def rounded(number: float) -> float:
    """The shortest decimal near a number that was stored with 24 bits.

    >>> rounded(9.999999747378752e-06), rounded(1 - 0.8999999761581421)
    (1e-05, 0.1)
    """
    return float(f"{number:.6g}")


def as_written(number: float) -> float:
    """The shortest decimal that is stored with 24 bits as this number is; a number of more bits as it stands.

    >>> as_written(0.003921568859368563), as_written(0.10000000149011612), as_written(0.1), as_written(3.0)
    (0.003921569, 0.1, 0.1, 3.0)
    """
    import numpy as np

    with np.errstate(over="ignore"):
        stored = np.float32(number)
    return float(str(stored)) if float(stored) == number else number
