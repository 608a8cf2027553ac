"""How much a window pads before and behind each axis: torch says it in numbers, ONNX also by a word."""

from collections.abc import Sequence

from archspec.importing.rules import Bound, one_or_pair
from archspec.ops.base import per_axis


def sides(call: Bound, kernel: Sequence[int]) -> list[tuple[int, int]]:
    """The padding of a window: before and behind each axis."""
    word, axes = call.get("auto_pad", "NOTSET"), len(kernel)
    if word == "VALID" or call.get("padding") == "valid":
        return [(0, 0)] * axes
    if call.has("pads") and word == "NOTSET":
        pads = call.get("pads")
        return [*zip(pads[:axes], pads[axes:], strict=True)]
    if word == "NOTSET":
        return [(size, size) for size in per_axis(one_or_pair(call.get("padding", 0)), axes)]
    sizes, strides = call.shape("input" if call.has("input") else "self")[2:], call.get("stride", (1,) * axes)
    found = []
    for size, k, s, d in zip(sizes, kernel, per_axis(strides, axes), call.get("dilation", (1,) * axes), strict=True):
        whole = max((-(-size // s) - 1) * s + d * (k - 1) + 1 - size, 0)
        less, more = whole // 2, whole - whole // 2
        found.append((less, more) if word == "SAME_UPPER" else (more, less))
    return found


def is_even(pairs: Sequence[tuple[int, int]]) -> bool:
    """Whether as much stands before as behind."""
    return all(before == behind for before, behind in pairs)
