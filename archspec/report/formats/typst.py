"""A report in Typst: text in strings, which no markup can leave."""

from typing import Any

from archspec.report.page import Formulas, Notes, Part, Report, Table, Title
from archspec.report.typeset import blocks
from archspec.writing import one_line

_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"'})


def write(report: Report, **_: Any) -> str:
    """The parts with an empty line between."""
    return blocks(report, lambda heading: f"#heading(level: 2, {string(heading)})", _part)


def string(text: str) -> str:
    r"""A text as a string of Typst's code.

    >>> print(string('a "b" \\c'))
    "a \"b\" \\c"
    """
    return f'"{one_line(text).translate(_ESCAPES)}"'


def _part(part: Part) -> str:
    if isinstance(part, Title):
        return f"#heading(level: 1, {string(part.text)})"
    if isinstance(part, Notes):
        return f"#list({', '.join(map(string, part.sentences))})" if part.sentences else ""
    if isinstance(part, Formulas):
        texts = (string(f"{line.name} {line.sign} {line.text}".strip()) for line in part.lines)
        return f"#stack(spacing: 0.6em, {', '.join(texts)})"
    return _table(part)


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
