"""Attention and what stands around it, where it is written as arithmetic."""

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from archspec.importing.flat import FlatNode
from archspec.importing.functions.attention import masked
from archspec.importing.patterns.base import Nodes, before, constant, made_of
from archspec.importing.program import UnsupportedError
from archspec.importing.rules import rounded


def rotary(node: FlatNode, nodes: Nodes) -> FlatNode | None:
    """x·cos + x′·sin with the angles of rotary position embedding, x′ the pairs (−b, a) of x."""
    if node.operator != "add" or len(node.inputs) != 2:
        return None
    for one, other in (node.inputs, node.inputs[::-1]):
        (x, cosine), (turned, sine) = (_scaled(nodes.get(name), nodes) for name in (one, other))
        if cosine is None or sine is None:
            continue
        for interleaved, source in ((False, _halves(turned, nodes)), (True, _pairs(turned, nodes))):
            base = _base(cosine, sine, interleaved) if source == x else None
            if base is not None:
                args: dict[str, Any] = {} if base == 10000 else {"base": base}
                return made_of(node, "rotary", (x,), **args, **({"interleaved": True} if interleaved else {}))
    return None


def dot_product(node: FlatNode, nodes: Nodes) -> FlatNode | None:
    """softmax(q·kᵀ·scale + mask)·v of results."""
    weights = before(node, nodes, "softmax") if node.operator == "matmul" else None
    if weights is None or weights.args.get("dim", 1) not in {-1, len(weights.shape) - 1}:
        return None
    last, mask = nodes.get(weights.inputs[0]), ""
    if last is not None and last.operator == "add" and len(last.inputs) == 2:
        mask = last.inputs[1]
        last = nodes.get(last.inputs[0])
    scores, whole = _factor(last, nodes)
    if scores is None or scores.operator != "matmul":
        return None
    (query, once), (key, twice) = (_without_factor(name, nodes) for name in scores.inputs)
    found, scale = _turned(key, nodes), whole * once * twice
    if found is None or scale == 1:
        return None
    query_shape = (*scores.shape[:-1], found.shape[1])
    args: dict[str, Any] = {} if abs(scale * query_shape[-1] ** 0.5 - 1) < 1e-4 else {"scale": rounded(scale)}
    inputs: tuple[str, ...] = (query, found.name, node.inputs[1])
    told, known = constant(mask, nodes), _perhaps(nodes.get(mask))
    held = known if told is None else told
    try:
        args |= masked(scores.shape, held) if held is not None else {}
    except UnsupportedError:
        if told is not None:
            return None
        held = None
    if mask and held is None:
        inputs = (*inputs, mask)
    return made_of(node, "scaled_dot_product_attention", inputs, **args)


def of_other_axes(node: FlatNode, nodes: Nodes) -> FlatNode | None:
    """Attention of more or fewer than four axes, which torch's function takes with those before the last two as two."""
    found = before(node, nodes, "scaled_dot_product_attention") if node.operator == "~reshape" else None
    if found is None or len(node.shape) == 4 or node.shape[-2:] != found.shape[-2:]:
        return None
    inner = [_before_merging(name, node.shape[:-2], nodes) for name in found.inputs]
    if any(name is None for name in inner):
        return None
    return replace(found, name=node.name, inputs=tuple(map(str, inner)), shape=node.shape)


def _before_merging(name: str, axes: tuple[int, ...], nodes: Nodes) -> str | None:
    """The value of these axes and two more that is reshaped to four; a mask may have been spread to them."""
    part = nodes.get(name)
    if part is None or part.operator != "~reshape" or part.args["before"] != (*axes, *part.shape[-2:]):
        return None
    source = nodes.get(part.inputs[0])
    spread = source is not None and source.operator == "~expand" and len(nodes[source.inputs[0]].shape) == len(axes) + 2
    return source.inputs[0] if source is not None and spread else part.inputs[0]


def grouped(node: FlatNode, nodes: Nodes) -> FlatNode | None:
    """Attention whose keys and values are each spread over a group of queries."""
    if node.operator != "scaled_dot_product_attention" or len(node.shape) != 4 or node.args.get("enable_gqa"):
        return None
    query, *both = node.inputs[:3]
    inner = [_before_spreading(name, nodes) for name in both]
    if any(name is None for name in inner):
        return None
    inputs = (query, *(str(name) for name in inner), *node.inputs[3:])
    return replace(node, args={**node.args, "enable_gqa": True}, inputs=inputs)


def _before_spreading(name: str, nodes: Nodes) -> str | None:
    """What is n × heads × S × d before each of its heads stands several times side by side."""
    node = nodes.get(name)
    spread = before(node, nodes, "~expand") if node is not None and node.operator == "~reshape" else None
    first = before(spread, nodes, "~reshape") if spread is not None else None
    if node is None or spread is None or first is None or len(spread.shape) != 5:
        return None
    n, heads, times, length, width = spread.shape
    fits = first.shape == (n, heads, 1, length, width) and node.shape == (n, heads * times, length, width)
    return first.inputs[0] if fits and first.args["before"] == (n, heads, length, width) else None


