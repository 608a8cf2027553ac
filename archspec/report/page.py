"""A report: sections of titles, sentences, tables of typed cells and formulas, in the order in which they are read.

Whoever makes a report says what is in it, and never how a format writes it; whoever writes a format knows these parts,
and never what a report is about.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import chain
from typing import Any, ClassVar, Literal, TypeAlias

from archspec import writing
from archspec.report import numbers

# ------------------------------------------------------------------ cells


class Cell:
    """An entry of a table: `text` is for readers, `raw` for csv and json."""

    __slots__ = ()

    right: ClassVar[bool] = False

    @property
    def text(self) -> str:
        """What is read."""
        raise NotImplementedError

    @property
    def raw(self) -> Any:
        """What a machine gets."""
        return self.text


@dataclass(frozen=True, slots=True)
class Name(Cell):
    """What something is called, or a word about it."""

    name: str

    @property
    def text(self) -> str:
        """The name."""
        return self.name


class Note(Name):
    """A sentence: where a page can break its lines, it does."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Number(Cell):
    """A number, an expression, or None where it is undefined.

    Attributes:
        value: The number itself.
        shown: How it is read, if not as a whole number with its thousands apart.
    """

    right: ClassVar[bool] = True

    value: Any
    shown: str | None = None

    @property
    def text(self) -> str:
        """The number as one reads it."""
        return numbers.number(self.value) if self.shown is None else self.shown

    @property
    def raw(self) -> Any:
        """The number."""
        return raw(self.value)


@dataclass(frozen=True, slots=True)
class Share(Cell):
    """A part of a whole, in percent; in text with a bar before it, in HTML with one behind it."""

    part: Any
    whole: Any

    @property
    def text(self) -> str:
        """The part in percent; nothing where they are no numbers."""
        return numbers.share(self.part, self.whole) if self.counted else ""

    @property
    def raw(self) -> Any:
        """The part of 1; None where they are no numbers, or the whole is 0."""
        return float(Fraction(self.part, self.whole)) if self.counted and self.whole else None

    @property
    def counted(self) -> bool:
        """Whether both are numbers."""
        return isinstance(self.part, int) and isinstance(self.whole, int)


class Bar(Share):
    """The same, and in text nothing but the bar, in the width that the other columns leave."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Shape(Cell):
    """The sizes of a tensor, batch first; the batch is not read."""

    right: ClassVar[bool] = True

    sizes: Sequence[Any]

    @property
    def text(self) -> str:
        """The sizes of one element of the batch."""
        return numbers.shape(self.sizes)

    @property
    def raw(self) -> Any:
        """All sizes."""
        return [raw(size) for size in self.sizes]


class Sizes(Shape):
    """The sizes of an array, which has no batch."""

    __slots__ = ()

    @property
    def text(self) -> str:
        """All sizes."""
        return writing.sizes(self.sizes)


@dataclass(frozen=True, slots=True)
class Math(Cell):
    """A formula, as text and as LaTeX."""

    formula: str
    latex: str

    @property
    def text(self) -> str:
        """The formula as text."""
        return self.formula


EMPTY = Name("")


def percent(value: float) -> Number:
    """A share that is measured in percent, to two decimals."""
    return Number(value, f"{value:.2f} %")


def exact_texts(values: Mapping[str, Any]) -> dict[str, str]:
    """The values of symbols as JSON has them: text, which holds every rational number exactly."""
    return {name: str(value) for name, value in values.items()}


def raw(value: Any) -> Any:
    """A value as JSON has it: whole numbers as they are, other rationals as the nearest float, expressions as text."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, Fraction):
        return int(value) if value.denominator == 1 else float(value)
    return str(value)


# ------------------------------------------------------------------ columns and tables

Role: TypeAlias = Literal["", "part", "subtotal", "total", "finding", "aside"]
"""What a row is: inside the subtotal above it, a subtotal, the total, something found wrong, or an aside."""


def with_total(rows: int) -> list[Role]:
    """What rows are, and behind them their total."""
    roles: list[Role] = ["" for _ in range(rows)]
    return [*roles, "total"]


def of_records(records: Sequence[Mapping[str, Any]]) -> "Table":
    """The table of records, each with the same keys: texts as names, all else as numbers."""
    keys = records[0] if records else ()
    return Table(
        [
            Column(key, [Name(each) if isinstance(each := row[key], str) else Number(each) for row in records])
            for key in keys
        ]
    )


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


# ------------------------------------------------------------------ other parts, sections, the report


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
