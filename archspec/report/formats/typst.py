"""A report in Typst: text in strings, which no markup can leave."""

from typing import Any

from archspec.report.page import Formulas, Report, Table
from archspec.report.typeset import Blocks
from archspec.writing import one_line

_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"'})


def write(report: Report, **_: Any) -> str:
    """The parts with an empty line between."""
    return Blocks(
        heading=lambda words: f"#heading(level: 2, {string(words)})",
        title=lambda words: f"#heading(level: 1, {string(words)})",
        notes=lambda sentences: f"#list({', '.join(map(string, sentences))})" if sentences else "",
        formulas=_formulas,
        table=_table,
    ).write(report)


def string(text: str) -> str:
    r"""A text as a string of Typst's code.

    >>> print(string('a "b" \\c'))
    "a \"b\" \\c"
    """
    return f'"{one_line(text).translate(_ESCAPES)}"'


def _formulas(formulas: Formulas) -> str:
    texts = (string(f"{line.name} {line.sign} {line.text}".strip()) for line in formulas.lines)
    return f"#stack(spacing: 0.6em, {', '.join(texts)})"


def _table(table: Table) -> str:
    """A table with a line above the total; the bars, which only text draws, are left out."""
    columns = table.set.columns
    lines = [
        f"  columns: {len(columns)},",
        f"  align: ({', '.join('right' if column.right else 'left' for column in columns)},),",
        "  stroke: none,",
    ]
    if table.headed:
        lines += [f"  table.header({', '.join(string(column.heading) for column in columns)}),", "  table.hline(),"]
    for number, row in enumerate(table.set.rows):
        lines += ["  table.hline(),"] if table.role(number) == "total" and number else []
        lines.append(f"  {', '.join(string(cell.text) for cell in row)},")
    return "\n".join(("#table(", *lines, ")"))
