"""Cells on a board: rows and matrices of them, arrows between, words beside."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from archspec.draw.blocks.scene import SMALL, TITLE, Arrow, Box, Point, Scene, Words
from archspec.draw.blocks.svg import SvgDrawing, svg
from archspec.draw.style import BLUE, GREEN, ORANGE, PURPLE, SKY, VERMILION
from archspec.writing import printable

CELL = 30.0
WHITE = "#ffffff"
MOST = 64
"""As many cells stand in a row at most."""


TINTS = (BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILION)


def tint(number: int) -> str:
    """The colour of a group or a cluster, light enough for black text; after six they come again."""
    colour = TINTS[number % len(TINTS)]
    mixed = (round(255 - (255 - int(colour[i : i + 2], 16)) * 0.45) for i in (1, 3, 5))
    return "#" + "".join(f"{part:02x}" for part in mixed)


def plain(row: int, column: int) -> str:  # noqa: ARG001  # the form of all that colour cells
    """The colour of a cell that belongs to nothing."""
    return WHITE


@dataclass(slots=True)
class Board:
    """What has been put on it, with its place."""

    scene: Scene = field(default_factory=Scene)

    def matrix(
        self,
        corner: Point,
        values: Sequence[Sequence[Any]],
        fill: Callable[[int, int], str] = plain,
        width: float = CELL,
    ) -> tuple[float, float]:
        """A matrix of cells, with its upper left corner; its width and its height."""
        for row, line in enumerate(values):
            for column, value in enumerate(line):
                x, y = corner[0] + column * width, corner[1] + row * CELL
                words = Words(printable(value, 12), (x + width / 2, y + CELL / 2 + 4), 11.0)
                self.scene.boxes.append(Box((x, y), width, CELL, "cell", words=(words,), fill=fill(row, column)))
        return width * max(map(len, values)), CELL * len(values)

    def say(self, text: str, at: Point, anchor: str = "start", bold: bool = False, faint: bool = True) -> None:
        """A line of text."""
        self.scene.words.append(Words(text, at, TITLE if bold else SMALL, anchor, bold, faint and not bold))

    def arrow(self, start: Point, end: Point) -> None:
        """An arrow."""
        self.scene.arrows.append(Arrow((start, end), None, None))

    def drawing(self, title: str, *notes: str) -> SvgDrawing:
        """The board with its title above it, and what else there is to say below that."""
        left, top, _, _ = self.scene.extent()
        lines = [Words(title, (left, top - 24 - 14 * len(notes)), 14.0, "start", bold=True)]
        lines += [
            Words(note, (left, top - 8 - 14 * (len(notes) - number)), SMALL, "start", faint=True)
            for number, note in enumerate(notes)
        ]
        self.scene.words.extend(lines)
        return SvgDrawing(title, svg(self.scene, title))
