"""What ONNX's operators say by an attribute or an input, whichever their version has, and how they pad."""

from typing import Any

from archspec.importing.program import HeldArray
from archspec.importing.rules import Bound


def setting(call: Bound, name: str, number: int, default: Any = None) -> Any:
    """A setting that is an attribute, or the input of that number."""
    return call.get(name) if call.has(name) else call.get(f"input{number}", default)


def sides(call: Bound, kernel: Any) -> list[tuple[int, int]]:
    """The padding of a window: before and behind each axis."""
    word, axes = call.get("auto_pad", "NOTSET"), len(kernel)
    if word == "VALID":
        return [(0, 0)] * axes
    if word == "NOTSET":
        pads = call.get("pads", (0,) * 2 * axes)
        return [*zip(pads[:axes], pads[axes:], strict=True)]
    sizes, strides = call.shape("input0")[2:], call.get("strides", (1,) * axes)
    found = []
    for size, k, s, d in zip(sizes, kernel, strides, call.get("dilations", (1,) * axes), strict=True):
        whole = max((-(-size // s) - 1) * s + d * (k - 1) + 1 - size, 0)
        less, more = whole // 2, whole - whole // 2
        found.append((less, more) if word == "SAME_UPPER" else (more, less))
    return found


def even(pairs: list[tuple[int, int]]) -> bool:
    """Whether as much stands before as behind."""
    return all(before == behind for before, behind in pairs)


def learned(call: Bound, **names: str) -> dict[str, HeldArray]:
    """Arrays by the operator's names of them, those left out that are constants: zeros for a bias that is not there."""
    return {name: held for name, argument in names.items() if (held := _learned(call, argument)) is not None}


def _learned(call: Bound, argument: str) -> HeldArray | None:
    value = call.call.arguments.get(argument)
    if value is None:
        return None
    held = call.array(argument)
    return held if held.learned or not _is_neutral(held, argument) else None


def _is_neutral(held: HeldArray, argument: str) -> bool:
    """Whether a constant does nothing: the zeros of a bias, the ones of a scale."""
    numbers = held.load()
    return bool((numbers == 0).all() if argument == "input2" else (numbers == 1).all())
