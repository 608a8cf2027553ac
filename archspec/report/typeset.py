"""What formats share that are set by TeX, or padded for who reads their source, or made of blocks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from archspec.report.page import Equation, Formulas, Notes, Part, Report, Table, Title
from archspec.writing import latex_text

SIGNS = {"≈": r"\approx", "−": "-"}
"""Signs as math mode has them."""


@dataclass(frozen=True, slots=True)
class Blocks:
    """How a format writes what a report is made of.

    Attributes:
        heading: What stands above a section.
        title: What a report, or a large part of it, is about.
        notes: Sentences.
        formulas: Formulas one below the other.
        table: A table.
    """

    heading: Callable[[str], str]
    title: Callable[[str], str]
    notes: Callable[[Sequence[str]], str]
    formulas: Callable[[Formulas], str]
    table: Callable[[Table], str]

    def write(self, report: Report, between: str = "\n\n") -> str:
        """The headings of sections and their parts, with an empty line between, or something else."""
        found: list[str] = []
        for section in report.sections:
            found += [self.heading(section.heading)] if section.heading else []
            found += map(self.part, section.parts)
        return between.join(filter(None, found)) + "\n"

    def part(self, part: Part) -> str:
        """One part."""
        if isinstance(part, Title):
            return self.title(part.text)
        if isinstance(part, Notes):
            return self.notes(part.sentences)
        return self.formulas(part) if isinstance(part, Formulas) else self.table(part)


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
