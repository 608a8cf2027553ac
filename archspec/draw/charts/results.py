"""Columns of a CSV file against each other: its rows are read within bounds, chosen, and made numbers."""

import csv
import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archspec.draw.charts.parts import alt, beside_lines, dotted, lined, rows, series, titled
from archspec.errors import ArchspecError, UnknownNameError, suggestion
from archspec.writing import printable

MOST_BYTES = 64 * 2**20


@dataclass(frozen=True, slots=True)
class CsvRows:
    """The rows of a file.

    Attributes:
        name: What the file is called.
        columns: The names in its header.
        rows: Its rows, by column, as text.
    """

    name: str
    columns: tuple[str, ...]
    rows: tuple[Mapping[str, str], ...]

    def check(self, column: str) -> str:
        """The column, if there is one of that name.

        Raises:
            UnknownNameError: There is none.
        """
        if column not in self.columns:
            hint = suggestion(column, self.columns)
            raise UnknownNameError(f"{self.name}: no column '{printable(column, 60)}'{printable(hint, 400)}")
        return column

    def where(self, wanted: Mapping[str, Sequence[str]]) -> "CsvRows":
        """The rows that have one of the values wanted of each column.

        Raises:
            UnknownNameError: There is no such column.
            ArchspecError: No row has them.
        """
        for column in wanted:
            self.check(column)
        kept = tuple(row for row in self.rows if all(row[column] in values for column, values in wanted.items()))
        if not kept:
            asked = ", ".join(f"{column}={'|'.join(values)}" for column, values in wanted.items())
            raise ArchspecError(f"{self.name}: no row has {printable(asked)}")
        return CsvRows(self.name, self.columns, kept)

    def number(self, row: Mapping[str, str], column: str) -> float | None:
        """The number that a row has in a column; None where the cell is empty.

        Raises:
            ArchspecError: It has something else there.
        """
        text = row[column].strip()
        if not text:
            return None
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise ArchspecError(f"{self.name}: the column '{column}' has '{printable(text, 40)}', which is no number")
        return value


