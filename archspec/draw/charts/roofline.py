"""How fast each part of a network can run on a device at most (Williams, Waterman and Patterson 2009)."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from archspec.cost import CostRow, CostTable
from archspec.draw.charts.parts import (
    ROW,
    alt,
    at,
    axis_title,
    dotted,
    few,
    plain,
    rows,
    series,
    short_number,
    titled,
)
from archspec.draw.style import FAINT, INK
from archspec.errors import ArchspecError
from archspec.ops.opaque import not_counted

BOUND = ("memory is the limit", "arithmetic is the limit")


def roofline(table: CostTable, peak: Any, bandwidth: Any, by: str | int = "block") -> Any:
    """The most that each part can reach: the device's peak, or its bandwidth times the part's intensity.

    A part's area is its share of the least time that all parts take. Parts without multiply-accumulates, which have no
    place on the picture, are in that time, as far as they move bytes.

    Args:
        table: The counted network.
        peak: The multiply-accumulates that the device does in a second.
        bandwidth: The bytes that it reads and writes in a second.
        by: What a point stands for, as `CostTable.by` takes it.

    Raises:
        ArchspecError: A rate is not above 0; symbols are free; nothing has multiply-accumulates.
    """
    peak, bandwidth = Fraction(peak), Fraction(bandwidth)
    if peak <= 0 or bandwidth <= 0:
        raise ArchspecError("the peak and the bandwidth of a device are above 0")
    every = table.by(by)
    found = few([row for row in every if plain(row.macs)])
    if not found:
        raise ArchspecError(f"{table.network.name} has no multiply-accumulates, so it has no roofline")
    time = sum((_seconds(row, peak, bandwidth) for row in every), Fraction(0))
    records = [_record(row, peak, bandwidth, time) for row in found]
    roof = alt.layer(_roof(records, peak, bandwidth), _points(records)).properties(width=380, height=300)
    meet = f"they meet at {short_number(peak / bandwidth)} MACs/B"
    return titled(
        alt.hconcat(roof, _times(records), spacing=24),
        f"{table.network.name}: roofline",
        f"{at(table.network.bindings)}; batch {table.network.batch}; {table.counting.dtype} activations",
        f"{short_number(peak)}MAC/s, {short_number(bandwidth)}B/s: {meet}",
        f"at least {short_number(time * 1000)} ms, one part after the other; areas and bars: the parts' shares of it",
        *not_counted(table.network.opaque),
    )


def _seconds(row: CostRow, peak: Fraction, bandwidth: Fraction) -> Fraction:
    """The least time of a part."""
    return max(Fraction(row.macs) / peak, Fraction(row.figure("traffic")) / bandwidth)


def _record(row: CostRow, peak: Fraction, bandwidth: Fraction, time: Fraction) -> dict[str, Any]:
    intensity, seconds = Fraction(row.figure("intensity")), _seconds(row, peak, bandwidth)
    return {
        "part": row.name,
        "series": BOUND[intensity * bandwidth >= peak],
        "x": float(intensity),
        "y": float(Fraction(row.macs) / seconds),
        "share": float(seconds / time),
        "label": f"{float(100 * seconds / time):.1f} %",
    }


def _roof(records: Sequence[Mapping[str, Any]], peak: Fraction, bandwidth: Fraction) -> Any:
    ridge = float(peak / bandwidth)
    low, high = (pick((*(record["x"] for record in records), ridge)) for pick in (min, max))
    corners = [(low / 2, low / 2 * float(bandwidth)), (ridge, float(peak)), (high * 2, float(peak))]
    x = alt.X("x:Q", title=f"intensity [{axis_title('intensity')}]", scale=alt.Scale(type="log", nice=False))
    scale = alt.Scale(type="log", domain=[corners[0][1], 1.5 * float(peak)], nice=False)
    y = alt.Y("y:Q", title="at most [MAC/s]", scale=scale, axis=alt.Axis(format="~s"))
    line = alt.Chart(rows({"x": x, "y": y} for x, y in corners)).mark_line(color=INK, strokeWidth=2)
    return line.encode(x=x, y=y)


def _points(records: Sequence[Mapping[str, Any]]) -> Any:
    size = alt.Size("share:Q", scale=alt.Scale(range=[20, 900], domainMin=0), legend=None)
    tooltip = ["part:N", alt.Tooltip("x:Q", title="MACs/B"), alt.Tooltip("share:Q", format=".1%")]
    base = alt.Chart(rows(records)).encode(x="x:Q", y="y:Q", size=size, tooltip=tooltip)
    return base.mark_point(filled=True, opacity=0.8).encode(**dotted(series(BOUND, lines=False, legend=True)))


def _times(records: Sequence[Mapping[str, Any]]) -> Any:
    """The parts' shares of the least time, those whose limit is the arithmetic lighter."""
    colour = series(BOUND, lines=False, legend=False)["color"]
    base = alt.Chart(rows(records)).encode(
        y=alt.Y("part:N", sort=None, title=None, axis=alt.Axis(ticks=False, domain=False)),
        x=alt.X("share:Q", title="share of the least time", axis=alt.Axis(format="%", tickCount=4)),
    )
    fill = alt.FillOpacity("series:N", scale=alt.Scale(domain=list(BOUND), range=[1, 0.35]), legend=None)
    bars = base.mark_bar(height={"band": 0.7}, strokeWidth=1).encode(color=colour, stroke=colour, fillOpacity=fill)
    words = base.mark_text(align="left", dx=3, fontSize=9, color=FAINT).encode(text="label:N")
    return (bars + words).properties(width=180, height=ROW * len(records))
