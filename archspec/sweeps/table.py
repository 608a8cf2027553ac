"""What a sweep has found, as columns, and as a file of them that DuckDB writes."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from archspec.cost import Counting
from archspec.errors import ArchspecError, BindingError, entry
from archspec.extras import data_frame, need
from archspec.files import WrittenFile, replacing
from archspec.result import Reported, short
from archspec.sweeps.budget import Budget
from archspec.sweeps.criteria import Objective, conditions, objective, objectives
from archspec.sweeps.rows import Rows, objects

SPEC, PLAN, ALIKE = "spec", "plan", "alike"


@dataclass(frozen=True, eq=False, repr=False)
class Sweep(Reported):
    """The points of a sweep, and what each costs.

    Attributes:
        columns: One array per column, in this order: "spec" (the specification's name), "plan" where there are plans,
            each symbol that was swept, each quantity, and of a front "alike": how many points have the same objectives
            as this one, itself among them. Whole numbers are int64, or Python's ints in an array of objects where one
            of them is wider; fractions are exact, in an array of objects, as words are; None is what a specification
            does not have, or what is undefined.
        axes: The names of the symbols that were swept.
        of: The names of the quantities.
        specs: The names of the specifications.
        plans: The names of the plans of compression; empty without one.
        bindings: The values of other symbols.
        counting: How was counted.
        conditions: The bounds that every point is within.
        objectives: Those of the front, if it is one.
        points: How many points were looked at.
        within: How many of these have a network within all bounds.
        unbuilt: How many give no network, and the first of them with the reason.

    `len` is the number of its rows.
    """

    columns: Mapping[str, Any]
    axes: tuple[str, ...]
    of: tuple[str, ...]
    specs: tuple[str, ...]
    plans: tuple[str, ...]
    bindings: Mapping[str, Any]
    counting: Counting
    conditions: tuple[Budget, ...]
    objectives: tuple[Objective, ...]
    points: int
    within: int
    unbuilt: tuple[int, str]

    def __len__(self) -> int:
        return len(self.columns[SPEC])

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sweep):
            return NotImplemented
        mine, others = ({**vars(each), "columns": tuple(each.columns)} for each in (self, other))
        return mine == others and all(
            one.dtype == two.dtype and np.array_equal(one, two)
            for one, two in zip(self.columns.values(), other.columns.values(), strict=True)
        )

    __hash__ = None  # type: ignore[assignment]  # its columns can be written to

    def records(self) -> list[dict[str, Any]]:
        """One record per point, its numbers Python's ints and Fractions.

        >>> import archspec
        >>> archspec.sweep(["lenet_5"], {"classes": [10, 20]}, of=["params"]).records()[1]
        {'spec': 'lenet_5', 'classes': 20, 'params': 436090}
        """
        rows = zip(*(column.tolist() for column in self.columns.values()), strict=True)
        return [dict(zip(self.columns, row, strict=True)) for row in rows]

    def to_pandas(self) -> Any:
        """The columns as a data frame.

        Raises:
            MissingExtraError: pandas is not installed.
        """
        return data_frame(dict(self.columns))

    def column(self, name: str) -> Any:
        """A column by its name.

        Raises:
            UnknownNameError: There is none.
        """
        return entry(self.columns, name, "column of the sweep is called")

    def where(self, *texts: str, **bounds: Any) -> "Sweep":
        """Those points that are within bounds, such as "macs<=300M".

        Raises:
            BindingError: A text is no bound.
            UnknownNameError: There is no such quantity, or it was not swept.
        """
        found = (*conditions(texts, bool(self.plans)), *conditions(bounds, bool(self.plans)))
        kept = np.ones(len(self), dtype=bool)
        for bound in found:
            column = self.column(bound.quantity)
            kept &= np.array([value is not None and not bound.excess(value) for value in column.tolist()], dtype=bool)
        return replace(
            self._taken(kept), conditions=(*self.conditions, *found), within=int(np.count_nonzero(kept))
        )  # fmt: skip

    def front(self, *texts: str) -> "Sweep":
        """Those points that no other outdoes in all of several objectives, such as "min:macs", "max:params".

        Of points with the same objectives there is the first; how many they are says the column "alike".

        Raises:
            BindingError: There are fewer than two objectives.
            UnknownNameError: A quantity was not swept.
        """
        asked = objectives(texts[0] if len(texts) == 1 else texts)
        rows = self._as_rows().best([self._known(each) for each in asked])
        found = self._taken(rows.place)
        return replace(found, columns={**found.columns, ALIKE: rows.alike}, objectives=asked)

    def sorted(self, *texts: str, top: int | None = None) -> "Sweep":
        """The points in the order of quantities, "max:macs" the largest first; the first of them alone, if so asked."""
        rows = self._as_rows().ordered([self._known(objective(text)) for text in texts], top)
        return self._taken(rows.place)

    def write(self, path: str | os.PathLike[str]) -> WrittenFile:
        """Write the columns to a file, .csv, .json or .parquet, which appears when it is whole, or not at all.

        A whole number is one in each of them, however wide; a fraction is the nearest float, unless it is a value of a
        symbol that no decimal says: then it is text, 1/3, as `--set` takes it.

        Raises:
            ArchspecError: Another ending, or a file that cannot be written.
            MissingExtraError: DuckDB is not installed.
        """
        ending = check_ending(path)
        need("sweep", "duckdb")
        import duckdb

        columns, names = {}, []
        for place, (name, column) in enumerate(self.columns.items()):
            columns[f"c{place}"], kind = _plain(column, exactly=name in self.axes)
            source = f"c{place}" if kind is None else f"CAST(c{place} AS {kind})"
            names.append(f'{source} AS "{name}"')  # names of symbols and quantities are letters, digits and _
        with replacing(Path(path)) as file:
            target = str(file).replace("'", "''")
            try:
                with duckdb.connect() as connection:
                    connection.execute("SET threads = 1")  # and so the same rows in the same groups
                    connection.register("points", columns)
                    connection.execute(
                        f"COPY (SELECT {', '.join(names)} FROM points) TO '{target}' ({FORMATS[ending]})"  # noqa: S608
                    )
            except duckdb.Error as error:
                raise ArchspecError(f"cannot write {path}: {str(error).splitlines()[0]}") from None
            size = file.stat().st_size
        return WrittenFile(Path(path), size, (f"{len(self):,} points", f"{len(names)} columns"))

    def _known(self, asked: Objective) -> Objective:
        self.column(asked.quantity)
        if asked.quantity not in self.of:
            raise BindingError(f"{asked.quantity} is no quantity; there are {', '.join(self.of)}")
        return asked

    def _as_rows(self) -> Rows:
        count = len(self)
        alike = self.columns.get(ALIKE, np.ones(count, dtype=np.int64))
        figures = {name: self.columns[name] for name in self.of}
        return Rows(np.zeros(count, dtype=np.int64), np.arange(count), figures, alike)

    def _taken(self, places: Any) -> "Sweep":
        return replace(self, columns={name: column[places] for name, column in self.columns.items()})

    def __repr__(self) -> str:
        asked = f"front of {', '.join(map(str, self.objectives))}" if self.objectives else ", ".join(self.of)
        return short(self, ", ".join(self.specs), f"{len(self):,} of {self.points:,} points", asked)


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
