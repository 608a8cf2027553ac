"""A report in reStructuredText, for Sphinx and docutils."""

import re
from typing import Any

from archspec.report.page import Cell, Formulas, Math, Report, Table
from archspec.report.typeset import Blocks, aligned
from archspec.writing import printable

_MARKUP = re.compile(r"[\\*`|_:@<>]|^[^\w\s]")
_ENUMERATOR = re.compile(r"^(\w+)(?=[.)](?: |$))")


def write(report: Report, **_: Any) -> str:
    """The parts with an empty line between."""
    return Blocks(
        heading=lambda words: _titled(words, "-"),
        title=lambda words: _titled(words, "="),
        notes=lambda sentences: "\n".join(f"- {text(sentence)}" for sentence in sentences),
        formulas=_formulas,
        table=_table,
    ).write(report)


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


def _formulas(formulas: Formulas) -> str:
    lines = "\n".join(f"   {line}" for line in aligned(formulas).split("\n"))
    return f".. math::\n\n   \\begin{{aligned}}\n{lines}\n   \\end{{aligned}}"


def _table(table: Table) -> str:
    """A list table, its headings among the rows; the bars, which only text draws, are left out."""
    rows = [[text(column.heading) for column in table.set.columns]] if table.headed else []
    rows += [list(map(_cell, row)) for row in table.set.rows]
    lines = [f"   {'*' if number == 0 else ' '} - {cell}".rstrip() for row in rows for number, cell in enumerate(row)]
    options = ["   :header-rows: 1"] if table.headed else []
    return "\n".join((".. list-table::", *options, "", *lines))


def _cell(cell: Cell) -> str:
    return f":math:`{cell.latex}`" if isinstance(cell, Math) else text(cell.text)
