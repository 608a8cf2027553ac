"""Differences of indices, and the filler zeros of those that are too long (Han, Mao and Dally 2016, Figure 2)."""

from collections.abc import Sequence

import numpy as np

from archspec.compress.codecs.gaps import Gaps
from archspec.compress.rules import gaps as differences
from archspec.draw.blocks.svg import SvgDrawing
from archspec.draw.cells.board import CELL, MOST, WHITE, Board, plain, tint
from archspec.errors import ArchspecError

POSITIONS, VALUES, BITS = (1, 4, 15), (3.4, 0.9, 1.7), 3
"""Those of the paper's figure."""

WIDE = 36.0


def gaps(positions: Sequence[int] = POSITIONS, values: Sequence[float] | None = None, bits: int = BITS) -> SvgDrawing:
    """A row of weights, most of them zero, as the codec keeps it: for each entry the zeros before it, and its value.

    Args:
        positions: Where the weights are that are not zero, rising from 0 on.
        values: What they are; 1 each unless they are given, but for the positions of the paper's figure.
        bits: In how many bits the zeros before an entry are counted.

    Raises:
        ArchspecError: The positions do not rise, are too far, or there is not one value for each.
    """
    if values is None:
        values = VALUES if tuple(positions) == POSITIONS else [1.0] * len(positions)
    if not positions or len(values) != len(positions):
        raise ArchspecError(f"one value for each position is needed (got {len(values)} for {len(positions)})")
    if not 0 <= bits <= 8:
        raise ArchspecError(f"zeros are counted in 0 to 8 bits (got {bits})")
    if any(type(position) is not int for position in positions):
        raise ArchspecError("positions are whole numbers")
    differences(positions)
    length = positions[-1] + 1
    if length > MOST:
        raise ArchspecError(f"the first {MOST} positions are drawn (got {positions[-1]})")
    codec = Gaps(bits)
    where = np.asarray(positions)
    skipped = np.diff(where, prepend=-1) - 1
    codes = codec.spread((skipped & codec.longest).astype(np.uint16), where, codec.longest)
    stored = codec.spread(np.asarray(values, np.float64), where, 0)
    entries = np.cumsum(codes.astype(np.int64) + 1) - 1
    return _drawn(length, entries.tolist(), codes.tolist(), stored.tolist(), bits, positions)


def _drawn(  # a column of the picture each
    length: int, entries: list[int], codes: list[int], stored: list[float], bits: int, positions: Sequence[int]
) -> SvgDrawing:
    kept = dict(zip(entries, zip(codes, stored, strict=True), strict=True))
    fillers = set(entries) - set(positions)
    steps = dict(zip(entries, np.diff([0, *entries]).tolist(), strict=True))
    lines = (
        ("index", [str(place) for place in range(length)]),
        ("difference", [str(steps[place]) if place in kept else "" for place in range(length)]),
        (f"zeros before, {bits} bits", [f"{kept[p][0]:0{max(bits, 1)}b}" if p in kept else "" for p in range(length)]),
        ("value", [f"{kept[place][1]:g}" if place in kept else "" for place in range(length)]),
    )

    def fill(_: int, column: int) -> str:
        return tint(1) if column in fillers else tint(0) if column in kept else WHITE

    board = Board()
    for number, (name, cells) in enumerate(lines):
        y = number * CELL
        board.say(name, (-8.0, y + CELL / 2 + 4), "end", faint=False)
        board.matrix((0.0, y), [cells], fill if number else plain, width=WIDE)
    for place in fillers:
        x = (place + 0.5) * WIDE
        board.arrow((x, 4 * CELL + 34), (x, 4 * CELL + 2))
        board.say(f"filler: the span exceeds {2**bits}", (x, 4 * CELL + 46), "middle", faint=False)
    bits_of = f"{len(entries)} entries of {bits} bits and a value, in place of {length} values"
    return board.drawing(f"index differences in {bits} bits", bits_of)
