"""Attention and what stands around it, where it is written as arithmetic."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from archspec.importing.flat import FlatNode
from archspec.importing.functions.attention import masked
from archspec.importing.patterns.base import Seen
from archspec.importing.program import UnsupportedError
from archspec.importing.rules import rounded


def rotary(node: Seen) -> Iterator[FlatNode]:
    """x·cos + x′·sin with the angles of rotary position embedding, x′ the pairs (−b, a) of x."""
    match node:
        case Seen("add", [one, other]):
            (x, cosine), (turned, sine) = _by_constant(one), _by_constant(other)
            for interleaved, source in ((False, _halves(turned)), (True, _pairs(turned))):
                base = _base(cosine, sine, interleaved) if source is not None and source == x else None
                if base is not None:
                    yield node.made("rotary", x, base=base, interleaved=interleaved)


def dot_product(node: Seen) -> Iterator[FlatNode]:
    """softmax(q·kᵀ·scale + mask)·v of results."""
    match node:
        case Seen("matmul", [Seen("softmax", [scores]) as weights, value]) if weights.args.get("dim", 1) in {
            -1,
            len(weights.shape) - 1,
        }:
            mask: Seen | None = None
        case _:
            return
    match scores:
        case Seen("add", [scores, mask]):
            pass
    scores, whole = _without_factor(scores)
    if scores.operator != "matmul":
        return
    (query, once), (turned, twice) = map(_without_factor, scores.of)
    key, scale = _turned(turned), whole * once * twice
    if key is None or scale == 1:
        return
    args: dict[str, Any] = {} if abs(scale * turned.shape[-2] ** 0.5 - 1) < 1e-4 else {"scale": rounded(scale)}
    told, perhaps = (mask.constant, _perhaps(mask)) if mask is not None else (None, None)
    held = perhaps if told is None else told
    try:
        args |= masked(scores.shape, held) if held is not None else {}
    except UnsupportedError:
        if told is not None:
            return
        held = None
    added = [mask] if mask is not None and held is None else []
    yield node.made("scaled_dot_product_attention", query, key, value, *added, **args)


def _without_factor(value: Seen) -> tuple[Seen, float]:
    """What a value multiplies or divides by a number, and the factor; itself and 1."""
    match value:
        case Seen("~mul", [x], args={"number": number}):
            return x, number
        case Seen("~div", [x], args={"number": number}):
            return x, 1 / number
    return value, 1.0


def _turned(value: Seen) -> Seen | None:
    """The value whose last two axes change places; also with the axes before them as one meanwhile."""
    *before, width, length = value.shape or (0, 0)
    match value:
        case Seen("~permute", [x], args={"order": order}) if order == (
            *range(len(before)),
            len(before) + 1,
            len(before),
        ):
            return x
        case Seen(
            "~reshape", [Seen("~permute", [Seen("~reshape", [x]) as first], args={"order": (0, 2, 1)}) as turned]
        ):
            same = turned.shape[-2:] == (width, length) and first.args["before"] == (*before, length, width)
            return x if same else None
    return None


def of_other_axes(node: Seen) -> Iterator[FlatNode]:
    """Attention of more or fewer than four axes, which torch's function takes with those before the last two as two."""
    match node:
        case Seen("~reshape", [Seen("scaled_dot_product_attention") as found]) if len(node.shape) != 4:
            inner = [_before_merging(part, node.shape[:-2]) for part in found.of]
            inputs = tuple(each.name for each in inner if each is not None)
            if node.shape[-2:] == found.shape[-2:] and len(inputs) == len(inner):
                yield replace(found.flat, name=node.name, inputs=inputs, shape=node.shape)


def _before_merging(part: Seen, axes: tuple[int, ...]) -> Seen | None:
    """The value of these axes and two more that is reshaped to four; a mask may have been spread to them."""
    match part:
        case Seen("~reshape", [source], args={"before": before}) if before == (*axes, *part.shape[-2:]):
            spread = source.operator == "~expand" and len(source.of[0].shape) == len(axes) + 2
            return source.of[0] if spread else source
    return None


