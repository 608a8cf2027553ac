"""What no other point outdoes in two objectives, among all points, with networks of papers beside it."""

from collections.abc import Iterator, Sequence
from typing import Any

from archspec.cost import CostTable
from archspec.draw.charts.parts import alt, axis_title, dotted, plain, rows, series, titled
from archspec.draw.charts.sweep import labels, named, within
from archspec.draw.style import FAINT, INK
from archspec.errors import ArchspecError
from archspec.sweeps.criteria import Objective, quantity
from archspec.sweeps.table import Sweep

MOST_POINTS = 3000
"""As many of the points that are outdone are drawn at most: each of so many."""
LABELS = 6
"""So many points of the front are named, evenly along it."""


def front(
    best: Sweep, among: Sweep | None = None, tables: Sequence[CostTable] = (), log: Sequence[str] = ("x", "y")
) -> Any:
    """A front as a staircase, the points that it outdoes, and networks beside them.

    Args:
        best: A front, of `Sweep.front` or `archspec.sweep(…, front=…)`. Its first two objectives are the axes.
        among: The sweep that it is the front of, whose points are drawn too.
        tables: Networks to be marked, counted as the sweep is: those of papers, say.
        log: The axes that are logarithmic.

    Raises:
        ArchspecError: It is no front, or an objective is undefined for all.
    """
    if len(best.objectives) < 2:
        raise ArchspecError("a front has two objectives at least: sweep.front('min:macs', 'max:params')")
    horizontal, vertical = best.objectives[:2]
    names = [horizontal.quantity, vertical.quantity]
    known = list(_records(best, names, "front"))
    if not known:
        raise ArchspecError(f"no point of the front has both {names[0]} and {names[1]}")
    line = sorted(known, key=lambda record: record["x"])
    step = "step-before" if horizontal.largest else "step-after"
    cloud = [] if among is None else list(_records(among, names, "outdone"))[:: len(among) // MOST_POINTS + 1]
    papers = [_of_table(table, names) for table in tables]
    records = [*cloud, *line, *papers]
    layers = [
        *([_points(cloud, records, names, log, 14, 0.35)] if cloud else []),
        alt.Chart(rows(line)).encode(x="x:Q", y="y:Q").mark_line(interpolate=step, color=INK, strokeWidth=1),
        _points(known, records, names, log, 50, 1.0),
        _named(line),
        *(
            [
                _points(papers, records, names, log, 110, 1.0),
                _words(papers, align="right", dx=-9, dy=-6, fontSize=10, fontWeight="bold"),
            ]
            if papers
            else []
        ),
    ]
    more = f"; {', '.join(map(str, best.objectives[2:]))} is asked for too" if len(best.objectives) > 2 else ""
    return titled(
        alt.layer(*layers).properties(width=560, height=360),
        f"{' and '.join(best.specs)}: front of {_goal(horizontal)} and {_goal(vertical)}",
        f"{len(best):,} points that none of {best.points:,} outdoes{more}",
        within(best),
    )


def _goal(each: Objective) -> str:
    return f"{'most' if each.largest else 'least'} {each.quantity.replace('_', ' ')}"


KINDS = ("front", "outdone", "a paper's network")


def _records(found: Sweep, names: Sequence[str], kind: str) -> Iterator[dict[str, Any]]:
    called = named(found, [name for name in labels(found) if name != "spec" or len(found.specs) > 1])
    columns = (found.column(name).tolist() for name in names)
    for x, y, name in zip(*columns, called, strict=True):
        if x is not None and y is not None:
            yield {"series": kind, "x": plain(x), "y": plain(y), "label": name}


def _of_table(table: CostTable, names: Sequence[str]) -> dict[str, Any]:
    x, y = (plain(table.figure(name)) for name in names)
    if x is None or y is None:
        raise ArchspecError(f"{table.network.name} has no {names[0]} or no {names[1]}")
    return {"series": KINDS[2], "x": x, "y": y, "label": table.network.name}


def _points(
    records: Sequence[Any], every: Sequence[Any], names: Sequence[str], log: Sequence[str], size: int, opacity: float
) -> Any:
    channels = {}
    ticks = alt.Axis(format="~s", tickCount=5)
    for axis, name, of in (("x", names[0], alt.X), ("y", names[1], alt.Y)):
        positive = all(record[axis] > 0 for record in every)
        kind = "log" if axis in log and positive else "linear"
        scale = alt.Scale(type=kind, zero=False, nice=False, padding=16)
        channels[axis] = of(f"{axis}:Q", title=axis_title(quantity(name)), scale=scale, axis=ticks)
    kinds = [kind for kind in KINDS if any(record["series"] == kind for record in every)]
    encodings = dotted(series(kinds, lines=False, legend=True))
    base = alt.Chart(rows(records)).encode(**channels, tooltip=["label:N", "x:Q", "y:Q"])
    return base.mark_point(filled=True, size=size, opacity=opacity).encode(**encodings)


def _named(line: Sequence[Any]) -> Any:
    """The names of some points of the front, from its one end to the other."""
    chosen = [line[round(place * (len(line) - 1) / max(LABELS - 1, 1))] for place in range(LABELS)]
    unique = list({record["label"]: record for record in chosen}.values())
    return _words(unique, align="left", dx=6, dy=11, fontSize=9, color=FAINT)


def _words(records: Sequence[Any], **look: Any) -> Any:
    return alt.Chart(rows(records)).encode(x="x:Q", y="y:Q", text="label:N").mark_text(**look)
