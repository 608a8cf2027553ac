"""What a sweep has found, as columns."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from archspec.cost import Counting
from archspec.errors import BindingError, entry
from archspec.extras import data_frame
from archspec.result import Reported, short
from archspec.sweeps.budget import Budget
from archspec.sweeps.criteria import Objective, conditions, objective, objectives
from archspec.sweeps.rows import Rows

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

    def write(self, path: Any) -> Any:
        """Write the columns to a file: .csv, .json or .parquet; see `sweeps.table_file.write`."""
        from archspec.sweeps.table_file import write

        return write(self, path)

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