def grouped(node: Seen) -> Iterator[FlatNode]:
    """Attention whose keys and values are each spread over a group of queries."""
    match node:
        case Seen("scaled_dot_product_attention", [query, *both], shape=(_, _, _, _)):
            inner = [_before_spreading(each) for each in both[:2]]
            found = [each.name for each in inner if each is not None]
            if len(found) == len(inner) and not node.args.get("enable_gqa"):
                inputs = (query.name, *found, *node.flat.inputs[3:])
                yield replace(node.flat, args={**node.args, "enable_gqa": True}, inputs=inputs)


def _before_spreading(value: Seen) -> Seen | None:
    """What is n × heads × S × d before each of its heads stands several times side by side."""
    match value:
        case Seen("~reshape", [Seen("~expand", [Seen("~reshape", [x]) as first], shape=(n, heads, times, length, d))]):
            fits = first.shape == (n, heads, 1, length, d) and value.shape == (n, heads * times, length, d)
            return x if fits and first.args["before"] == (n, heads, length, d) else None
    return None


def _by_constant(product: Seen) -> "tuple[Seen, np.ndarray[Any, Any] | None]":
    """A product of a result and a constant, or what may be one."""
    for each in product.orders():
        match each:
            case Seen("mul", [x, factor]):
                found = factor.constant if factor.constant is not None else _perhaps(factor)
                if found is not None:
                    return x, found
    return product, None


def _perhaps(node: Seen) -> "np.ndarray[Any, Any] | None":
    """The numbers of an array that may be learned or not: angles or a mask, where a file was optimised."""
    held = node.arrays.get("weight") if node.operator == "parameter" else None
    return held.load() if held is not None and held.guessed else None


def _halves(joined: Seen) -> Seen | None:
    """The value whose second half, its sign changed, stands before its first."""
    match joined:
        case Seen("concat", [Seen("~neg", [Seen("split", [x]) as second]), Seen("split", [y]) as first]) if x == y:
            last = len(joined.shape) - 1
            halves = [(part.args["sections"], part.args["index"], part.args.get("dim", 1)) for part in (first, second)]
            return x if halves == [(2, 0, last), (2, 1, last)] else None
    return None


def _pairs(joined: Seen) -> Seen | None:
    """The value of whose neighbours the second, its sign changed, stands before the first, on an axis of their own."""
    match joined:
        case Seen("~reshape", [Seen("~stack", [Seen("~neg", [odd]), even]) as pairs]) | Seen(
            "~reshape", [Seen("concat", [Seen("~reshape", [Seen("~neg", [odd])]), Seen("~reshape", [even])]) as pairs]
        ) if pairs.args.get("dim", 1) == len(joined.shape) and odd.operator == even.operator == "~every":
            every = {"dim": len(joined.shape) - 1, "step": 2}
            alike = (odd.of, odd.args, even.args) == (even.of, {**every, "start": 1}, {**every, "start": 0})
            return even.of[0] if alike else None
    return None


def _base(
    cosine: "np.ndarray[Any, Any] | None", sine: "np.ndarray[Any, Any] | None", interleaved: bool
) -> float | None:
    """The base whose angles these are, as the shortest number that fits; None if they are no such angles."""
    if cosine is None or sine is None:
        return None
    width = cosine.shape[-1]
    cosine, sine = (each.reshape(-1, width).astype(np.float64) for each in (cosine, sine))
    length, second = cosine.shape[0], 2 if interleaved else 1
    if cosine.shape != sine.shape or width % 2:
        return None
    found = 10000.0
    if length > 1 and width > 2:
        found = float(np.arctan2(sine[1, second], cosine[1, second])) ** (-width / 2)
    for digits in (3, 4, 5, 6):
        base = float(f"{found:.{digits}g}")
        angles = np.outer(np.arange(length), base ** (-np.arange(0, width, 2) / width))
        whole = np.repeat(angles, 2, -1) if interleaved else np.concatenate((angles, angles), -1)
        if np.allclose(np.cos(whole), cosine, atol=2e-3) and np.allclose(np.sin(whole), sine, atol=2e-3):
            return int(base) if base == int(base) else base
    return None
