"""Attention as `torch.nn.MultiheadAttention` computes it, which puts the batch behind the words, and back afterwards.

Its queries, keys and values are thirds of one layer, and its heads are merged with the batch. What stands for it has
the batch in front: the same layers, the heads of each third as an axis, attention, and the heads as features again.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from archspec.importing.flat import FlatNode
from archspec.importing.patterns.base import Seen

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

    layer: Seen
    source: Seen
    third: int | None
    heads: tuple[int, int]


def multihead(node: Seen) -> Iterator[FlatNode]:
    """The whole of it, looked at from the exchange of axes behind its last layer."""
    match node:
        case Seen(
            "~permute", [Seen("~reshape", [Seen("linear", [merged], shape=(_, _)) as last])], args={"order": (1, 0, 2)}
        ):
            match merged:
                case Seen("~reshape", [Seen("~permute", [attention], args={"order": (2, 0, 1, 3) | (1, 0, 2)})]):
                    parts = list(_parts(attention))
                    if len(parts) == 3:
                        yield from _written(node.flat, last.flat, attention.flat, parts)


def _parts(attention: Seen) -> Iterator[HeadsOfPart]:
    """What attention takes, as far as it is that; if it has heads and batch as two axes, they are one before."""
    match attention:
        case Seen("scaled_dot_product_attention", [_, _, _]):
            merged = len(attention.shape) == 3
            values = (
                value if merged else value.of[0] for value in attention.of if merged or value.operator == "~reshape"
            )
            yield from filter(None, map(_part, values))


def _part(value: Seen) -> HeadsOfPart | None:
    match value:
        case Seen(
            "~permute",
            [Seen("~reshape", [layer], shape=(_, several, features), args={"before": (_, batch, _)})],
            args={"order": (1, 0, 2)},
        ) if several % batch == 0:
            heads, third = (several // batch, features), None
        case _:
            return None
    match layer:
        case Seen(
            "~select",
            [
                Seen(
                    "~reshape",
                    [Seen("~permute", [Seen("~reshape", [Seen("~reshape", [layer])])], args={"order": order})],
                )
            ],
            args={"dim": 0, "index": third},
        ):
            if order != THIRDS_FIRST:
                return None
    match layer:
        case Seen("linear", [Seen("~permute", [source], args={"order": (1, 0, 2)})]):
            return HeadsOfPart(layer, source, third, heads)
    return None


def turned_twice(node: Seen) -> Iterator[FlatNode]:
    """Words behind batch and features, as an optimiser joins two exchanges of axes: with the batch, then with these."""
    match node:
        case Seen("~permute", args={"order": (1, 2, 0)}, shape=(batch, features, words)):
            name = f"{node.name}@batch"
            yield replace(node.flat, name=name, args={"order": SWAPPED}, shape=(batch, words, features))
            yield replace(node.flat, args={"order": (0, 2, 1)}, inputs=(name,))


def split_before_turned(node: Seen) -> Iterator[FlatNode]:
    """Heads and batch parted behind an exchange of the axes after them, as ONNX has keys: parted before it."""
    match node:
        case Seen("~reshape", [Seen("~permute", [x], args={"order": (0, 2, 1)}, shape=(merged, down, across))]):
            sizes, name = (*node.shape[:2], across, down), f"{node.name}@parted"
            done = x.operator == "~reshape" and x.args["before"] == sizes
            if len(node.shape) == 4 and node.shape[2:] == (down, across) and not done:
                args = {"shape": sizes, "before": (merged, across, down)}
                yield replace(node.flat, name=name, args=args, inputs=(x.name,), shape=sizes)
                yield replace(node.flat, operator="~permute", args={"order": (0, 1, 3, 2)}, inputs=(name,))


def _written(node: FlatNode, last: FlatNode, attention: FlatNode, parts: list[HeadsOfPart]) -> Iterator[FlatNode]:
    """The nodes that stand for it; the layer of all three is one, as it has one name."""

    def made(name: str, operator: str, args: dict[str, Any], source: str, shape: tuple[int, ...]) -> FlatNode:
        return FlatNode(name, operator, args, (source,), shape, attention.place, foreign=operator.startswith("~"))

    batch, inputs = node.shape[0], list[str]()
    for number, part in enumerate(parts):
        words, (heads, features) = part.layer.shape[0], part.heads
        name, value = f"{attention.name}@{number}", f"{part.layer.name}@batch"
        yield replace(
            part.layer.flat, name=value, inputs=(part.source.name,), shape=(batch, words, part.layer.shape[-1])
        )
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
