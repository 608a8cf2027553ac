"""A report in Markdown, with GitHub's tables and formulas."""

from typing import Any

from archspec.report.page import Cell, Math, Report, Table
from archspec.report.typeset import Blocks, aligned, padded
from archspec.writing import markdown_text


def write(report: Report, **_: Any) -> str:
    """The parts with an empty line between."""
    return Blocks(
        heading=lambda words: f"### {markdown_text(words)}",
        title=lambda words: f"**{markdown_text(words)}**",
        notes=lambda sentences: "\n".join(f"- {markdown_text(sentence)}" for sentence in sentences),
        formulas=lambda formulas: f"$$\n\\begin{{aligned}}\n{aligned(formulas)}\n\\end{{aligned}}\n$$",
        table=_table,
    ).write(report)


def _table(table: Table) -> str:
    columns = table.set.columns
    rows = [
        [_cell(cell, table.role(number) == "part" and cell is row[0]) for cell in row]
        for number, row in enumerate(table.set.rows)
    ]
    headings = [markdown_text(column.heading, cell=True) for column in columns]
    cells, widths = padded(headings, rows, [column.right for column in columns])
    rule = (
        f"{'-' * (width + 1)}:" if c.right else f":{'-' * (width + 1)}"
        for c, width in zip(columns, widths, strict=True)
    )
    head, *body = (f"| {' | '.join(line)} |" for line in cells)
    return "\n".join((head, f"|{'|'.join(rule)}|", *body))


def _cell(cell: Cell, part: bool) -> str:
    text = f"${cell.latex}$" if isinstance(cell, Math) else markdown_text(cell.text, cell=True)
    return f"  {text}" if part else text
