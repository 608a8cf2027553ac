"""Attention and what stands around it, where it is written as arithmetic."""

from typing import Any

import numpy as np

from archspec.importing.flat import FlatNode
from archspec.importing.patterns.base import Nodes, before, constant, made_of


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


def _scaled(node: FlatNode | None, nodes: Nodes) -> "tuple[str, np.ndarray[Any, Any] | None]":
    """A product of a result and a constant."""
    if node is None or node.operator != "mul" or len(node.inputs) != 2:
        return "", None
    for x, factor in (node.inputs, node.inputs[::-1]):
        if (found := constant(factor, nodes)) is not None:
            return x, found
    return "", None


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
    if joined is None or stacked is None or stacked.operator != "~stack" or stacked.args["dim"] != len(joined.shape):
        return None
    negated, even = (nodes.get(each) for each in stacked.inputs)
    odd = before(negated, nodes, "~every") if negated is not None and negated.operator == "~neg" else None
    if even is None or odd is None or even.operator != "~every" or even.inputs != odd.inputs:
        return None
    last = {"dim": len(joined.shape) - 1, "step": 2}
    return even.inputs[0] if (even.args, odd.args) == ({**last, "start": 0}, {**last, "start": 1}) else None


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
