"""A sweep, and a search: their points as rows."""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from archspec.report import numbers
from archspec.report.budgets import bounds, limits
from archspec.report.page import Cell, Column, Name, Notes, Number, Report, Section, Table, Title, exact_texts, raw
from archspec.sweeps.criteria import PLANNED, quantity
from archspec.sweeps.family import decimal
from archspec.sweeps.grid import BATCH
from archspec.sweeps.table import ALIKE, PLAN, SPEC, Sweep

if TYPE_CHECKING:
    from archspec.train.search import Search


MOST_READ = 200
"""How many rows are read; machines get all."""


@dataclass(frozen=True, slots=True)
class Setting(Number):
    """A value of a symbol; to machines a number, or as text where no number of theirs says it exactly."""

    @property
    def text(self) -> str:
        """The value as a short decimal, or as a fraction."""
        if isinstance(self.value, bool):
            return str(self.value).lower()
        return "" if self.value is None else decimal(self.value)

    @property
    def raw(self) -> Any:
        """The value."""
        near = raw(self.value)
        return near if not isinstance(near, float) or Fraction(repr(near)) == self.value else str(self.value)


def sweep(found: Sweep) -> Report:
    """The points of a sweep, what they were held against, and how many there were."""
    sections = [Section((Title(_headline(found)), Notes((_counted(found),))))]
    if len(found):
        sections.append(Section((Table(_columns(found, _read(found), MOST_READ), wide="records"),)))
    sections += [Section((Notes((note,)),)) for note in _notes(found)]
    return Report(
        sections,
        data=lambda: {
            "specs": list(found.specs),
            "plans": list(found.plans),
            "bindings": exact_texts(found.bindings),
            **numbers.request(found.counting),
            "where": list(map(bounds, found.conditions)),
            "front": list(map(str, found.objectives)),
            "points": found.points,
            "within": found.within,
            "unbuilt": {"points": found.unbuilt[0], "first": found.unbuilt[1]},
            "rows": Table(_columns(found, found.columns, len(found))).records(),
        },
        records=lambda: Table(_columns(found, found.columns, len(found))),
    )


def _headline(found: Sweep) -> str:
    given = "".join(f"; {name} = {decimal(value)}" for name, value in found.bindings.items())
    what = f"{len(found):,} of {found.points:,} points"
    if found.objectives:
        what = f"front of {len(found):,} of {found.points:,} points, {', '.join(map(str, found.objectives))}"
    over = f" over {', '.join(found.axes)}" if found.axes else ""
    under = f" under {found.plans[0]}" if len(found.plans) == 1 else ""
    return f"{', '.join(found.specs)}{under}: {what}{over}{given}"


def _counted(found: Sweep) -> str:
    batch = [] if BATCH in found.axes else [f"batch {found.counting.batch}"]
    registered = [name for name in found.of if name not in PLANNED]
    return "; ".join((*batch, *numbers.request_notes(found.counting, registered)))


def _read(found: Sweep) -> list[str]:
    """The names of the columns that are read: not what the title says of all points."""
    same = [name for name, values in ((SPEC, found.specs), (PLAN, found.plans)) if len(values) == 1]
    return [name for name in found.columns if name not in same]


def _columns(found: Sweep, names: Iterable[str], rows: int) -> list[Column]:
    """Columns, each as its kind is read."""
    return [
        Column(
            _heading(found, name), [_cell(found, name, value) for value in found.columns[name][:rows].tolist()], name
        )
        for name in names
    ]


def _heading(found: Sweep, name: str) -> str:
    if name in found.of:
        return quantity(name).heading
    return {SPEC: "network", PLAN: "plan", ALIKE: "alike"}.get(name, name)


def _cell(found: Sweep, name: str, value: Any) -> Cell:
    return _setting(value) if name in found.axes or isinstance(value, str) else Number(value)


def _setting(value: Any) -> Cell:
    return Name(value) if isinstance(value, str) else Setting(value)


def _notes(found: Sweep) -> Iterable[str]:
    if len(found) > MOST_READ:
        yield f"These are the first {MOST_READ} of {len(found):,}; csv, json and a file (-o) hold all."
    if found.conditions:
        yield f"{found.within:,} points are within {', '.join(map(limits, found.conditions))}."
    if ALIKE in found.columns and found.columns[ALIKE].size and found.columns[ALIKE].max() > 1:
        yield "Of points with the same objectives the first is here; alike says how many they are."
    count, first = found.unbuilt
    if count:
        yield f"{count:,} points give no network ({first})."
    yield numbers.convention_note(found.counting)


def search(found: "Search") -> Report:
    """One row for each variant that was trained, the first objective's best first; those of the front are marked."""
    within = f", {', '.join(map(limits, found.conditions))}" if found.conditions else ""
    asked = ", ".join(map(str, found.objectives))
    title = f"{found.spec} on {found.data}: front of {len(found.front)} of {len(found.candidates)} variants, {asked}"
    counted = f"{found.points:,} variants in all; runs in {found.out}"
    sections = [Section((Title(f"{title}{within}"), Notes((counted,))))]
    if found.candidates:
        sections.append(Section((Table(_candidates(found), wide="records"),)))
    notes = [f"{len(found.refused):,} were not trained, the first: {each}" for each in found.refused[:1]]
    if notes or found.failed:
        sections.append(Section((Notes([*notes, *found.failed]),)))
    return Report(
        sections,
        data=lambda: {
            "spec": found.spec,
            "data": found.data,
            "out": str(found.out),
            "objectives": list(map(str, found.objectives)),
            "convention": found.counting.convention.name,
            "where": list(map(bounds, found.conditions)),
            "points": found.points,
            "refused": list(found.refused),
            "failed": list(found.failed),
            "candidates": Table(_candidates(found)).records() if found.candidates else [],
        },
    )


def _candidates(found: "Search") -> list[Column]:
    first = found.objectives[0]
    rows = sorted(found.candidates, key=lambda each: each.of(first.quantity), reverse=first.largest)
    columns = [
        *(Column(name, [_setting(each.values[name]) for each in rows]) for name in rows[0].values),
        Column("error [%]", [_percent(each.error) for each in rows], "error"),
    ]
    if any(each.test != each.error for each in rows):
        columns.append(Column("test error [%]", [_percent(each.test) for each in rows], "test_error"))
    columns += [
        Column(quantity(name).heading, [Number(each.figures[name]) for each in rows], name) for name in rows[0].figures
    ]
    return [
        *columns,
        Column("front", [Name("yes" if each in found.front else "") for each in rows]),
        Column("run", [Name(each.folder.name) for each in rows]),
    ]


def _percent(value: Any) -> Number:
    return Number(value, "" if value is None else numbers.decimal(value, 2))
