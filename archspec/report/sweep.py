"""A sweep: its points as rows."""

from collections.abc import Iterable
from typing import Any

from archspec.report import numbers
from archspec.report.budgets import limits
from archspec.report.cells import Cell, Name, Number, raw
from archspec.report.page import Column, Notes, Report, Section, Table, Title
from archspec.sweeps.planned import quantity
from archspec.sweeps.span import decimal
from archspec.sweeps.table import ALIKE, PLAN, SPEC, Sweep

MOST_READ = 200
"""How many rows are read; machines get all."""


def sweep(found: Sweep) -> Report:
    """The points of a sweep, what they were held against, and how many there were."""
    sections = [Section((Title(_headline(found)), Notes((_counted(found),))))]
    if len(found):
        sections.append(Section((Table(_columns(found, MOST_READ), wide="records"),)))
    sections += [Section((Notes((note,)),)) for note in _notes(found)]
    return Report(sections, data=lambda: _data(found), records=lambda: Table(_columns(found, len(found))))


def _headline(found: Sweep) -> str:
    given = "".join(f"; {name} = {decimal(value)}" for name, value in found.bindings.items())
    what = f"{len(found):,} of {found.points:,} points"
    if found.objectives:
        what = f"front of {len(found):,} of {found.points:,} points, {', '.join(map(str, found.objectives))}"
    over = f" over {', '.join(found.axes)}" if found.axes else ""
    return f"{', '.join(found.specs)}: {what}{over}{given}"


def _counted(found: Sweep) -> str:
    asked = [name for name in found.of if name not in found.plans]
    registered = [name for name in asked if quantity(name).kind != "ratio"]
    notes = (f"batch {found.counting.batch}", *numbers.request_notes(found.counting, registered))
    return "; ".join(notes if "batch" not in found.axes else notes[1:])


def _columns(found: Sweep, rows: int) -> list[Column]:
    """The columns, each as its kind is read."""
    columns = []
    for name, column in found.columns.items():
        values = column[:rows].tolist()
        if name in (SPEC, PLAN) and len(dict.fromkeys((*found.specs, *found.plans))) == 1 and rows <= MOST_READ:
            continue
        columns.append(Column(_heading(found, name), [_cell(found, name, value) for value in values], name))
    return columns


def _heading(found: Sweep, name: str) -> str:
    if name in found.of:
        return quantity(name).heading
    return {SPEC: "network", PLAN: "plan", ALIKE: "alike"}.get(name, name)


def _cell(found: Sweep, name: str, value: Any) -> Cell:
    if isinstance(value, str):
        return Name(value)
    if name in found.axes:
        return Number(value, "" if value is None else decimal(value))
    return Number(value)


def _notes(found: Sweep) -> Iterable[str]:
    if len(found) > MOST_READ:
        yield f"These are the first {MOST_READ} of {len(found):,}; csv, json and a file (-o) hold all."
    if found.conditions:
        bounds = ", ".join(map(limits, found.conditions))
        yield f"{found.within:,} points are within {bounds}."
    if ALIKE in found.columns and found.columns[ALIKE].size and found.columns[ALIKE].max() > 1:
        yield "Of points with the same objectives the first is here; alike says how many they are."
    count, first = found.unbuilt
    if count:
        yield f"{count:,} points give no network ({first})."
    yield f"convention {found.counting.convention.name}: {found.counting.convention.doc}"


def _data(found: Sweep) -> dict[str, Any]:
    asked = found.counting
    return {
        "specs": list(found.specs),
        "plans": list(found.plans),
        "bindings": {name: str(value) for name, value in found.bindings.items()},
        "convention": asked.convention.name,
        "batch": asked.batch,
        "policy": asked.policy,
        "dtype": asked.dtype,
        "order": asked.order,
        "in_place": asked.in_place,
        "weight_bits": asked.bits,
        "where": [
            {"quantity": bound.quantity, "least": raw(bound.least), "most": raw(bound.most)}
            for bound in found.conditions
        ],
        "front": list(map(str, found.objectives)),
        "points": found.points,
        "within": found.within,
        "unbuilt": {"points": found.unbuilt[0], "first": found.unbuilt[1]},
        "rows": [{name: raw(value) for name, value in record.items()} for record in found.records()],
    }
