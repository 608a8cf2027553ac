"""A report as comma-separated values: one table, its numbers raw; a shape is written 1x32x112x112."""

from typing import Any

from archspec.report.page import Cell, Report, Shape
from archspec.writing import csv_text


def write(report: Report, **_: Any) -> str:
    """The rows for machines, below the columns' names."""
    table = report.table
    if table is None:
        return ""
    return csv_text([[column.name for column in table.columns], *([_cell(cell) for cell in row] for row in table.rows)])


def _cell(cell: Cell) -> Any:
    raw = cell.raw
    if isinstance(cell, Shape):
        return "x".join(map(str, raw))
    return "" if raw is None else str(raw).lower() if isinstance(raw, bool) else raw
