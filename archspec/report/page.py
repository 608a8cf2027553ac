"""A report: sections of titles, sentences, tables and formulas, in the order in which they are read.

Whoever makes a report says what is in it, and never how a format writes it; whoever writes a format knows these parts,
and never what a report is about.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, Literal, TypeAlias

from archspec.report.cells import EMPTY, Bar, Cell

Role: TypeAlias = Literal["", "part", "subtotal", "total", "finding", "aside"]
"""What a row is: inside the subtotal above it, a subtotal, the total, something found wrong, or an aside."""


def with_total(rows: int) -> list[Role]:
    """What rows are, and behind them their total."""
    roles: list[Role] = ["" for _ in range(rows)]
    return [*roles, "total"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes:
        heading: What stands above it.
        cells: One per row.
        key: What machines call it, if not as its heading.
        drop: Where a page is narrow, the columns with the lowest numbers above 0 go first.
        least: To how many characters its cells may be shortened before the page is too narrow; None: not at all.
    """

    heading: str
    cells: Sequence[Cell]
    key: str | None = None
    drop: int = 0
    least: int | None = None

    @property
    def right(self) -> bool:
        """Whether its cells keep to the right, as numbers do."""
        return next((cell.right for cell in self.cells if cell != EMPTY), False)

    @property
    def drawn(self) -> bool:
        """Whether its cells are bars, which text alone draws."""
        return any(isinstance(cell, Bar) for cell in self.cells)

    @property
    def name(self) -> str:
        """What machines call it."""
        return self.heading if self.key is None else self.key


@dataclass(frozen=True, slots=True)
class Table:
    """Columns of equal length.

    Attributes:
        columns: The columns, in order.
        roles: What each row is; nothing, if all are alike.
        headed: Whether the headings are read.
        wide: What becomes of a table that is wider than a text's page: its last columns in further tables, each with
            the first column again ("further"); its last column in lines of its own ("below"); or each of its rows as
            a record of several lines ("records").
    """

    columns: Sequence[Column]
    roles: Sequence[Role] = ()
    headed: bool = True
    wide: Literal["", "further", "below", "records"] = ""

    @property
    def rows(self) -> Sequence[tuple[Cell, ...]]:
        """The cells, row by row."""
        return list(zip(*(column.cells for column in self.columns), strict=True))

    def role(self, row: int) -> Role:
        """What a row is."""
        return self.roles[row] if self.roles else ""

    @property
    def set(self) -> "Table":
        """The table where bars are not drawn: without their columns."""
        return replace(self, columns=[column for column in self.columns if not column.drawn])

    def records(self) -> list[dict[str, Any]]:
        """Its rows, by the columns' names, for machines."""
        names = [column.name for column in self.columns]
        return [dict(zip(names, (cell.raw for cell in row), strict=True)) for row in self.rows]


@dataclass(frozen=True, slots=True)
class Title:
    """What a report, or a large part of it, is about."""

    text: str


class LetteredSentence(str):
    """A sentence with symbols in it.

    Attributes:
        latex: The same for a LaTeX document, with their letters.
    """

    __slots__ = ("latex",)

    latex: str

    def __new__(cls, text: str, latex: str) -> "LetteredSentence":
        """The text, which LaTeX has otherwise."""
        made = super().__new__(cls, text)
        made.latex = latex
        return made


@dataclass(frozen=True, slots=True)
class Notes:
    """Sentences.

    Attributes:
        sentences: Each begins a line; without any, text has an empty line.
        inset: Whether they stand further in, as remarks on what is above them.
    """

    sentences: Sequence[str]
    inset: bool = False


@dataclass(frozen=True, slots=True)
class Equation:
    """A line of formulas: what is equal to what.

    Attributes:
        name: The left side; nothing where the line goes on with what is above.
        sign: =, ≈, + or −.
        text: The right side as text.
        latex: The right side as LaTeX.
    """

    name: str
    sign: str
    text: str
    latex: str


@dataclass(frozen=True, slots=True)
class Formulas:
    """Formulas one below the other.

    Attributes:
        lines: Each what is equal to what.
        of: What the first line is equal to, for formats that set formulas; text says it in the title above.
    """

    lines: Sequence[Equation]
    of: str = ""


Part: TypeAlias = Title | Notes | Table | Formulas


@dataclass(frozen=True, slots=True)
class Section:
    """Parts that belong together.

    Attributes:
        parts: In order.
        heading: What stands above them.
        nested: Whether they go on under the heading of a section before.
    """

    parts: Sequence[Part]
    heading: str = ""
    nested: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """What is said of a result.

    Attributes:
        sections: What is read, in order.
        data: Makes what JSON holds: all of it, for machines.
        records: Makes the rows for machines, where they are others than those of the first table.
    """

    sections: Sequence[Section]
    data: Callable[[], Any] | None = None
    records: Callable[[], Table] | None = None

    @property
    def parts(self) -> Sequence[Part]:
        """The parts of all sections."""
        return list(chain.from_iterable(section.parts for section in self.sections))

    @property
    def tables(self) -> Sequence[Table]:
        """The tables that are read."""
        return [part for part in self.parts if isinstance(part, Table)]

    @property
    def title(self) -> str:
        """The first title; nothing if there is none."""
        return next((part.text for part in self.parts if isinstance(part, Title)), "")

    @property
    def table(self) -> Table | None:
        """The rows for machines."""
        return self.records() if self.records else next(iter(self.tables), None)
