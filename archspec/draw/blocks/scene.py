"""A drawing with a place for everything: boxes, frames, arrows and words, in units of two pixels of a PNG."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TypeAlias

Point: TypeAlias = tuple[float, float]

_NARROW, _WIDE = frozenset("iljtfrI.,:;'|!()[]/ ·-"), frozenset("mwMW%@×→≤≥+−")
_SIGNS = frozenset("⌈⌉⌊⌋′″₀₁₂₃₄₅₆₇₈₉√Σ≡")
TITLE, SMALL = 12.0, 10.0
"""The sizes of the first line of a box, and of all other words."""


def text_width(text: str, size: float) -> float:
    """How wide a text is, about: never less than it is in Helvetica.

    >>> text_width("conv 3×3", 10) > text_width("conv", 10) > 0
    True
    """
    per = (0.34 if c in _NARROW else 0.88 if c in _WIDE else 0.74 if c.isupper() else 0.6 if ord(c) < 0x2E80 else 1.0
           for c in text)  # fmt: skip
    return size * sum(per) * (1.15 if has_signs(text) else 1)


def has_signs(text: str) -> bool:
    """Whether a text has signs that the usual fonts lack.

    >>> has_signs("⌈h/2⌉"), has_signs("3×3, α")
    (True, False)
    """
    return any(c in _SIGNS for c in text)


@dataclass(frozen=True, slots=True)
class Words:
    """A line of text.

    Attributes:
        text: What it says.
        at: Where its line stands.
        size: How high its letters are.
        anchor: Which part of it stands there: its "start", "middle" or "end".
        bold: Whether it is.
        faint: Whether it is grey.
    """

    text: str
    at: Point
    size: float = SMALL
    anchor: str = "middle"
    bold: bool = False
    faint: bool = False

    @property
    def span(self) -> tuple[float, float]:
        """From where to where it goes."""
        width = text_width(self.text, self.size)
        start = self.at[0] - {"start": 0.0, "middle": width / 2, "end": width}[self.anchor]
        return start, start + width


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle, or a circle of the same extent.

    Attributes:
        corner: Its upper left corner.
        width: How wide it is.
        height: How high it is.
        kind: What it is; see `layout.Kind`.
        shade: How dark it is, from 0 to 1.
        words: What stands in it.
        nodes: The nodes that it stands for.
        hint: What a page says of it where one points at it.
        stacked: Whether more of it stand behind it.
        fill: Its colour, in place of its shade.
    """

    corner: Point
    width: float
    height: float
    kind: str
    shade: float = 0.0
    words: tuple[Words, ...] = ()
    nodes: tuple[str, ...] = ()
    hint: str = ""
    stacked: bool = False
    fill: str = ""

    @property
    def left(self) -> float:
        """Its left side."""
        return self.corner[0]

    @property
    def right(self) -> float:
        """Its right side."""
        return self.corner[0] + self.width

    @property
    def top(self) -> float:
        """Its upper side."""
        return self.corner[1]

    @property
    def bottom(self) -> float:
        """Its lower side."""
        return self.corner[1] + self.height

    @property
    def middle(self) -> Point:
        """Its centre."""
        return self.corner[0] + self.width / 2, self.corner[1] + self.height / 2


@dataclass(frozen=True, slots=True)
class FrameArea:
    """A frame around boxes."""

    corner: Point
    width: float
    height: float
    title: Words
    times: Words | None = None


@dataclass(frozen=True, slots=True)
class Arrow:
    """A line of straight pieces from one box to another, with a head.

    Attributes:
        points: Where it begins, turns and ends.
        source: The box that it begins at, by its place among the scene's boxes; None where that is no matter.
        target: The box that it ends at; None where it leaves the drawing, or that is no matter.
        far: Whether it goes around what lies between.
    """

    points: tuple[Point, ...]
    source: int | None
    target: int | None
    far: bool = False


@dataclass(slots=True)
class Scene:
    """Everything with its place."""

    boxes: list[Box] = field(default_factory=list)
    frames: list[FrameArea] = field(default_factory=list)
    arrows: list[Arrow] = field(default_factory=list)
    words: list[Words] = field(default_factory=list)

    def extent(self) -> tuple[float, float, float, float]:
        """The least rectangle around everything: left, top, right, bottom."""
        xs, ys = zip(*self._corners(), strict=True)
        return min(xs), min(ys), max(xs), max(ys)

    def _corners(self) -> Iterator[Point]:
        areas: list[Box | FrameArea] = [*self.boxes, *self.frames]
        for area in areas:
            yield area.corner
            yield area.corner[0] + area.width, area.corner[1] + area.height
        for arrow in self.arrows:
            yield from arrow.points
        for each in self.words:
            yield each.span[0], each.at[1] - each.size
            yield each.span[1], each.at[1] + each.size / 3

    def moved(self, dx: float, dy: float) -> "Scene":
        """The same, elsewhere."""

        def there(point: Point) -> Point:
            return point[0] + dx, point[1] + dy

        def word(each: Words) -> Words:
            return replace(each, at=there(each.at))

        return Scene(
            [replace(box, corner=there(box.corner), words=tuple(map(word, box.words))) for box in self.boxes],
            [
                replace(f, corner=there(f.corner), title=word(f.title), times=f.times and word(f.times))
                for f in self.frames
            ],
            [replace(arrow, points=tuple(map(there, arrow.points))) for arrow in self.arrows],
            [word(each) for each in self.words],
        )

    def beside(self, other: "Scene", gap: float) -> "Scene":
        """The two side by side, their upper sides in line."""
        _, top, right, _ = self.extent()
        moved = other.moved(right + gap - other.extent()[0], top - other.extent()[1])
        count = len(self.boxes)
        arrows = [
            replace(
                arrow,
                source=None if arrow.source is None else arrow.source + count,
                target=None if arrow.target is None else arrow.target + count,
            )
            for arrow in moved.arrows
        ]
        return Scene(
            [*self.boxes, *moved.boxes],
            [*self.frames, *moved.frames],
            [*self.arrows, *arrows],
            [*self.words, *moved.words],
        )
