"""ONNX's operators → the language's: what operators say by an attribute or an input, whichever their version has."""

from typing import Any

from archspec.importing.rules import Bound


def setting(call: Bound, name: str, number: int, default: Any = None) -> Any:
    """A setting that is an attribute, or the input of that number."""
    return call.get(name) if call.has(name) else call.get(f"input{number}", default)


def sides(call: Bound, kernel: Any) -> tuple[int, int, int, int]:
    """The padding of a window as top, bottom, left, right."""
    word = call.get("auto_pad", "NOTSET")
    if word == "VALID":
        return 0, 0, 0, 0
    if word == "NOTSET":
        top, left, bottom, right = call.get("pads", (0, 0, 0, 0))
        return top, bottom, left, right
    (h, w), strides = call.shape("input0")[2:], call.get("strides", (1, 1))
    found: list[int] = []
    for size, k, s, d in zip((h, w), kernel, strides, call.get("dilations", (1, 1)), strict=True):
        whole = max((-(-size // s) - 1) * s + d * (k - 1) + 1 - size, 0)
        less, more = whole // 2, whole - whole // 2
        found += [less, more] if word == "SAME_UPPER" else [more, less]
    top, bottom, left, right = found
    return top, bottom, left, right
