"""What formats share that are set by TeX, or padded for who reads their source, or made of blocks."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from archspec.report.page import Equation, Formulas, Part, Report
from archspec.writing import latex_text

SIGNS = {"≈": r"\approx", "−": "-"}
"""Signs as math mode has them."""


def blocks(report: Report, heading: Callable[[str], str], part: Callable[[Part], str]) -> str:
    """The headings of sections and their parts, with an empty line between."""
    found = (
        block
        for section in report.sections
        for block in (heading(section.heading) if section.heading else "", *map(part, section.parts))
    )
    return "\n\n".join(filter(None, found)) + "\n"


def padded(
    headings: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[bool]
) -> tuple[list[list[str]], list[int]]:
    """The headings and the rows with blanks, so that columns stand below one another; and the columns' widths."""
    widths = [max([len(heading) + 2, *(len(row[number]) for row in rows)]) for number, heading in enumerate(headings)]
    lines = [
        [
            cell.rjust(width) if keeps else cell.ljust(width)
            for cell, width, keeps in zip(line, widths, right, strict=True)
        ]
        for line in (headings, *rows)
    ]
    return lines, widths


def aligned(formulas: Formulas) -> str:
    r"""The lines of an align environment of LaTeX."""
    first, *others = formulas.lines
    named = replace(first, name=first.name or formulas.of)
    return " \\\\\n".join(map(_line, (named, *others)))


def _line(line: Equation) -> str:
    sign = SIGNS.get(line.sign, line.sign)
    name = rf"\text{{{latex_text(line.name)}}} " if line.name else ""
    if line.sign.isalpha():  # where, and
        return rf"{name}&\text{{{line.sign} }} {line.latex}"
    if line.sign in {"+", "−"}:
        return rf"{name}&\quad {sign} {line.latex}"
    return rf"{name}&{sign} {line.latex}"