def _factor(node: FlatNode | None, nodes: Nodes) -> tuple[FlatNode | None, float]:
    """What a node multiplies or divides by a number, and the factor; the node itself and 1."""
    if node is not None and node.operator in {"~mul", "~div"}:
        number = node.args["number"]
        return nodes.get(node.inputs[0]), number if node.operator == "~mul" else 1 / number
    return node, 1.0


def _without_factor(name: str, nodes: Nodes) -> tuple[str, float]:
    node = nodes.get(name)
    if node is not None and node.operator in {"~mul", "~div"}:
        number = node.args["number"]
        return node.inputs[0], number if node.operator == "~mul" else 1 / number
    return name, 1.0


class _Key(NamedTuple):
    """Keys: their name, and the length and the width of them."""

    name: str
    shape: tuple[int, int]


def _turned(name: str, nodes: Nodes) -> _Key | None:
    """The value whose last two axes change places; also with the axes before them as one meanwhile."""
    node = nodes.get(name)
    if node is None:
        return None
    rank = len(node.shape)
    swapped = (*range(rank - 2), rank - 1, rank - 2)
    if node.operator == "~permute" and node.args["order"] == swapped:
        return _Key(node.inputs[0], (node.shape[-1], node.shape[-2]))
    turned = before(node, nodes, "~permute") if node.operator == "~reshape" else None
    first = before(turned, nodes, "~reshape") if turned is not None and turned.args["order"] == (0, 2, 1) else None
    if first is None or turned is None or turned.shape[-2:] != node.shape[-2:]:
        return None
    whole = first.args["before"]
    fits = whole == (*node.shape[:-2], node.shape[-1], node.shape[-2])
    return _Key(first.inputs[0], whole[-2:]) if fits else None


def _scaled(node: FlatNode | None, nodes: Nodes) -> "tuple[str, np.ndarray[Any, Any] | None]":
    """A product of a result and a constant, or what may be one."""
    if node is None or node.operator != "mul" or len(node.inputs) != 2:
        return "", None
    for x, factor in (node.inputs, node.inputs[::-1]):
        if (found := constant(factor, nodes)) is not None or (found := _perhaps(nodes.get(factor))) is not None:
            return x, found
    return "", None


def _perhaps(node: FlatNode | None) -> "np.ndarray[Any, Any] | None":
    """The numbers of an array that may be learned or not: angles or a mask, where a file was optimised."""
    held = node.arrays.get("weight") if node is not None and node.operator == "parameter" else None
    return held.load() if held is not None and held.guessed else None


def _halves(name: str, nodes: Nodes) -> str | None:
    """The value whose second half, its sign changed, stands before its first."""
    joined = nodes.get(name)
    if joined is None or joined.operator != "concat" or len(joined.inputs) != 2:
        return None
    negated, first = (nodes.get(each) for each in joined.inputs)
    second = before(negated, nodes, "split") if negated is not None and negated.operator == "~neg" else None
    if first is None or second is None or first.operator != "split" or first.inputs != second.inputs:
        return None
    last = len(joined.shape) - 1
    halves = [(part.args.get("sections"), part.args.get("index"), part.args.get("dim", 1)) for part in (first, second)]
    return first.inputs[0] if halves == [(2, 0, last), (2, 1, last)] else None


def _pairs(name: str, nodes: Nodes) -> str | None:
    """The value of whose neighbours the second, its sign changed, stands before the first."""
    joined = nodes.get(name)
    stacked = nodes.get(joined.inputs[0]) if joined is not None and joined.operator == "~reshape" else None
    sides = _side_by_side(stacked, len(joined.shape), nodes) if joined is not None and stacked is not None else None
    if joined is None or sides is None:
        return None
    negated, even = sides
    odd = before(negated, nodes, "~every") if negated is not None and negated.operator == "~neg" else None
    if even is None or odd is None or even.operator != "~every" or even.inputs != odd.inputs:
        return None
    last = {"dim": len(joined.shape) - 1, "step": 2}
    return even.inputs[0] if (even.args, odd.args) == ({**last, "start": 0}, {**last, "start": 1}) else None


def _side_by_side(node: FlatNode, axis: int, nodes: Nodes) -> tuple[FlatNode | None, FlatNode | None] | None:
    """The two values that stand side by side along an axis of their own."""
    if len(node.inputs) != 2:
        return None
    if node.operator == "~stack" and node.args["dim"] == axis:
        return nodes.get(node.inputs[0]), nodes.get(node.inputs[1])
    if node.operator != "concat" or node.args.get("dim", 1) != axis:
        return None
    first, second = (nodes.get(name) for name in node.inputs)
    if first is None or second is None or {first.operator, second.operator} != {"~reshape"}:
        return None
    return nodes.get(first.inputs[0]), nodes.get(second.inputs[0])


def _base(cosine: "np.ndarray[Any, Any]", sine: "np.ndarray[Any, Any]", interleaved: bool) -> float | None:
    """The base whose angles these are, as the shortest number that fits; None if they are no such angles."""
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
