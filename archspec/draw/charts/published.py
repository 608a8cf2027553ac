"""A paper's printed figures and ours."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import groupby
from typing import Any

from archspec.draw.charts.parts import ROW, alt, dotted, rows, series, titled
from archspec.draw.style import FAINT, GRID
from archspec.errors import ArchspecError
from archspec.published import UNITS, Finding, Findings, Printed, Verdict

VERDICTS = tuple(str(verdict) for verdict in Verdict if verdict is not Verdict.MEASURED)
MOST = 80
"""As many figures have a row of their own at most."""


def published(findings: Findings, where: str | None = None) -> Any:
    """Each figure by how many per cent ours differs from the print, with what rounds to the print as a bar.

    Args:
        findings: What was found of a paper's figures; those that were measured, and prints of 0, are left out.
        where: The table or figure of the paper that is shown; all of them unless it is given.

    Raises:
        ArchspecError: Nothing is left to be shown, or too much.
    """
    paper = findings.paper
    places = list(dict.fromkeys(finding.figure.where for finding in findings))
    if where is not None and where not in places:
        raise ArchspecError(f"{paper.figures_of} has no figures of '{where}'; there are {', '.join(map(repr, places))}")
    shown = [f for f in findings if where in (None, f.figure.where) and f.computed is not None and _print(f).value]
    if not shown:
        raise ArchspecError(f"{paper.figures_of}: none of the figures can be computed, so there is no picture")
    if len(shown) > MOST:
        known = ", ".join(map(repr, places))
        raise ArchspecError(f"{len(shown)} figures are more than {MOST} for one picture; choose a place: {known}")
    groups = groupby(sorted(shown, key=lambda f: places.index(f.figure.where)), lambda f: f.figure.where)
    limit = max(1.0, *(abs(_record(f)["off"]) for f in shown))
    tables = [(place, list(group)) for place, group in groups]
    panels = [_panel(place, group, limit, last=place == tables[-1][0]) for place, group in tables]
    source = paper.source
    return titled(
        alt.vconcat(*panels, spacing=14),
        f"{paper.figures_of}: printed figures and ours",
        source.title + (f" ({source.year})" if source.year else ""),
        "0 is the print; bars: all numbers that round to it; a known erratum has *",
    )


def _print(finding: Finding) -> Printed:
    return Printed.read(finding.figure.printed, finding.figure.unit, finding.figure.digits)


def _record(finding: Finding) -> dict[str, Any]:
    figure, printed = finding.figure, _print(finding)
    ours = Fraction(finding.computed) / UNITS[figure.unit]
    half = 50 * float(printed.step / abs(printed.value))
    places = len(figure.printed.partition(".")[2])
    unit = f" {figure.unit}" if figure.unit else ""
    return {
        "figure": figure.id + ("*" if figure.erratum else ""),
        "series": str(finding.verdict),
        "off": float(100 * (Fraction(finding.computed) - printed.value) / abs(printed.value)),
        "low": -half,
        "high": half,
        "label": f"{figure.printed}{unit} printed, {float(ours):,.{places + 2}f}{unit} ours",
    }


def _panel(place: str, findings: Sequence[Finding], limit: float, last: bool) -> Any:
    """The figures of one table; the last has the axis below it."""
    records = [_record(finding) for finding in findings]
    scale = alt.Scale(type="symlog", constant=1, domain=[-limit, limit])
    axis = alt.Axis(values=_ticks(limit), format="~f", labels=last, ticks=last)
    title = "ours − printed [% of the print]" if last else None
    x = alt.X("off:Q", title=title, scale=scale, axis=axis)
    base = alt.Chart(rows(records)).encode(y=alt.Y("figure:N", sort=None, title=None))
    bars = base.mark_bar(color=GRID, height={"band": 0.7}).encode(
        x=alt.X("low:Q", scale=scale, title=title), x2="high:Q"
    )
    points = base.mark_point(filled=True, size=60).encode(x=x, **dotted(series(VERDICTS, lines=False, legend=True)))
    words = base.mark_text(align="left", fontSize=10, color=FAINT, dx=8).encode(x=alt.XValue(360), text="label:N")
    head = {"text": place or "elsewhere", "fontSize": 11, "anchor": "start", "frame": "group", "offset": 4}
    return (bars + points + words).properties(width=360, height=ROW * len(records), title=head)


def _ticks(limit: float) -> list[float]:
    up = [tick for tick in (0.1, 1, 10, 100, 1000) if tick <= limit and not (tick < 1 < limit)]
    return [*(-tick for tick in reversed(up)), 0, *up]
