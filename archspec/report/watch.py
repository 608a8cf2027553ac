"""A table of costs, with what changed since the one before."""

from collections.abc import Sequence

from archspec.cost import CostTable, quantity
from archspec.report import numbers
from archspec.report.cost import cost
from archspec.report.page import EMPTY, Cell, Column, Name, Notes, Report, Section, Share, Table

FIGURES = ("params", "macs", "flops", "activations", "weight_bytes")
"""The totals whose change is said."""


def changed(table: CostTable, before: CostTable | None) -> Report:
    """The table by block, a mark at each row that was not there before, and by how much the totals changed.

    Args:
        table: What is counted now.
        before: What was counted before; None at first.
    """
    report = cost(table)
    if before is None:
        return report
    there = {_read(row) for row in cost(before).tables[0].rows}
    rows = report.tables[0]
    marks = [EMPTY if _read(row) in there else Name("←") for row in rows.rows]
    sections = [
        Section([_marked(part, marks) if part is rows else part for part in section.parts])
        for section in report.sections
    ]
    return Report([*sections[:-1], Section((Notes(_differences(table, before)),)), sections[-1]])


def _marked(table: Table, marks: Sequence[Cell]) -> Table:
    columns = [*table.columns, Column("", marks, "changed")] if any(mark != EMPTY for mark in marks) else table.columns
    return Table(columns, table.roles)


def _read(row: Sequence[Cell]) -> tuple[str, ...]:
    """What is read of a row, its share of the whole aside."""
    return tuple(cell.text for cell in row if not isinstance(cell, Share))


def _differences(table: CostTable, before: CostTable) -> list[str]:
    words = []
    for name in FIGURES:
        now, then = table.figure(name), before.figure(name)
        if now != then:
            sign = "+" if now > then else "−"
            ratio = f", ×{now / then:.3g}" if then else ""
            heading = quantity(name).heading
            words.append(f"{heading} {numbers.number(then)} → {numbers.number(now)} ({sign}{abs(now - then):,}{ratio})")
    return words or ["nothing changed"]
