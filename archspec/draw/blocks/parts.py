"""What a drawing of a network is made of, before it has a place: boxes, chains, forks, groups."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, Union

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
