"""What attention in windows of an image knows of places (Liu et al. 2021, Swin Transformer, arXiv:2103.14030).

A learned number for each offset of two pixels, looked up by an array of places; of windows that were moved round, −∞
for pixels that were no neighbours before.
"""

from dataclasses import replace
from math import inf, prod
from typing import TYPE_CHECKING, Any

import numpy as np

from archspec.importing.flat import FlatNode
from archspec.importing.patterns.base import Nodes, before, constant, made_of
from archspec.importing.program import HeldArray
from archspec.importing.rules import one_or_pair
from archspec.ops.base import per_axis

if TYPE_CHECKING:
    Array = np.ndarray[Any, Any]

VIEWS = frozenset({"~permute", "~reshape", "select"})
"""What stands between an image and the queries of its windows."""


def window_bias(node: FlatNode, nodes: Nodes) -> list[FlatNode] | None:
    """Attention in windows, with the mask that it takes as an operator of the image."""
    if node.operator != "scaled_dot_product_attention" or len(node.inputs) != 4 or len(node.shape) != 5:
        return None
    mask = nodes.get(node.inputs[3])
    while mask is not None and mask.operator == "~expand":
        mask = nodes.get(mask.inputs[0])
    apart = None
    if mask is not None and mask.operator == "~masked_fill" and mask.args["value"] == -inf:
        apart = constant(mask.inputs[1], nodes)
        mask = nodes.get(mask.inputs[0]) if apart is not None else None
    elif mask is not None and mask.operator == "parameter":
        mask, apart = _unmasked(mask)
    patches = _patches(node.inputs[0], nodes)
    image = nodes.get(patches.inputs[0]) if patches is not None else None
    if mask is None or patches is None or image is None or mask.shape[:-3] not in {(1, 1), (node.shape[0], 1)}:
        return None
    height, width = per_axis(patches.args["patch_size"], 2)
    table = _table(mask, (height, width), nodes)
    grid = (image.shape[2] // height, image.shape[3] // width)
    shift = (0, 0) if apart is None else _shift(apart, grid, (height, width))
    if table is None or shift is None or table.shape[1] != node.shape[2]:
        return None
    args: dict[str, Any] = {"window_size": one_or_pair((height, width)), "num_heads": node.shape[2]}
    if shift != (0, 0):
        args["shift_size"] = one_or_pair(shift)
    bias = replace(
        made_of(mask, "relative_position_bias", (image.name,), **args),
        name=f"{node.name}@bias",
        shape=(node.shape[0], 1 if shift == (0, 0) else node.shape[1], *mask.shape[-3:]),
        arrays={"weight": table},
    )
    return [bias, replace(node, inputs=(*node.inputs[:3], bias.name))]


def _unmasked(node: FlatNode) -> "tuple[FlatNode, Array | None]":
    """The array of the first window, and where others have −∞ instead; the array itself, if that is not all."""
    held = node.arrays["weight"]
    if not held.guessed or len(held.shape) != 4 or held.shape[0] == 1:
        return node, None
    numbers = held.load()
    apart = np.isneginf(numbers)
    if np.isneginf(numbers[:1]).any() or not np.array_equal(numbers, np.where(apart, -inf, numbers[:1])):
        return node, None
    first = replace(held, shape=(1, *held.shape[1:]), load=lambda: held.load()[:1])
    return replace(node, shape=(node.shape[0], *first.shape), arrays={"weight": first}), apart[:, 0]


def _patches(query: str, nodes: Nodes) -> FlatNode | None:
    """What cuts the image of whose windows there are queries."""
    node = nodes.get(query)
    while node is not None and node.operator in VIEWS:
        node = nodes.get(node.inputs[0])
    return node if node is not None and node.operator == "patches" else None


def _table(node: FlatNode, window: tuple[int, int], nodes: Nodes) -> HeldArray | None:
    """The table of offsets × heads of which a mask is made: looked up, or, after an optimiser, as it was looked up."""
    turned: FlatNode | None = node
    while turned is not None and turned.operator == "~reshape" and _is_of_ones(turned):
        turned = nodes.get(turned.inputs[0])
    if turned is None:
        return None
    if turned.operator == "parameter":
        return _of_offsets(turned.arrays["weight"], window, node.shape[-3:])
    rows = before(turned, nodes, "~rows") if turned.operator == "~permute" else None
    if rows is None or turned.args["order"] != (2, 0, 1) or not np.array_equal(rows.args["places"], _offsets(*window)):
        return None
    table = rows.arrays["weight"]
    return table if table.shape[0] == _count(*window) else None


def _is_of_ones(node: FlatNode) -> bool:
    """Whether a reshaping puts or takes away axes of size 1 alone."""
    after, earlier = ([size for size in shape if size != 1] for shape in (node.shape, node.args["before"]))
    return after == earlier


def _of_offsets(held: HeldArray, window: tuple[int, int], sizes: tuple[int, ...]) -> HeldArray | None:
    """The table of which an array of heads × pixels × pixels is made, if it is one number for each offset."""
    heads, *pixels = sizes
    if not held.guessed or pixels != [window[0] * window[1]] * 2 or prod(held.shape) != prod(sizes):
        return None
    offsets = _offsets(*window)

    def table() -> "Array":
        found = np.zeros((_count(*window), heads), np.float32)
        found[offsets] = held.load().reshape(sizes).transpose(1, 2, 0)
        return found

    same = np.array_equal(table()[offsets].transpose(2, 0, 1), held.load().reshape(sizes))
    return replace(held, shape=(_count(*window), heads), load=table) if same else None


def _count(height: int, width: int) -> int:
    """How many offsets there are between two pixels of a window."""
    return (2 * height - 1) * (2 * width - 1)


def _offsets(height: int, width: int) -> "Array":
    """The row of the table for each two pixels of a window."""
    rows, columns = (axis.reshape(-1) for axis in np.indices((height, width)))
    down, right = rows[:, None] - rows + height - 1, columns[:, None] - columns + width - 1
    found: Array = down * (2 * width - 1) + right
    return found


def _shift(apart: "Array", grid: tuple[int, int], window: tuple[int, int]) -> tuple[int, int] | None:
    """By how much windows were moved, if a mask parts what came from different ends of the image."""
    (rows, columns), (height, width) = grid, window
    if apart.size != rows * columns * (height * width) ** 2:
        return None
    mask = apart.reshape(rows * columns, height * width, height * width).astype(bool)
    of_rows, of_columns = mask[(rows - 1) * columns, 0], mask[columns - 1, 0]
    shift = int(of_rows[::width].sum()), int(of_columns[:width].sum())
    ends = [
        (np.arange(size * count) >= size * count - moved).reshape(count, size).astype(int)
        for size, count, moved in zip(window, grid, shift, strict=True)
    ]
    region = (2 * ends[0][:, None, :, None] + ends[1][None, :, None, :]).reshape(rows * columns, -1)
    return shift if np.array_equal(mask, region[:, :, None] != region[:, None]) else None
