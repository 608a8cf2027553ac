"""A search: the variants that were trained, and those that are worth their cost."""

from typing import TYPE_CHECKING, Any

from archspec.cost import quantity
from archspec.report import numbers
from archspec.report.budgets import bounds, limits
from archspec.report.page import Cell, Column, Name, Notes, Number, Report, Section, Table, Title
from archspec.report.sweep import Setting

if TYPE_CHECKING:
    from archspec.train.search import Search


def search(found: "Search") -> Report:
    """One row for each variant that was trained, the first objective's best first; those of the front are marked."""
    within = f", {', '.join(map(limits, found.conditions))}" if found.conditions else ""
    asked = ", ".join(map(str, found.objectives))
    title = f"{found.spec} on {found.data}: front of {len(found.front)} of {len(found.candidates)} variants, {asked}"
    counted = f"{found.points:,} variants in all; runs in {found.out}"
    sections = [Section((Title(f"{title}{within}"), Notes((counted,))))]
    if found.candidates:
        sections.append(Section((Table(_columns(found), wide="records"),)))
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
            "candidates": Table(_columns(found)).records() if found.candidates else [],
        },
    )


def _columns(found: "Search") -> list[Column]:
    first = found.objectives[0]
    rows = sorted(found.candidates, key=lambda each: each.of(first.quantity), reverse=first.largest)
    cells: dict[str, list[Cell]] = {
        name: [Name(value) if isinstance(value := each.values[name], str) else Setting(value) for each in rows]
        for name in rows[0].values
    }
    columns = [Column(name, each) for name, each in cells.items()]
    columns.append(Column("error [%]", [_percent(each.error) for each in rows], "error"))
    if any(each.test != each.error for each in rows):
        columns.append(Column("test error [%]", [_percent(each.test) for each in rows], "test_error"))
    columns += [
        Column(quantity(name).heading, [Number(each.figures[name]) for each in rows], name) for name in rows[0].figures
    ]
    columns.append(Column("front", [Name("yes" if each in found.front else "") for each in rows]))
    columns.append(Column("run", [Name(each.folder.name) for each in rows]))
    return columns


def _percent(value: Any) -> Number:
    return Number(value, "" if value is None else numbers.decimal(value, 2))
