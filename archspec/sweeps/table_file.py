"""The columns of a sweep as a file: comma-separated values, JSON or Parquet, written by DuckDB.

A whole number is one in each of them, however wide; a fraction is the nearest float, unless it is a value of a symbol
that no decimal says: then it is text, 1/3, as `--set` takes it.
"""

import os
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archspec.errors import ArchspecError
from archspec.extras import need
from archspec.files import WrittenFile, replacing
from archspec.sweeps.rows import objects

if TYPE_CHECKING:
    from archspec.sweeps.table import Sweep

FORMATS = {
    ".csv": "FORMAT csv, HEADER",
    ".json": "FORMAT json, ARRAY",
    ".parquet": "FORMAT parquet, COMPRESSION zstd",
}
"""How DuckDB is told to write, by the ending of a file."""

DIGITS = 38
"""The digits that a whole number of DuckDB has at most."""


def check_ending(path: str | os.PathLike[str]) -> str:
    """The ending of a file that a sweep can be written to.

    Raises:
        ArchspecError: It has another.
    """
    ending = Path(path).suffix
    if ending not in FORMATS:
        raise ArchspecError(f"{path}: a sweep is written to {', '.join(FORMATS)} (got '{ending}')")
    return ending


def write(found: "Sweep", path: str | os.PathLike[str]) -> WrittenFile:
    """Write the columns of a sweep; the file appears when it is whole, or not at all.

    Raises:
        ArchspecError: Another ending, or a file that cannot be written.
        MissingExtraError: DuckDB is not installed.
    """
    ending = check_ending(path)
    need("sweep", "duckdb")
    import duckdb

    columns, names = {}, []
    for place, (name, column) in enumerate(found.columns.items()):
        columns[f"c{place}"], kind = _plain(column, exactly=name in found.axes)
        source = f"c{place}" if kind is None else f"CAST(c{place} AS {kind})"
        names.append(f'{source} AS "{name}"')  # names of symbols and quantities are letters, digits and _
    with replacing(Path(path)) as file:
        target = str(file).replace("'", "''")
        try:
            with duckdb.connect() as connection:
                connection.execute("SET threads = 1")  # and so the same rows in the same groups
                connection.register("points", columns)
                connection.execute(f"COPY (SELECT {', '.join(names)} FROM points) TO '{target}' ({FORMATS[ending]})")  # noqa: S608
        except duckdb.Error as error:
            raise ArchspecError(f"cannot write {path}: {str(error).splitlines()[0]}") from None
        size = file.stat().st_size
    return WrittenFile(Path(path), size, (f"{len(found):,} points", f"{len(names)} columns"))


def _plain(column: Any, exactly: bool) -> tuple[Any, str | None]:
    """A column as DuckDB takes it, and the type that it is to have, where the numbers do not say so."""
    if column.dtype != object:
        return column, None
    values = column.tolist()
    numbers = [value for value in values if value is not None]
    if any(isinstance(value, str) for value in numbers) or not numbers:
        return column, "VARCHAR"
    if all(isinstance(value, bool) for value in numbers):
        return column, "BOOLEAN"
    if all(type(value) is int for value in numbers):
        wide = max(abs(value) for value in numbers)
        kind = "BIGINT" if wide < 2**63 else f"DECIMAL({DIGITS}, 0)" if wide < 10**DIGITS else None
        return objects([None if value is None else str(value) for value in values]), kind
    if exactly and any(Fraction(repr(float(value))) != value for value in numbers):
        return objects([None if value is None else str(value) for value in values]), "VARCHAR"
    return objects([None if value is None else float(value) for value in values]), "DOUBLE"
