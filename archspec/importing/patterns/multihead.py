"""Attention as `torch.nn.MultiheadAttention` computes it, which puts the batch behind the words, and back afterwards.

Its queries, keys and values are thirds of one layer, and its heads are merged with the batch. What stands for it has
the batch in front: the same layers, the heads of each third as an axis, attention, and the heads as features again.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from archspec.importing.flat import FlatNode
from archspec.importing.patterns.base import Nodes, before

SWAPPED = (1, 0, 2)
THIRDS_FIRST = (3, 1, 2, 0, 4)
"""How the thirds come in front: from 1 × words × batch × 3 × features."""


@dataclass(frozen=True, slots=True)
class HeadsOfPart:
    """Queries, keys or values on their way to attention.

    Attributes:
        layer: What computes them, of words × batch × features, perhaps with the other thirds.
        source: What that layer takes, with the batch in front.
        third: Which third they are; None of a layer of their own.
        heads: How many heads they have, and how many features each.
    """

    layer: FlatNode
    source: str
    third: int | None
    heads: tuple[int, int]


def multihead(node: FlatNode, nodes: Nodes) -> list[FlatNode] | None:
    """The whole of it, looked at from the exchange of axes behind its last layer."""
    if node.operator != "~permute" or node.args["order"] != SWAPPED:
        return None
    last = nodes.get(_source(node.inputs[0], nodes, "~reshape"))
    if last is None or last.operator != "linear" or len(last.shape) != 2:
        return None
    ends = (_source(last.inputs[0], nodes, "~reshape", order) for order in ((2, 0, 1, 3), SWAPPED))
    attention = next((nodes[end] for end in ends if end in nodes), None)
    if attention is None or attention.operator != "scaled_dot_product_attention" or len(attention.inputs) != 3:
        return None
    merged = len(attention.shape) == 3  # heads and batch
    parts = [_part(name if merged else _source(name, nodes, "~reshape"), nodes) for name in attention.inputs]
    found = [part for part in parts if part is not None]
    return list(_written(node, last, attention, found)) if len(found) == len(parts) else None


def turned_twice(node: FlatNode, nodes: Nodes) -> list[FlatNode] | None:  # noqa: ARG001  # a pattern's
    """Words behind batch and features, as an optimiser joins two exchanges of axes: with the batch, then with these."""
    if node.operator != "~permute" or node.args["order"] != (1, 2, 0):
        return None
    batch, features, words = node.shape
    first = replace(node, name=f"{node.name}@batch", args={"order": SWAPPED}, shape=(batch, words, features))
    return [first, replace(node, args={"order": (0, 2, 1)}, inputs=(first.name,))]


def split_before_turned(node: FlatNode, nodes: Nodes) -> list[FlatNode] | None:
    """Heads and batch parted behind an exchange of the axes after them, as ONNX has keys: parted before it."""
    turned = before(node, nodes, "~permute") if node.operator == "~reshape" and len(node.shape) == 4 else None
    if turned is None or turned.args["order"] != (0, 2, 1) or node.shape[2:] != turned.shape[1:]:
        return None
    merged, down, across = turned.shape
    sizes, name = (*node.shape[:2], across, down), f"{node.name}@parted"
    if (merging := before(turned, nodes, "~reshape")) is not None and merging.args["before"] == sizes:
        return None
    args = {"shape": sizes, "before": (merged, across, down)}
    parted = replace(node, name=name, args=args, inputs=turned.inputs, shape=sizes)
    return [parted, replace(node, operator="~permute", args={"order": (0, 1, 3, 2)}, inputs=(name,))]


def _source(name: str, nodes: Nodes, *steps: str | tuple[int, ...]) -> str:
    """What the first of some steps back takes: names of operators, or orders of axes; nothing, if they are others."""
    for step in steps:
        node = nodes.get(name)
        order = step if isinstance(step, tuple) else None
        if (
            node is None
            or node.operator != ("~permute" if order else step)
            or order not in {None, node.args.get("order")}
        ):
            return ""
        name = node.inputs[0]
    return name


def _part(name: str, nodes: Nodes) -> HeadsOfPart | None:
    view = nodes.get(_source(name, nodes, SWAPPED))
    if view is None or view.operator != "~reshape" or len(view.args["before"]) != len(view.shape) == 3:
        return None
    (_, batch, _), (_, several, features) = view.args["before"], view.shape
    value = nodes.get(view.inputs[0])
    third = (
        value.args["index"] if value is not None and value.operator == "~select" and value.args["dim"] == 0 else None
    )
    packed = _source(view.inputs[0], nodes, "~select", "~reshape", THIRDS_FIRST, "~reshape", "~reshape")
    layer = nodes.get(packed) if third is not None else value
    source = _source(layer.inputs[0], nodes, SWAPPED) if layer is not None and layer.operator == "linear" else ""
    if layer is None or not source or several % batch:
        return None
    return HeadsOfPart(layer, source, third, (several // batch, features))


def _written(node: FlatNode, last: FlatNode, attention: FlatNode, parts: list[HeadsOfPart]) -> Iterator[FlatNode]:
    """The nodes that stand for it; the layer of all three is one, as it has one name."""

    def made(name: str, operator: str, args: dict[str, Any], source: str, shape: tuple[int, ...]) -> FlatNode:
        return FlatNode(name, operator, args, (source,), shape, attention.place, foreign=operator.startswith("~"))

    batch, inputs = node.shape[0], list[str]()
    for number, part in enumerate(parts):
        words, (heads, features) = part.layer.shape[0], part.heads
        name, value = f"{attention.name}@{number}", f"{part.layer.name}@batch"
        yield replace(part.layer, name=value, inputs=(part.source,), shape=(batch, words, part.layer.shape[-1]))
        whole = (batch, words, heads * features)
        if part.third is not None:
            args = {"sections": 3, "index": part.third, "dim": 2}
            yield made(f"{name}third", "split", args, value, whole)
            value = f"{name}third"
        sizes = (batch, words, heads, features)
        yield made(f"{name}heads", "~reshape", {"shape": sizes, "before": whole}, value, sizes)
        turned = (batch, heads, words, features)
        yield made(name, "~permute", {"order": (0, 2, 1, 3)}, f"{name}heads", turned)
        inputs.append(name)
    words, (heads, features) = node.shape[1], parts[-1].heads
    found = replace(
        attention, name=f"{attention.name}@heads", inputs=tuple(inputs), shape=(batch, heads, words, features)
    )
    yield found
    sizes = (batch, words, heads, features)
    yield made(f"{found.name}behind", "~permute", {"order": (0, 2, 1, 3)}, found.name, sizes)
    whole = (batch, words, heads * features)
    yield made(f"{found.name}merged", "~reshape", {"shape": whole, "before": sizes}, f"{found.name}behind", whole)
    yield replace(last, name=node.name, inputs=(f"{found.name}merged",), shape=node.shape)
