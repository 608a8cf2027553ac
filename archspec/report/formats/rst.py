"""A report in reStructuredText, for Sphinx and docutils."""

import re
from typing import Any

from archspec.report.cells import Cell, Math
from archspec.report.page import Formulas, Notes, Part, Report, Table, Title
from archspec.report.typeset import aligned, blocks
from archspec.writing import printable

_MARKUP = re.compile(r"[\\*`|_:@<>]|^[^\w\s]")
_ENUMERATOR = re.compile(r"^(\w+)(?=[.)](?: |$))")


def write(report: Report, **_: Any) -> str:
    """The parts with an empty line between."""
    return blocks(report, lambda heading: _titled(heading, "-"), _part)


def text(words: str) -> str:
    r"""A text on one line: what would be markup, a link, or the beginning of a list is escaped.

    >>> print(text("a_b *c* http://d"), text("1. first"), sep="\n")
    a\_b \*c\* http\://d
    1\. first
    """
    return _ENUMERATOR.sub(r"\1\\", _MARKUP.sub(lambda found: "\\" + found[0], printable(words, None)))


def _titled(words: str, sign: str) -> str:
    line = text(words)
    return f"{line}\n{sign * max(2 * len(line), 4)}"


def _part(part: Part) -> str:
    if isinstance(part, Title):
        return _titled(part.text, "=")
    if isinstance(part, Notes):
        return "\n".join(f"- {text(sentence)}" for sentence in part.sentences)
    if isinstance(part, Formulas):
        lines = "\n".join(f"   {line}" for line in aligned(part).split("\n"))
        return f".. math::\n\n   \\begin{{aligned}}\n{lines}\n   \\end{{aligned}}"
    return _table(part)


def _table(table: Table) -> str:
    """A list table, its headings among the rows; the bars, which only text draws, are left out."""
    rows = [[text(column.heading) for column in table.set.columns]] if table.headed else []
    rows += [list(map(_cell, row)) for row in table.set.rows]
    lines = [f"   {'*' if number == 0 else ' '} - {cell}".rstrip() for row in rows for number, cell in enumerate(row)]
    options = ["   :header-rows: 1"] if table.headed else []
    return "\n".join((".. list-table::", *options, "", *lines))


def _cell(cell: Cell) -> str:
    return f":math:`{cell.latex}`" if isinstance(cell, Math) else text(cell.text)
