"""Weights that share numbers, and how those are trained (Han, Mao and Dally 2016, Figure 3)."""

from collections.abc import Sequence

import numpy as np

from archspec.compress.codecs.base import Array
from archspec.compress.codecs.shared import Codebook
from archspec.compress.rules import weight_sharing
from archspec.draw.blocks.svg import SvgDrawing
from archspec.draw.cells.board import CELL, Board, tint
from archspec.errors import ArchspecError

WEIGHTS = ((2.09, -0.98, 1.48, 0.09), (0.05, -0.14, -1.08, 2.12), (-0.91, 1.92, 0.0, -1.03), (1.87, 0.0, 1.53, 1.49))
GRADIENT = (
    (-0.03, -0.01, 0.03, 0.02), (-0.01, 0.01, -0.02, 0.12), (-0.01, 0.02, 0.04, 0.01), (-0.07, -0.02, 0.01, -0.02),
)  # fmt: skip
"""Those of the paper's figure."""

WIDE = 44.0
LARGEST = 16
Matrix = Sequence[Sequence[float]]


def codebook(weights: Matrix = WEIGHTS, gradient: Matrix | None = None, bits: int = 2, rate: float = 1.0) -> SvgDrawing:
    """A matrix of weights, for each the code of the number that it shares, and the numbers, as the codec finds them.

    With a gradient: its sum over the weights that share a number, and the number after a step of gradient descent.

    Args:
        weights: The matrix.
        gradient: One of the same shape; that of the paper's figure, if the weights are those.
        bits: Of a code.
        rate: The learning rate.

    Raises:
        ArchspecError: A matrix is ragged, too large, or not of the other's shape.
    """
    if gradient is None and tuple(map(tuple, weights)) == WEIGHTS:
        gradient = GRADIENT
    values = _matrix(weights)
    if not 1 <= bits <= 4:
        raise ArchspecError(f"codes of 1 to 4 bits are drawn (got {bits})")
    content = Codebook(bits).quantised(values.ravel(), None, *values.shape)
    codes = np.asarray(content.codes).reshape(values.shape)
    shared = np.asarray(content.tables[0], np.float64)
    used = sorted({int(code) for code in codes.ravel()}, reverse=True)
    board = Board()
    _weights(board, values, codes, shared, used)
    if gradient is not None:
        slope = _matrix(gradient)
        if slope.shape != values.shape:
            raise ArchspecError("the gradient has another shape than the weights")
        _step(board, values.shape, codes, slope, shared, used, rate)
    ratio = float(weight_sharing(values.size, len(shared), 32))
    return board.drawing(
        f"{values.size} weights share {len(shared)} numbers",
        f"{values.size}·32 bits become {values.size}·{bits} of codes, {len(shared)}·32 of numbers: {ratio:.2g}× less",
    )


def _matrix(rows: Matrix) -> Array:
    if not rows or len({len(row) for row in rows}) != 1 or not 0 < len(rows[0]) <= LARGEST or len(rows) > LARGEST:
        raise ArchspecError(f"a matrix has rows of the same length, {LARGEST} by {LARGEST} at most")
    found = np.asarray(rows, np.float64)
    if not np.isfinite(found).all():
        raise ArchspecError("a matrix has finite numbers")
    return found


def _written(values: Array) -> list[list[str]]:
    return [[f"{value:.2f}" for value in row] for row in values]


def _weights(
    board: Board,
    values: Array,
    codes: Array,
    shared: Array,
    used: list[int],
) -> None:
    """The weights, their codes, and the numbers of the codebook."""
    columns = values.shape[1]
    second, third = columns * WIDE + 70, columns * (WIDE + CELL) + 140

    def fill(row: int, column: int) -> str:
        return tint(int(codes[row][column]))

    middle = len(values) * CELL / 2
    board.say("weights", (0.0, -6.0))
    board.matrix((0.0, 0.0), _written(values), fill, WIDE)
    board.arrow((columns * WIDE + 8, middle), (second - 8, middle))
    board.say("cluster", (columns * WIDE + 35, middle - 6), "middle", faint=False)
    board.say("codes", (second, -6.0))
    board.matrix((second, 0.0), [[int(code) for code in row] for row in codes], fill)
    board.say("numbers", (third, -6.0))
    board.matrix((third, 0.0), _written(shared[used].reshape(-1, 1)), lambda row, _: tint(used[row]), WIDE)
    for row, code in enumerate(used):
        board.say(f"{code}:", (third - 6, row * CELL + CELL / 2 + 4), "end", faint=False)


def _step(  # what a step is made of
    board: Board,
    shape: tuple[int, ...],
    codes: Array,
    slope: Array,
    shared: Array,
    used: list[int],
    rate: float,
) -> None:
    """The gradient, its sums over each number's weights, and the numbers after a step."""
    rows, columns = shape
    y = rows * CELL + 60
    second, third = columns * WIDE + 70, columns * (WIDE + CELL) + 140
    sums = np.array([slope[codes == code].sum() for code in used])

    def fill(row: int, column: int) -> str:
        return tint(int(codes[row][column]))

    middle = y + rows * CELL / 2
    board.say("gradient", (0.0, y - 6))
    board.matrix((0.0, y), _written(slope), fill, WIDE)
    board.arrow((columns * WIDE + 8, middle), (second - 8, middle))
    board.say("group, sum", (columns * WIDE + 35, middle - 6), "middle", faint=False)
    board.say("sums", (second, y - 6))
    board.matrix((second, y), _written(sums.reshape(-1, 1)), lambda row, _: tint(used[row]), WIDE)
    board.arrow((second + WIDE + 8, middle), (third - 8, middle))
    board.say(f"− {rate:g} × sum", ((second + WIDE + third) / 2, middle - 6), "middle", faint=False)
    board.say("numbers after a step", (third, y - 6))
    after = (shared[used] - rate * sums).reshape(-1, 1)
    board.matrix((third, y), _written(after), lambda row, _: tint(used[row]), WIDE)
