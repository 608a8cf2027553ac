"""A channel shuffle: the channels as g rows of n, turned, and read row by row (Zhang et al. 2017, Figure 1)."""

from collections.abc import Callable

import numpy as np

from archspec.compress.codecs.base import Array
from archspec.draw.blocks.svg import SvgDrawing
from archspec.draw.cells.board import CELL, MOST, Board, tint
from archspec.errors import ArchspecError

DROP = 70.0
"""From a row of channels to the next."""


def order(channels: int, groups: int) -> list[int]:
    """Which channel stands where behind a shuffle.

    >>> order(6, 3)
    [0, 2, 4, 1, 3, 5]
    """
    return [int(channel) for channel in np.arange(channels).reshape(groups, channels // groups).T.ravel()]


def shuffle(groups: int = 3, channels: int = 12) -> SvgDrawing:
    """The three steps of a shuffle, and where each channel goes.

    Args:
        groups: The groups of the convolution before it.
        channels: All channels.

    Raises:
        ArchspecError: The groups do not divide the channels, or these are too many to be seen.
    """
    if not (1 <= groups <= channels <= MOST and channels % groups == 0):
        raise ArchspecError(f"up to {MOST} channels are drawn, in groups of equal size (got {channels} in {groups})")
    per = channels // groups
    board = Board()
    matrix = np.arange(channels).reshape(groups, per)
    turned, found = matrix.T, order(channels, groups)
    _steps(board, matrix, turned, per)
    _lines(board, found, per, max(channels, groups, per) * CELL + 90)
    return board.drawing(
        f"channel shuffle: {channels} channels in {groups} groups",
        f"g = {groups}, n = {per}: every group behind it has channels of every group before it"
        if per >= groups
        else f"g = {groups}, n = {per}",
    )


def _steps(board: Board, matrix: Array, turned: Array, per: int) -> None:
    """Reshape, transpose, flatten."""
    groups = len(matrix)
    rows = (
        (matrix.reshape(1, -1), "the channels, group by group", ""),
        (matrix, f"as {groups} rows of {per}", f"reshape to ({groups}, {per})"),
        (turned, f"as {per} rows of {groups}", "transpose"),
        (turned.reshape(1, -1), "shuffled", "flatten"),
    )
    y = 0.0
    for values, text, step in rows:
        if step:
            board.arrow((CELL / 2, y + 4), (CELL / 2, y + 40))
            board.say(step, (CELL / 2 + 8, y + 24), faint=False)
            y += 60
        board.say(text, (0.0, y - 5))
        lines = [[int(value) for value in line] for line in values]
        _, height = board.matrix((0.0, y), lines, _of(lines, per))
        y += height


def _of(lines: list[list[int]], per: int) -> Callable[[int, int], str]:
    """The colour of each channel's group."""
    return lambda row, column: tint(lines[row][column] // per)


def _lines(board: Board, found: list[int], per: int, x: float) -> None:
    """Every channel from its place before the shuffle to that behind it."""
    board.say("the same, channel by channel", (x, -5.0))
    board.matrix((x, 0.0), [list(range(len(found)))], _of([list(range(len(found)))], per))
    board.matrix((x, CELL + DROP), [found], _of([found], per))
    for place, channel in enumerate(found):
        board.arrow((x + (channel + 0.5) * CELL, CELL), (x + (place + 0.5) * CELL, CELL + DROP))
