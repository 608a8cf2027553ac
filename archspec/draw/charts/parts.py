"""What charts share: titles, scales of series, and numbers as they are read."""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from importlib import import_module
from typing import Any

from archspec.cost import Quantity, quantity
from archspec.dims import is_number
from archspec.draw.style import CONFIG, DASHES, MARGIN, SERIES, SHAPES
from archspec.errors import ArchspecError
from archspec.extras import need
from archspec.writing import printable

ROW = 16
"""The height of a row of bars or points."""

MOST_SERIES = len(SERIES)
MOST_ROWS = 400
"""As many rows of bars or points stand one below the other at most."""
MOST_POINTS = 20_000
"""As many points are drawn at most."""

PREFIXES = ((10**15, "P"), (10**12, "T"), (10**9, "G"), (10**6, "M"), (10**3, "k"))


class _Altair:
    """The library that charts are made with, loaded when one is made.

    Raises:
        MissingExtraError: It is not installed.
    """

    def __getattr__(self, name: str) -> Any:
        need("plot", "altair")
        return getattr(import_module("altair"), name)


alt: Any = _Altair()


def titled(chart: Any, title: str, *notes: str) -> Any:
    """A chart with the title above it, what else there is to say below that, and the look of all charts."""
    subtitle = [printable(note, 160) for note in notes if note]
    return chart.properties(
        title={"text": printable(title, 120), **({"subtitle": subtitle} if subtitle else {})},
        padding=MARGIN,
        config=CONFIG,
    )


def rows(records: Iterable[Mapping[str, Any]], coloured: Sequence[str] = ()) -> Any:
    """Data that stand in the chart itself; of series with their colours and shapes, if these are named.

    Raises:
        ArchspecError: There are more points than can be seen.
    """
    values = [dict(record) for record in records]
    if len(values) > MOST_POINTS:
        raise ArchspecError(
            f"{len(values):,} points are more than {MOST_POINTS:,} for one picture; choose fewer values"
        )
    for record in values if coloured else ():
        place = list(coloured).index(record["series"])
        record |= {"colour": SERIES[place], "shape": SHAPES[place]}
    return alt.Data(values=values)


def plain(value: Any) -> float | int | None:
    """A number as JSON has it; None where there is none.

    Raises:
        ArchspecError: It is an expression or an array.

    >>> plain(Fraction(1, 2)), plain(7), plain(None)
    (0.5, 7, None)
    """
    if value is None:
        return None
    if not is_number(value):
        raise ArchspecError(f"a chart is of numbers; bind the symbols that are free (got {printable(value, 60)})")
    return int(value) if isinstance(value, int) or value.denominator == 1 else float(value)


def axis_title(name: str | Quantity) -> str:
    """What stands at the axis of a quantity: its heading, which has its unit.

    >>> axis_title("memory"), axis_title("macs"), axis_title("receptive_field")
    ('peak memory [B]', 'MACs', 'receptive field [px]')
    """
    found = quantity(name) if isinstance(name, str) else name
    unit = f" [{found.unit}]" if found.unit and found.unit not in found.heading else ""
    return f"{found.heading}{unit}"


def short_number(value: Any) -> str:
    """A number to three digits, with a prefix.

    >>> short_number(568740352), short_number(Fraction(3, 8)), short_number(25), short_number(999999)
    ('569 M', '0.375', '25', '1 M')
    """
    for size, prefix in PREFIXES:
        if abs(value) >= size * Fraction(9995, 10000):
            return f"{float(Fraction(value) / size):.3g} {prefix}"
    return str(value) if isinstance(value, int) else f"{float(value):.3g}"


def few(found: Sequence[Any]) -> Sequence[Any]:
    """What has a row each, if that is not too much.

    Raises:
        ArchspecError: There are more rows than can be seen.
    """
    if len(found) > MOST_ROWS:
        raise ArchspecError(f"{len(found):,} rows are more than {MOST_ROWS} for one picture; group them by stage, say")
    return found


def series(
    names: Sequence[str], title: str | None = None, *, lines: bool = True, legend: bool | None = None, offset: int = 12
) -> dict[str, Any]:
    """The encodings that tell series apart, of the field "series": colour, and a dash and a shape beside it.

    Args:
        names: The series.
        title: What stands before them in the legend.
        lines: Whether they are lines, or points alone: the legend shows their dashes, or their shapes.
        legend: Whether there is a legend; where there are several series, unless it is said.
        offset: How far below the chart it stands.

    Raises:
        ArchspecError: There are more than can be told apart.
    """
    if len(names) > MOST_SERIES:
        raise ArchspecError(f"{len(names)} series cannot be told apart; choose {MOST_SERIES} at most")
    shown = len(names) > 1 if legend is None else legend
    mark: dict[str, Any] = (
        {"symbolType": "stroke", "symbolSize": 500} if lines else {"symbolSize": 80, "symbolOpacity": 1}
    )
    key = alt.Legend(title=title, orient="bottom", columns=3, offset=offset, **mark) if shown else None

    def scale(values: Sequence[Any]) -> Any:
        return alt.Scale(domain=list(names), range=list(values[: len(names)]))

    return {
        "color": alt.Color("series:N", scale=scale(SERIES), legend=key),
        "strokeDash": alt.StrokeDash("series:N", scale=scale(DASHES), legend=key),
        "shape": alt.Shape("series:N", scale=scale(SHAPES), legend=key),
    }


def lined(encodings: Mapping[str, Any]) -> dict[str, Any]:
    """Of the encodings of series, those of a line."""
    return {name: encodings[name] for name in ("color", "strokeDash")}


def dotted(encodings: Mapping[str, Any]) -> dict[str, Any]:
    """Of the encodings of series, those of points."""
    return {name: encodings[name] for name in ("color", "shape")}


def beside_lines() -> dict[str, Any]:
    """The colour and the shape of points that lie on the lines of series, of data that `rows` has coloured.

    They have no scales: Vega-Lite would put their shapes into the legend of the lines.
    """
    return {"color": alt.Color("colour:N", scale=None), "shape": alt.Shape("shape:N", scale=None)}


def at(bindings: Mapping[str, Any]) -> str:
    """The values of symbols, as titles say them.

    >>> at({"alpha": Fraction(1, 2), "side": 224})
    'alpha = 1/2, side = 224'
    """
    return ", ".join(f"{name} = {value}" for name, value in bindings.items())
