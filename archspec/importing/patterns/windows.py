"""What attention in windows of an image knows of places (Liu et al. 2021, Swin Transformer, arXiv:2103.14030).

A learned number for each offset of two pixels, looked up by an array of places; of windows that were moved round, −∞
for pixels that were no neighbours before.
"""

from collections.abc import Iterator
from dataclasses import replace
from math import inf
from typing import TYPE_CHECKING, Any

import numpy as np

from archspec.importing.flat import FlatNode
from archspec.importing.patterns.base import Nodes, before, constant
from archspec.importing.rules import one_or_pair

if TYPE_CHECKING:
    Array = np.ndarray[Any, Any]

VIEWS = frozenset({"~permute", "~reshape", "~columns", "select", "patches"})
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
    table = _table(mask, nodes) if mask is not None and mask.shape[:-3] in {(1, 1), (node.shape[0], 1)} else None
    image = _image(node.inputs[0], nodes) if table is not None else None
    window = _window(table) if table is not None else None
    if table is None or image is None or window is None:
        return None
    (rows, below), (columns, right) = (divmod(n, m) for n, m in zip(image.shape[2:], window, strict=True))
    if below or right or rows * columns != node.shape[1]:
        return None
    shift = (0, 0) if apart is None else _shift(apart, (rows, columns), window)
    if shift is None:
        return None
    args: dict[str, Any] = {"window_size": one_or_pair(window), "num_heads": node.shape[2]}
    if shift != (0, 0):
        args["shift_size"] = one_or_pair(shift)
    bias = replace(
        table,
        name=f"{node.name}@bias",
        operator="relative_position_bias",
        args=args,
        inputs=(image.name,),
        shape=(node.shape[0], rows * columns if apart is not None else 1, *node.shape[2:4], node.shape[3]),
        foreign=False,
        reason="",
    )
    return [bias, replace(node, inputs=(*node.inputs[:3], bias.name))]


def _table(node: FlatNode, nodes: Nodes) -> FlatNode | None:
    """The table that is looked up by places, its heads put before the pixels."""
    turned: FlatNode | None = node
    while (
        turned is not None
        and turned.operator == "~reshape"
        and _without_ones(turned.shape) == _without_ones(turned.args["before"])
    ):
        turned = nodes.get(turned.inputs[0])
    if turned is None or turned.operator != "~permute" or turned.args["order"] != (2, 0, 1):
        return None
    return before(turned, nodes, "~rows")


def _without_ones(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(size for size in shape if size != 1)


def _image(query: str, nodes: Nodes) -> FlatNode | None:
    """The image of whose windows there are queries."""
    node = nodes.get(query)
    while node is not None and node.operator in VIEWS:
        if node.operator == "patches":
            return nodes.get(node.inputs[0])
        node = nodes.get(node.inputs[0])
    return None


def _window(table: FlatNode) -> tuple[int, int] | None:
    """The height and width of the window whose offsets are looked up, if they are those of one."""
    places, (offsets, _) = table.args["places"], table.arrays["weight"].shape
    pixels = places.shape[0]
    for height, width in _factors(pixels):
        if (2 * height - 1) * (2 * width - 1) == offsets and np.array_equal(places, _offsets(height, width)):
            return height, width
    return None


def _factors(pixels: int) -> Iterator[tuple[int, int]]:
    return ((height, pixels // height) for height in range(1, pixels + 1) if pixels % height == 0)


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
