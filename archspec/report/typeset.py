"""What formats that are set by TeX, or padded for who reads their source, share."""

from collections.abc import Sequence
from dataclasses import replace

from archspec.report.page import Equation, Formulas
from archspec.writing import latex_text

SIGNS = {"≈": r"\approx", "−": "-"}
"""Signs as math mode has them."""


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
