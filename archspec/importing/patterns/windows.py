"""What attention in windows of an image knows of places (Liu et al. 2021, Swin Transformer, arXiv:2103.14030).

A learned number for each offset of two pixels, looked up by an array of places; of windows that were moved round, −∞
for pixels that were no neighbours before.
"""

from collections.abc import Iterator, Set
from dataclasses import replace
from math import inf, prod
from typing import TYPE_CHECKING, Any

import numpy as np

from archspec.importing.flat import FlatNode
from archspec.importing.patterns.base import Seen
from archspec.importing.program import HeldArray
from archspec.importing.rules import one_or_pair
from archspec.ops.base import per_axis

if TYPE_CHECKING:
    Array = np.ndarray[Any, Any]

VIEWS = frozenset({"~permute", "~reshape", "select"})
"""What stands between an image and the queries of its windows."""


def window_bias(node: Seen) -> Iterator[FlatNode]:
    """Attention in windows, with the mask that it takes as an operator of the image."""
    match node:
        case Seen("scaled_dot_product_attention", [query, _, _, mask], shape=(n, count, heads, _, _)):
            patches = _back(query, VIEWS)
        case _:
            return
    if patches.operator != "patches" or not patches.of[0].operator:
        return
    (image,), (height, width) = patches.of, per_axis(patches.args["patch_size"], 2)
    mask, apart = _unmasked(_back(mask, {"~expand"}))
    table = _table(mask, (height, width)) if mask.shape[:-3] in {(1, 1), (n, 1)} else None
    grid = (image.shape[2] // height, image.shape[3] // width)
    shift = (0, 0) if apart is None else _shift(apart, grid, (height, width))
    if table is None or shift is None or table.shape[1] != heads:
        return
    args: dict[str, Any] = {"window_size": one_or_pair((height, width)), "num_heads": heads}
    if shift != (0, 0):
        args["shift_size"] = one_or_pair(shift)
    bias = replace(
        mask.made("relative_position_bias", image, **args),
        name=f"{node.name}@bias",
        shape=(n, 1 if shift == (0, 0) else count, *mask.shape[-3:]),
        arrays={"weight": table},
    )
    yield bias
    yield replace(node.flat, inputs=(*node.flat.inputs[:3], bias.name))


def _back(node: Seen, views: Set[str]) -> Seen:
    """What stands before some operators that show the same numbers."""
    while node.operator in views:
        node = node.of[0]
    return node


def _unmasked(mask: Seen) -> "tuple[Seen, Array | None]":
    """The mask of the first window, and where others have −∞ instead; the mask itself, if that is not all."""
    match mask:
        case Seen("~masked_fill", [whole, Seen("~constant") as places], args={"value": value}) if value == -inf:
            return whole, places.constant
    held = mask.arrays["weight"] if mask.operator == "parameter" else None
    if held is None or not held.guessed or len(held.shape) != 4 or held.shape[0] == 1:
        return mask, None
    numbers = held.load()
    apart = np.isneginf(numbers)
    if np.isneginf(numbers[:1]).any() or not np.array_equal(numbers, np.where(apart, -inf, numbers[:1])):
        return mask, None
    first = replace(held, shape=(1, *held.shape[1:]), load=lambda: held.load()[:1])
    flat = replace(mask.flat, shape=(mask.shape[0], *first.shape), arrays={"weight": first})
    return replace(mask, flat=flat), apart[:, 0]


def _table(mask: Seen, window: tuple[int, int]) -> HeldArray | None:
    """The table of offsets × heads of which a mask is made: looked up, or, after an optimiser, as it was looked up."""
    turned = mask
    while turned.operator == "~reshape" and _is_of_ones(turned):
        turned = turned.of[0]
    match turned:
        case Seen("parameter"):
            return _of_offsets(turned.arrays["weight"], window, mask.shape[-3:])
        case Seen("~permute", [Seen("~rows", args={"places": places}) as rows], args={"order": (2, 0, 1)}):
            table = rows.arrays["weight"]
            fits = np.array_equal(places, _offsets(*window)) and table.shape[0] == _count(*window)
            return table if fits else None
    return None


def _is_of_ones(node: Seen) -> bool:
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
