"""What a drawing of a network is made of, and its places: chains downwards, branches side by side, frames around them.

Each part is measured from its axis, the line along which it is entered and left; then it is placed. A fork with one
branch that does something has its axis there, so that a shortcut runs beside it; any other has it in the middle.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, Union

from archspec.draw.blocks.scene import SMALL, TITLE, Box, FrameArea, Point, Words, text_width

Kind: TypeAlias = Literal["layer", "sum", "join", "closed", "end"]
"""What a box is: a layer, a sum (drawn as a circle), another join, a block that is not opened, or the input."""


@dataclass(eq=False, slots=True)
class BoxPart:
    """One box: a layer with what follows it, a join, or a block that is not opened.

    Attributes:
        kind: What it is.
        lines: What it says; the first line is what it computes.
        nodes: The nodes that it stands for, those of folded copies included.
        caption: What it is called in the specification, where that says more.
        times: How many of it stand one behind the other; a number, or an expression.
        output: The node whose result leaves it.
    """

    kind: Kind
    lines: tuple[str, ...]
    nodes: tuple[str, ...]
    output: str
    caption: str = ""
    times: str = ""


@dataclass(eq=False, slots=True)
class Chain:
    """Parts one behind the other; none, where a branch hands on what it gets."""

    parts: "list[Part]" = field(default_factory=list)


@dataclass(eq=False, slots=True)
class ForkPart:
    """Branches side by side, and the join behind them; the inputs of the join are in the order of the branches.

    Attributes:
        branches: The branches.
        sources: The node that each branch begins with the result of.
        join: Where they come together.
    """

    branches: list[Chain]
    sources: list[str]
    join: BoxPart


@dataclass(eq=False, slots=True)
class GroupPart:
    """Parts in a frame.

    Attributes:
        title: What the frame is called.
        chain: The parts.
        times: How often it stands one behind the other, drawn once; empty where it stands alone.
    """

    title: str
    chain: Chain
    times: str = ""


Part: TypeAlias = Union[BoxPart, ForkPart, GroupPart]  # noqa: UP007  # names of classes below


def boxes(part: "Part | Chain") -> Iterator[BoxPart]:
    """The boxes of a part, in the order in which they run."""
    if isinstance(part, BoxPart):
        yield part
    elif isinstance(part, ForkPart):
        for branch in part.branches:
            yield from boxes(branch)
        yield part.join
    else:
        for inner in (part.chain if isinstance(part, GroupPart) else part).parts:
            yield from boxes(inner)


def nodes(part: "Part | Chain") -> set[str]:
    """The nodes that a part stands for."""
    return {name for box in boxes(part) for name in box.nodes}


GAP = 30.0
"""Between two boxes one behind the other: room for an arrow, and for the shape beside it."""
SPREAD = 26.0
"""Between two branches."""
BAR = 22.0
"""How far behind a box the line turns that leads to branches; the shape stands above."""
LANE = 20.0
"""Half of the width of a branch that hands on what it gets."""
PAD, HEAD, FOOT = 12.0, 20.0, 24.0
"""Beside what is in a frame, above it for the title, and below it for the shape of what leaves it."""
CIRCLE = 22.0
LINE = 15.0
LEAST = 64.0
"""The least width of a box."""


@dataclass(frozen=True, slots=True)
class Measure:
    """How far a part goes from its axis to the left and to the right, and how high it is."""

    left: float
    right: float
    height: float


@dataclass(eq=False, slots=True)
class Placed:
    """A box with its place, and how lines get to it and leave it.

    Attributes:
        part: What it is.
        box: Where it is.
        axis: Along which line it is entered and left.
        turns: Where a line turns, on its way to the axis of a branch, that enters it from before the forks that it
            begins, the outermost first.
        lanes: Of a join, for each input the axis of its branch.
        passes: Of a join, the turns of those branches that hand on what they get.
    """

    part: BoxPart
    box: Box
    axis: float
    turns: tuple[Point, ...] = ()
    lanes: tuple[float, ...] = ()
    passes: dict[int, tuple[Point, ...]] = field(default_factory=dict)


@dataclass(eq=False, slots=True)
class Layout:
    """Where everything is.

    Attributes:
        shapes: The shape of what leaves a box, by its node: room is left for it.
        notes: A last line of boxes, by the identity of their parts: the share of the cost.
        placed: The boxes.
        frames: The frames, the outer before the inner.
    """

    shapes: Mapping[str, str]
    notes: Mapping[int, str] = field(default_factory=dict)
    placed: list[Placed] = field(default_factory=list)
    frames: list[FrameArea] = field(default_factory=list)

    # -------------------------------------------------------------- measures

    def lines(self, part: BoxPart) -> list[tuple[str, float, bool, bool]]:
        """The lines of a box: text, size, bold, faint."""
        note = self.notes.get(id(part), "")
        first = f"{part.lines[0]} {part.times}" if part.times and part.kind != "sum" else part.lines[0]
        found = [(part.caption, SMALL, False, True)] if part.caption else []
        found.append((first, TITLE, True, False))
        found += [(line, SMALL, False, False) for line in part.lines[1:]]
        return [*found, *([(note, SMALL, False, False)] if note else [])]

    def size(self, part: BoxPart) -> tuple[float, float]:
        """The width and the height of a box."""
        if part.kind == "sum":
            return CIRCLE, CIRCLE
        lines = self.lines(part)
        widest = max(text_width(text, size) * (1.06 if bold else 1) for text, size, bold, _ in lines)
        return max(LEAST, widest + 20), LINE * len(lines) + 10

    def measure(self, part: Part | Chain) -> Measure:
        """How large a part is."""
        if isinstance(part, BoxPart):
            width, height = self.size(part)
            label = 6 + text_width(self.shapes.get(part.output, ""), SMALL)
            return Measure(width / 2, max(width / 2, label), height)
        if isinstance(part, GroupPart):
            inner = self.measure(part.chain)
            title = text_width(part.title, SMALL) + 2 * PAD
            badge = text_width(part.times, TITLE) * 1.06 + 2 * PAD if part.times else 0.0
            sides = max(inner.left + PAD, title), max(inner.right + PAD, badge)
            return Measure(*sides, inner.height + HEAD + GAP / 2 + FOOT)
        return self._fork(part) if isinstance(part, ForkPart) else self._chain(part)

    def _chain(self, chain: Chain) -> Measure:
        if not chain.parts:
            return Measure(LANE, LANE, 0.0)
        sizes = [self.measure(part) for part in chain.parts]
        height = sum(size.height for size in sizes) + GAP * (len(sizes) - 1)
        return Measure(max(size.left for size in sizes), max(size.right for size in sizes), height)

    def _fork(self, fork: ForkPart) -> Measure:
        sizes = [self.measure(branch) for branch in fork.branches]
        axes, left, right = self._axes(fork, sizes)
        low, high, join = self._join(fork, axes)
        last = 6 + text_width(self.shapes.get(fork.join.output, ""), SMALL)
        height = max(size.height for size in sizes) + GAP * 2 - 4 + join
        return Measure(max(left, -low), max(right, high, last), height)

    def _axes(self, fork: ForkPart, sizes: list[Measure]) -> tuple[list[float], float, float]:
        """The axis of each branch from that of the fork, and how far they go to the left and to the right."""
        axes, edge = [], 0.0
        for size in sizes:
            axes.append(edge + size.left)
            edge += size.left + size.right + SPREAD
        busy = [axis for axis, branch in zip(axes, fork.branches, strict=True) if branch.parts]
        own = busy[0] if len(busy) == 1 else (axes[0] + axes[-1]) / 2
        return [axis - own for axis in axes], own, edge - SPREAD - own

    def _join(self, fork: ForkPart, axes: list[float]) -> tuple[float, float, float]:
        """From where to where a join goes, and its height: a sum is a circle; others reach over all branches."""
        width, height = self.size(fork.join)
        if fork.join.kind == "sum":
            return -width / 2, width / 2, height
        low, high = min(axes) - 16, max(axes) + 16
        more = max(0.0, width - (high - low)) / 2
        return low - more, high + more, height

    # -------------------------------------------------------------- places

    def place(self, part: Part | Chain, axis: float, top: float, turns: tuple[Point, ...] = ()) -> float:
        """Place a part below a height along an axis; the height at which it ends."""
        if isinstance(part, BoxPart):
            width, height = self.size(part)
            self._put(part, axis - width / 2, top, width, height, axis, turns)
            return top + height
        if isinstance(part, GroupPart):
            return self._place_group(part, axis, top, turns)
        if isinstance(part, ForkPart):
            return self._place_fork(part, axis, top, turns)
        for number, each in enumerate(part.parts):
            top = self.place(each, axis, top + (GAP if number else 0), () if number else turns)
        return top

    def _place_group(self, group: GroupPart, axis: float, top: float, turns: tuple[Point, ...]) -> float:
        size = self.measure(group)
        corner, width = (axis - size.left, top), size.left + size.right
        title = Words(group.title, (corner[0] + PAD, top + 14), anchor="start", faint=True)
        badge = (
            Words(group.times, (corner[0] + width - PAD, top + 15), TITLE, "end", bold=True) if group.times else None
        )
        self.frames.append(FrameArea(corner, width, size.height, title, badge))
        self.place(group.chain, axis, top + HEAD + GAP / 2, turns)
        return top + size.height

    def _place_fork(self, fork: ForkPart, axis: float, top: float, turns: tuple[Point, ...]) -> float:
        sizes = [self.measure(branch) for branch in fork.branches]
        axes, _, _ = self._axes(fork, sizes)
        bar, below = top - (GAP - BAR), top + GAP - BAR + 4
        tallest = max(size.height for size in sizes)
        passes: dict[int, tuple[Point, ...]] = {}
        for number, (branch, offset, size) in enumerate(zip(fork.branches, axes, sizes, strict=True)):
            into = (*turns, (axis + offset, bar))
            passes[number] = () if branch.parts else into
            self.place(branch, axis + offset, below + (tallest - size.height) / 2, into)
        low, high, height = self._join(fork, axes)
        start = below + tallest + GAP
        self._put(fork.join, axis + low, start, high - low, height, axis, ())
        joined = self.placed[-1]
        joined.lanes = tuple(axis + offset for offset in axes)
        joined.passes = {number: into for number, into in passes.items() if into}
        return start + height

    def _put(
        self, part: BoxPart, left: float, top: float, width: float, height: float, axis: float, turns: tuple[Point, ...]
    ) -> None:
        lines = self.lines(part)
        centre = left + width / 2
        base = top + 5 + (height - 10 - LINE * len(lines)) / 2
        words = tuple(
            Words(text, (centre, base + LINE * number + 11), size, "middle", bold, faint)
            for number, (text, size, bold, faint) in enumerate(lines)
        )
        box = Box((left, top), width, height, part.kind, words=words, nodes=part.nodes, stacked=bool(part.times))
        self.placed.append(Placed(part, box, axis, turns))
