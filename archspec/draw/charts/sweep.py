"""The points of a sweep: a quantity against a symbol."""

from collections.abc import Iterator, Sequence
from typing import Any

from archspec.draw.charts.parts import (
    alt,
    at,
    axis_title,
    beside_lines,
    lined,
    plain,
    rows,
    series,
    short_number,
    titled,
)
from archspec.errors import ArchspecError
from archspec.sweeps.family import decimal
from archspec.sweeps.table import Sweep

MOST_POINTS = 5000
"""As many points are drawn at most."""


def sweep(found: Sweep, along: str | None = None, of: Sequence[str] = (), by: Sequence[str] = ()) -> Any:
    """One panel for each quantity, against one symbol; a line for each combination of the others.

    Args:
        found: The sweep.
        along: The symbol; the first that was swept, unless it is given.
        of: The quantities up; all of the sweep, unless they are given.
        by: The columns that tell lines apart; all others that have several values, unless they are given.

    Raises:
        UnknownNameError: There is no such column.
        ArchspecError: Nothing was swept; there are too many points, or more lines than can be told apart.
    """
    if not found.axes or not len(found):
        raise ArchspecError("a sweep without a symbol, or without a point, has no picture")
    if len(found) > MOST_POINTS:
        raise ArchspecError(f"{len(found):,} points are more than {MOST_POINTS:,} for one picture; sweep fewer values")
    along = along or found.axes[0]
    quantities = tuple(of) or found.of
    others = tuple(by) or tuple(
        name for name in labels(found) if name != along and len(set(found.columns[name].tolist())) > 1
    )
    for name in (along, *quantities, *others):
        found.column(name)
    names = list(dict.fromkeys(named(found, others)))
    panels = [_panel(found, along, quantity, others, names) for quantity in quantities]
    fixed = f"{at(found.bindings)}; " if found.bindings else ""
    return titled(
        alt.vconcat(*panels, spacing=16),
        f"{' and '.join(found.specs)} along {along}",
        f"{fixed}convention {found.counting.convention.name}",
        within(found),
    )


def within(found: Sweep) -> str:
    """The bounds of a sweep, as what stands below a title says them."""
    ends = (
        (each.quantity, sign, end) for each in found.conditions for sign, end in (("≥", each.least), ("≤", each.most))
    )
    bounds = [f"{name} {sign} {short_number(end)}" for name, sign, end in ends if end is not None]
    return f"within {', '.join(bounds)}" if bounds else ""


def labels(found: Sweep) -> tuple[str, ...]:
    """The columns that say which point a row is: the specification, the plan, the symbols."""
    return tuple(name for name in found.columns if name in ("spec", "plan", *found.axes))


def named(found: Sweep, by: Sequence[str]) -> list[str]:
    """What each point is called by some columns."""
    columns = [(name, found.columns[name].tolist()) for name in by]
    return [
        ", ".join(
            values[row] if name in ("spec", "plan") else f"{name} = {decimal(values[row])}" for name, values in columns
        )
        for row in range(len(found))
    ]


def _panel(found: Sweep, along: str, quantity: str, others: Sequence[str], names: Sequence[str]) -> Any:
    records = list(_records(found, along, quantity, others))
    words = any(isinstance(record["x"], str) for record in records)
    encodings = series(list(names))
    x: Any = alt.X("x:N", sort=None, title=along)
    if not words:
        x = alt.X("x:Q", title=along, scale=alt.Scale(zero=False, nice=False, padding=8))
    y = alt.Y("y:Q", title=axis_title(quantity), axis=alt.Axis(format="~s"))
    base = alt.Chart(rows(records, list(names))).encode(x=x, y=y, tooltip=["series:N", "x:N", "y:Q"])
    points = base.mark_point(filled=True, size=40).encode(**beside_lines())
    return (base.mark_line(strokeWidth=1.8).encode(**lined(encodings)) + points).properties(width=480, height=220)


def _records(found: Sweep, along: str, quantity: str, others: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The points that have the quantity, and are along the symbol."""
    called = named(found, others)
    for place, value, name in zip(found.columns[along].tolist(), found.columns[quantity].tolist(), called, strict=True):
        if place is not None and value is not None:
            yield {"series": name, "x": place if isinstance(place, str) else plain(place), "y": plain(value)}
