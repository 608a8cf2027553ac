"""Rows of CSV files for charts: read within bounds, chosen, and numbers made of their text."""

import csv
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

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
