"""What each part of a network costs, as bars."""

from collections.abc import Sequence
from typing import Any

from archspec.cost import CostRow, CostTable, quantity
from archspec.draw.charts.parts import ROW, alt, at, axis_title, few, plain, rows, short_number, titled
from archspec.draw.style import BLUE, FAINT
from archspec.errors import ArchspecError
from archspec.ops.opaque import not_counted


def costs(table: CostTable, of: Sequence[str] = ("macs", "params"), by: str | int = "block") -> Any:
    """Bars of quantities, beside each other, one row per part of the network; parts that have nothing are left out.

    Args:
        table: The counted network.
        of: The quantities.
        by: What a row stands for, as `CostTable.by` takes it.

    Raises:
        ArchspecError: A quantity or a grouping is unknown; symbols are free; there is nothing to be seen.
    """
    found = few([row for row in table.by(by) if any(plain(row.figure(name)) for name in of)])
    if not found:
        raise ArchspecError(f"{table.network.name} has no {' and no '.join(of)}, so there are no bars")
    left = len(table.by(by)) - len(found)
    panels = [_panel(table, found, name, labels=not number) for number, name in enumerate(of)]
    total = ", ".join(f"{quantity(name).heading} {_label(table.figure(name))}" for name in of)
    return titled(
        alt.hconcat(*panels, spacing=24),
        table.network.name,
        f"{at(table.network.bindings)}; batch {table.network.batch}; convention {table.convention.name}",
        f"all of it: {total}",
        f"{left} without any {'is' if left == 1 else 'are'} left out" if left else "",
        *not_counted(table.network.opaque),
    )


def _panel(table: CostTable, found: Sequence[CostRow], name: str, labels: bool) -> Any:
    """The bars of one quantity; of a sum, each with its share of the whole."""
    whole = table.figure(name) if quantity(name).kind == "sum" else None
    records = [
        {
            "part": row.name,
            "kind": row.operator,
            "value": plain(row.figure(name)),
            "label": _label(row.figure(name), whole),
        }
        for row in found
    ]
    y = alt.Y("part:N", sort=None, title=None, axis=alt.Axis(labels=labels, ticks=False, domain=False))
    x = alt.X("value:Q", title=axis_title(name), axis=alt.Axis(format="~s", tickCount=4))
    base = alt.Chart(rows(records)).encode(y=y, x=x)
    bars = base.mark_bar(color=BLUE, height={"band": 0.72}).encode(
        tooltip=[alt.Tooltip("part:N"), alt.Tooltip("kind:N"), alt.Tooltip("value:Q", title=name, format=",")]
    )
    words = base.mark_text(align="left", dx=3, fontSize=9, color=FAINT).encode(text="label:N")
    return (bars + words).properties(width=260, height=ROW * len(found))


def _label(value: Any, whole: Any = None) -> str:
    """What stands behind a bar: the share, or the number where there is no whole that it is a share of."""
    if value is None:
        return "–"
    return f"{100 * float(value) / float(whole):.1f} %" if whole else short_number(value)
