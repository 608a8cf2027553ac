"""What exporters' functions mean in the language, where several of them mean the same."""

from math import prod
from typing import Any

from archspec.importing.program import HeldArray, UnsupportedError
from archspec.importing.rules import Bound, Reading, ReadNode, Same, one_or_pair


def pooled_by_window(args: dict[str, Any], inputs: tuple[str, ...], shape: tuple[int, ...]) -> ReadNode:
    """An average pooling; over the whole image, the global one."""
    kernel, axes = args["kernel_size"], len(shape) - 2
    if (kernel if isinstance(kernel, tuple) else (kernel,) * axes) == shape[2:] and not args["padding"]:
        return ReadNode("global_avg_pool", {"keepdim": True}, inputs)
    if args["padding"] == 0:
        args = {**args, "count_include_pad": True}
    return ReadNode(f"avg_pool{axes}d", args, inputs)


def clipped(inputs: tuple[str, ...], low: Any, high: Any) -> ReadNode:
    """What holds numbers between two bounds."""
    if low == 0 and high in {6, None}:
        return ReadNode("relu6" if high == 6 else "relu", {}, inputs)
    raise UnsupportedError(f"holds numbers between {low} and {high}; relu6 between 0 and 6")


def averaged(inputs: tuple[str, ...], shape: tuple[int, ...], axes: Any, keepdim: bool) -> ReadNode:
    """A mean over axes, which is the global average pooling where these are height and width."""
    over = sorted(axis % len(shape) for axis in axes or range(len(shape)))
    if len(shape) == 4 and over == [2, 3]:
        return ReadNode("global_avg_pool", {"keepdim": bool(keepdim)}, inputs)
    if 0 in over:
        raise UnsupportedError("is a mean over the batch")
    return ReadNode("mean", {"dim": tuple(over), "keepdim": bool(keepdim)}, inputs)


def reshaped(inputs: tuple[str, ...], before: tuple[int, ...], after: tuple[int, ...]) -> Reading:
    """What a reshaping is: nothing, a flattening, or a `reshape` that patterns read with its neighbours."""
    if before == after:
        return Same(inputs[0])
    if after == (before[0], prod(before[1:])):
        return ReadNode("flatten", {}, inputs)
    return ReadNode("~reshape", {"shape": after}, inputs)


def split_into(parts: tuple[int, ...], dim: int, inputs: tuple[str, ...]) -> list[ReadNode]:
    """The parts of an axis; those of one size are said by their number."""
    sections: Any = len(parts) if len(set(parts)) == 1 else parts
    return [
        ReadNode("split", {"sections": sections, "index": i, "dim": dim}, inputs, output=i) for i in range(len(parts))
    ]


def sliced(inputs: tuple[str, ...], dim: int, size: int, start: int, length: int) -> ReadNode:
    """A part of an axis as one of the sections that it leaves."""
    sections = [part for part in (start, length, size - start - length) if part]
    if dim == 0:
        raise UnsupportedError("takes a part of the batch")
    index = 1 if start else 0
    equal: Any = len(sections) if len(set(sections)) == 1 else tuple(sections)
    if size % length == 0 and start % length == 0:
        equal, index = size // length, start // length
    return ReadNode("split", {"sections": equal, "index": index, "dim": dim}, inputs)


def joined_results(operator: str, call: Bound, *names: str) -> ReadNode:
    """A join of results, of which one may have axes of size 1."""
    alike = len({call.shape(name) for name in names}) == 1
    args = {} if alike or operator not in {"add", "subtract"} else {"broadcast": True}
    return ReadNode(operator, args, call.values(*names))


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
    """An enlargement, whose factors must be whole."""
    if before == after:
        return Same(inputs[0])
    factors = [big / small for big, small in zip(after[2:], before[2:], strict=True)]
    if any(factor != int(factor) for factor in factors):
        raise UnsupportedError(f"enlarges {before[2]}×{before[3]} to {after[2]}×{after[3]}, by no whole factor")
    args = {"scale_factor": one_or_pair([int(factor) for factor in factors]), "mode": mode, "align_corners": corners}
    return ReadNode("upsample", args, inputs)


def rounded(number: float) -> float:
    """The shortest decimal near a number that was stored with 24 bits.

    >>> rounded(9.999999747378752e-06), rounded(1 - 0.8999999761581421)
    (1e-05, 0.1)
    """
    return float(f"{number:.6g}")


def transposed(weight: HeldArray) -> HeldArray:
    """An in × out array as torch's out × in."""
    return HeldArray(weight.key, weight.shape[::-1], lambda: weight.load().T)
