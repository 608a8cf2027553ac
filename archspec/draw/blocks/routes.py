"""The arrows of a drawing: one for each result that one box takes of another, along the lanes of the layout.

They come from the network's own edges, not from the parts, so that a picture has every edge that the network has. What
fits no lane goes around, on the right of everything.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from archspec.draw.blocks.layout import Placed
from archspec.draw.blocks.scene import Arrow, Point
from archspec.graph import Network

OUT = 26.0
"""How long the arrow is that leaves the drawing."""
AROUND = 14.0
"""How far lines that go around are apart."""
CORNER, BELOW, ABOVE = 9.0, 3.5, 11.0
"""Where lines that go around leave a box and enter one: above the shape that stands below it, and below that."""


def edges(network: Network, alias: Mapping[str, str], placed: Sequence[Placed]) -> list[tuple[int, int, int]]:
    """From which box to which, and into which input of a join; what leads back into a folded repeat is its inside.

    A join may take one result twice; other boxes have one arrow from each box that they take something of.
    """
    home = {name: number for number, each in enumerate(placed) for name in each.part.nodes}
    found: dict[tuple[int, int, int], None] = {}
    for node in network.nodes:
        target = home.get(node.name)
        if target is None:
            continue
        joins = len(placed[target].lanes) == len(node.inputs) > 1
        for port, name in enumerate(node.inputs):
            source = home.get(alias[name])
            if source is not None and source < target:
                found[source, target, port if joins else 0] = None
    return list(found)


def arrows(
    network: Network, alias: Mapping[str, str], placed: Sequence[Placed], ends: str, right: float
) -> Iterator[Arrow]:
    """The arrows of a layout, and the one that leaves it.

    Args:
        network: The network.
        alias: What each node's name stands for, where it hands on what it gets.
        placed: The boxes; the first stand for what flows in.
        ends: The node whose result leaves the drawing.
        right: Where the drawing ends on the right.
    """
    around = 0
    for source, target, port in edges(network, alias, placed):
        lane = _lane(placed, source, target, port)
        if lane is None:
            around += 1
            lane = _around(placed[source], placed[target], right + AROUND * around)
            yield Arrow(_clean(lane), source, target, far=True)
        else:
            yield Arrow(_clean(lane), source, target)
    last = next((n for n, each in enumerate(placed) if alias[ends] in each.part.nodes), len(placed) - 1)
    box = placed[last]
    yield Arrow(((box.axis, box.box.bottom), (box.axis, box.box.bottom + OUT)), last, None)


def _lane(placed: Sequence[Placed], source: int, target: int, port: int) -> tuple[Point, ...] | None:
    """The way along the lanes; None where a box would stand in it."""
    there = placed[target]
    points = _into_join(placed[source], there, port) if there.lanes else _into(placed[source], there, there.turns)
    others = [each for number, each in enumerate(placed) if number not in (source, target)]
    return None if points is None or any(_meets(points, each) for each in others) else points


def _into(start: Placed, there: Placed, turns: Sequence[Point]) -> tuple[Point, ...] | None:
    """Down from a box, through the turns that lie below it, into the top of another."""
    points = _through(start, turns)
    if abs(points[-1][0] - there.axis) > 0.5:
        return None
    return (*points, (points[-1][0], there.box.top))


def _through(start: Placed, turns: Sequence[Point]) -> list[Point]:
    points = [(start.axis, start.box.bottom)]
    for axis, height in turns:
        if height >= start.box.bottom - 0.5:
            points += [(points[-1][0], height), (axis, height)]
    return points


def _into_join(start: Placed, join: Placed, port: int) -> tuple[Point, ...] | None:
    """Down the lane of a branch, into the top of a join that reaches over it, or the side of a sum."""
    points = _through(start, join.passes.get(port, ()))
    lane = join.lanes[port]
    if abs(points[-1][0] - lane) > 0.5:
        return None
    if join.box.left <= lane <= join.box.right:
        return (*points, (points[-1][0], join.box.top))
    side = join.box.left if lane < join.box.left else join.box.right
    return (*points, (points[-1][0], join.box.middle[1]), (side, join.box.middle[1]))


def _meets(points: Sequence[Point], each: Placed) -> bool:
    """Whether a line of straight pieces runs through a box."""
    box = each.box
    for (x1, y1), (x2, y2) in pairwise(points):
        left, right, top, bottom = min(x1, x2), max(x1, x2), min(y1, y2), max(y1, y2)
        if left < box.right - 1 and right > box.left + 1 and top < box.bottom - 1 and bottom > box.top + 1:
            return True
    return False


def _around(start: Placed, there: Placed, x: float) -> tuple[Point, ...]:
    """Out of a box below its right corner, down on the right of everything, and into the right corner of another.

    Sums are left and entered at their side.
    """
    one, other = start.box, there.box
    leaving: tuple[Point, ...] = ((one.right, one.middle[1]), (x, one.middle[1]))
    entering: tuple[Point, ...] = ((x, other.middle[1]), (other.right, other.middle[1]))
    if one.kind != "sum":
        corner, below = one.right - CORNER, one.bottom + BELOW
        leaving = ((corner, one.bottom), (corner, below), (x, below))
    if other.kind != "sum":
        corner, above = other.right - CORNER, other.top - ABOVE
        entering = ((x, above), (corner, above), (corner, other.top))
    return (*leaving, *entering)


def _clean(points: Sequence[Point]) -> tuple[Point, ...]:
    """The points without those at which nothing turns."""
    found: list[Point] = []
    for point in points:
        if found and abs(point[0] - found[-1][0]) < 0.01 and abs(point[1] - found[-1][1]) < 0.01:
            continue
        if len(found) > 1 and _straight(found[-2], found[-1], point):
            found.pop()
        found.append(point)
    return tuple(found)


def _straight(a: Point, b: Point, c: Point) -> bool:
    return abs(a[0] - b[0]) < 0.01 > abs(b[0] - c[0]) or abs(a[1] - b[1]) < 0.01 > abs(b[1] - c[1])