def read(path: str | os.PathLike[str]) -> CsvRows:
    """The rows of a CSV file with a header.

    Raises:
        ArchspecError: It cannot be read, is too large, has no header, or a row of another length.
    """
    name = os.fspath(path)
    try:
        if Path(path).stat().st_size > MOST_BYTES:
            raise ArchspecError(
                f"{name}: is larger than {MOST_BYTES // 2**20} MiB; choose the rows that are to be seen"
            )
        with Path(path).open(encoding="utf-8", newline="") as file:
            return table(name, csv.reader(file))
    except OSError as error:
        raise ArchspecError(f"{name}: cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise ArchspecError(f"{name}: is no CSV file in UTF-8: {error}") from None


def table(name: str, lines: Iterable[Sequence[str]]) -> CsvRows:
    """Rows, the first of which is their header.

    Raises:
        ArchspecError: There are none, a name stands twice, or a row is of another length.
    """
    found = [tuple(line) for line in lines if line]
    if len(found) < 2:
        raise ArchspecError(f"{name}: needs a header and a row at least")
    header, *body = found
    twice = next((column for column in header if header.count(column) > 1), None)
    if twice is not None:
        raise ArchspecError(f"{name}: the column '{printable(twice, 60)}' stands twice")
    for number, line in enumerate(body, 2):
        if len(line) != len(header):
            raise ArchspecError(f"{name}: row {number} has {len(line)} cells, for {len(header)} columns")
    return CsvRows(name, header, tuple(dict(zip(header, line, strict=True)) for line in body))


UNITS = {"percent": "%", "bytes": "B", "seconds": "s", "bits": "bit", "ms": "ms", "mb": "MB", "kb": "kB"}


def heading(column: str) -> str:
    """What stands at the axis of a column: its words, and its unit in brackets.

    >>> heading("test_error_percent"), heading("epoch"), heading("packed_bytes")
    ('test error [%]', 'epoch', 'packed [B]')
    """
    words = column.split("_")
    if len(words) > 1 and words[-1].lower() in UNITS:
        return f"{' '.join(words[:-1])} [{UNITS[words[-1].lower()]}]"
    return " ".join(words)


AXES = ("x", "y")


def results(
    table: CsvRows,
    x: str,
    y: Sequence[str],
    series: Sequence[str] = (),
    where: Mapping[str, Sequence[str]] | None = None,
    log: Sequence[str] = (),
    title: str | None = None,
) -> Any:
    """Lines through the means of rows that have the same x, and bars from their least to their most.

    Args:
        table: The rows.
        x: The column along; where it holds words, there are points and no lines.
        y: The columns up, one panel each.
        series: The columns that tell lines apart: one line for each of their values together.
        where: The rows that are wanted: values of columns.
        log: The axes that are logarithmic: "x", "y".
        title: What stands above; the file's name unless it is given.

    Raises:
        UnknownNameError: There is no such column.
        ArchspecError: A cell of y is no number; no row is left; there are more lines than can be told apart.
    """
    chosen = table.where(where or {})
    for column in (x, *y, *series):
        chosen.check(column)
    for axis in log:
        if axis not in AXES:
            raise ArchspecError(f"an axis is x or y (got '{axis}')")
    panels = [_panel(chosen, x, column, tuple(series), log) for column in y]
    seeds = "" if all(single for _, single in panels) else "means of rows that are alike; bars: the least and the most"
    chosen_by = "; ".join(f"{name} = {' or '.join(values)}" for name, values in (where or {}).items())
    return titled(alt.vconcat(*(chart for chart, _ in panels), spacing=16), title or table.name, chosen_by, seeds)


def _panel(table: CsvRows, x: str, y: str, by: tuple[str, ...], log: Sequence[str]) -> tuple[Any, bool]:
    """A chart, and whether every point of it is a single row."""
    records = list(_records(table, x, y, by))
    if not records:
        raise ArchspecError(f"{table.name}: no row has both {x} and {y}")
    for axis in log:
        if any(not isinstance(r[axis], str) and r["low" if axis == "y" else "x"] <= 0 for r in records):
            raise ArchspecError(f"{table.name}: a logarithmic axis has no place for numbers that are not above 0")
    names = list(dict.fromkeys(record["series"] for record in records))
    words = any(isinstance(record["x"], str) for record in records)
    encodings = series(names, " / ".join(map(heading, by)) or None, lines=not words, legend=bool(by))
    along = (
        alt.X("x:N", title=heading(x), sort=None, axis=alt.Axis(labelAngle=-30))
        if words
        else alt.X("x:Q", title=heading(x), scale=_scale("x", log))
    )
    up = alt.Y("y:Q", title=heading(y), scale=_scale("y", log))
    base = alt.Chart(rows(records, names)).encode(
        x=along, tooltip=["series:N", "x:N", "y:Q", "low:Q", "high:Q", "rows:Q"]
    )
    bars = base.mark_rule(strokeWidth=1.5, opacity=0.6).encode(
        y=alt.Y("low:Q", title=heading(y)), y2="high:Q", color=beside_lines()["color"]
    )
    few = len(records) <= 40 * len(names)
    points = base.mark_point(filled=True, size=45 if few else 12).encode(
        y=up, **(dotted(encodings) if words else beside_lines())
    )
    layers = (
        [bars, points] if words else [bars, base.mark_line(strokeWidth=1.8).encode(y=up, **lined(encodings)), points]
    )
    single = all(record["rows"] == 1 for record in records)
    return alt.layer(*layers).properties(width=460, height=240), single


def _scale(axis: str, log: Sequence[str]) -> Any:
    return alt.Scale(type="log" if axis in log else "linear", zero=False, nice=False, padding=8)


def _records(table: CsvRows, x: str, y: str, by: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """One record for each x of each series: the mean of its rows, the least and the most; empty cells are left out."""
    groups: dict[tuple[str, Any], list[float]] = {}
    numbers = _are_numbers(table, x)
    for row in table.rows:
        value = table.number(row, y)
        place = table.number(row, x) if numbers else row[x]
        if value is not None and place not in (None, ""):
            groups.setdefault((", ".join(row[name] or "–" for name in by), place), []).append(value)
    order = list(dict.fromkeys(name for name, _ in groups))
    for (name, place), values in sorted(
        groups.items(), key=lambda item: (order.index(item[0][0]), 0 if not numbers else item[0][1])
    ):
        mean = sum(values) / len(values)
        yield {"series": name, "x": place, "y": mean, "low": min(values), "high": max(values), "rows": len(values)}


def _are_numbers(table: CsvRows, column: str) -> bool:
    """Whether a column holds numbers, in every cell that is not empty."""
    try:
        numbers = [table.number(row, column) for row in table.rows]
    except ArchspecError:
        return False
    return any(number is not None for number in numbers)
