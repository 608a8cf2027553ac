"""A report for a terminal: tables in the width of a page, columns dropped or shortened where they must."""

import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from unicodedata import combining, east_asian_width

from archspec.report.numbers import bar, shorten
from archspec.report.page import Cell, Column, Formulas, Name, Notes, Part, Report, Section, Share, Table, Title
from archspec.writing import one_line

BARS = {100: 8, 140: 12, 10**9: 20}
"""The characters of the bar of a share on pages narrower than this."""

LEAST_BAR, WIDEST_BAR = 8, 30
"""The characters of a bar that has a column to itself."""


def write(report: Report, *, width: int = 100, colour: bool = False) -> str:
    """The sections with an empty line between; headings bold where `colour` allows."""
    page = _Page(width, colour)
    return "\n\n".join("\n".join(page.section(section)) for section in report.sections) + "\n"


@dataclass(frozen=True, slots=True)
class _Page:
    """The lines of sections.

    Attributes:
        width: Characters to a line.
        colour: Whether headings are bold.
    """

    width: int
    colour: bool

    def bold(self, line: str) -> str:
        """A line, bold where that is allowed."""
        return f"\x1b[1m{line}\x1b[0m" if self.colour and line else line

    def section(self, section: Section) -> Iterator[str]:
        """The heading, and the parts; below a heading they stand further in."""
        if section.heading:
            yield self.bold(one_line(section.heading))
        inset = "  " if section.heading or section.nested else ""
        inner = replace(self, width=self.width - len(inset))
        for part in section.parts:
            formulas = isinstance(part, Formulas)
            lines = (self if formulas else inner).part(part)
            yield from (line if formulas or not line else f"{inset}{line}" for line in lines)

    def part(self, part: Part) -> Iterator[str]:
        """The lines of a part."""
        if isinstance(part, Title):
            yield from map(self.bold, wrapped(part.text, self.width))
        elif isinstance(part, Notes):
            inset = "  " if part.inset else ""
            yield from () if part.sentences else ("",)
            for sentence in part.sentences:
                yield from wrapped(sentence, self.width, inset)
        elif isinstance(part, Formulas):
            yield from _formulas(part, self.width)
        else:
            yield from self.table(part)

    def table(self, table: Table) -> Iterator[str]:
        """The header, a rule, the rows; the total below another rule; an empty line before what goes on."""
        drawn = _drawn(table, self.width)
        if _width(drawn) > self.width:
            drawn = _drawn(table, self.width, bars=False)
        fitted = _fitted(drawn, self.width)
        if table.wide in {"below", "records"} and _width(fitted) > self.width:
            whole = replace(table, columns=fitted)
            yield from self._below(whole) if table.wide == "below" else self._records(whole)
            return
        tables = _parted(fitted, self.width) if table.wide == "further" else [fitted]
        for number, columns in enumerate(tables):
            yield from [""] if number else []
            yield from self._lines(replace(table, columns=columns))

    def _lines(self, table: Table) -> Iterator[str]:
        widths = [_column_width(column) for column in table.columns]
        total = [number for number in range(len(table.rows)) if table.role(number) == "total"]
        rule = "─" * (sum(widths) + 2 * len(widths) - 2) if total else "  ".join("─" * width for width in widths)
        if table.headed:
            headings = [Name(column.heading) for column in table.columns]
            yield self.bold(_row(table.columns, widths, headings))
            yield rule
        for number, row in enumerate(table.rows):
            yield from [rule] if number in total and number else []
            line = _row(table.columns, widths, row)
            yield self.bold(line) if table.role(number) in {"total", "subtotal"} else line

    def _below(self, table: Table) -> Iterator[str]:
        """The table without its last column, whose cells stand in lines of their own below their rows."""
        *others, last = table.columns
        header, rule, *rows = self._lines(replace(table, columns=others))
        yield f"{header}, {one_line(last.heading)} ←"
        yield rule
        for line, cell in zip(rows, last.cells, strict=True):
            text = one_line(cell.text)
            yield from (line, f"    ← {text}") if text not in {"", "–"} else (line,)

    def _records(self, table: Table) -> Iterator[str]:
        """Each row as its first cell, and below it those of the others that are not empty, by their headings."""
        for number, (first, *others) in enumerate(table.rows):
            yield from [""] if number else []
            yield self.bold(_shown(first))
            for column, cell in zip(table.columns[1:], others, strict=True):
                if cell.text:
                    yield from wrapped(f"{column.heading}: {cell.text}", self.width, "  ", "    ")


def wrapped(line: str, width: int, first: str = "", further: str = "  ") -> list[str]:
    """A sentence in as many lines as it needs."""
    text = one_line(line)
    return textwrap.wrap(text, width, initial_indent=first, subsequent_indent=further, break_on_hyphens=False)


# ------------------------------------------------------------------ columns


def _drawn(table: Table, width: int, bars: bool = True) -> list[Column]:
    """The columns with cells that are as they are read: bars drawn, the parts of a subtotal set further in."""
    length = next(cells for most, cells in BARS.items() if width < most) if bars else 0
    columns = []
    for number, column in enumerate(table.columns):
        if column.drawn:
            left = width - sum(_column_width(other) + 2 for other in table.columns if other is not column)
            if left >= LEAST_BAR:
                columns.append(replace(column, cells=[_bar(cell, min(left, WIDEST_BAR)) for cell in column.cells]))
            continue
        cells = [_share(cell, length) if isinstance(cell, Share) else cell for cell in column.cells]
        if number == 0:
            cells = [Name(f"  {c.text}") if table.role(n) == "part" else c for n, c in enumerate(cells)]
        columns.append(replace(column, cells=cells))
    return columns


def _share(cell: Share, bars: int) -> Cell:
    if not cell.counted:
        return Name("")
    drawn = f"{bar(cell.part, cell.whole, bars)} " if bars else ""
    return Name(f"{drawn}{cell.text.rjust(7)}")


def _bar(cell: Cell, cells: int) -> Cell:
    return Name(bar(cell.part, cell.whole, cells)) if isinstance(cell, Share) and cell.counted else cell


def _fitted(columns: Sequence[Column], width: int) -> list[Column]:
    """The columns that fit: some dropped, then some shortened, if they are too wide."""
    kept = list(columns)
    for column in sorted((column for column in columns if column.drop), key=lambda column: column.drop):
        if _width(kept) > width:
            kept.remove(column)
    for number, column in enumerate(kept):
        over = _width(kept) - width
        if column.least is not None and over > 0:
            room = max(_column_width(column) - over, column.least)
            kept[number] = replace(column, cells=_shortened(column.cells, room))
    return kept


def _shortened(cells: Sequence[Cell], room: int) -> list[Cell]:
    """The cells in so many characters, cut where most that differ still do: in the middle, if that will do."""
    texts = [_shown(cell) for cell in cells]
    different = set(texts)

    def told_apart(tail: int) -> int:
        return len({shorten(text, room, tail) for text in different})

    middle = (room - 1) // 2
    tails = sorted(range(1, room - 1), key=lambda tail: abs(tail - middle))
    tail = next((tail for tail in tails if told_apart(tail) == len(different)), None) or max(tails, key=told_apart)
    return [
        cell if len(text) <= room else Name(shorten(text, room, tail)) for cell, text in zip(cells, texts, strict=True)
    ]


def _parted(columns: Sequence[Column], width: int) -> list[list[Column]]:
    """The columns in as many tables as the width needs, each beginning with the first."""
    names, *others = columns
    tables = [[names]]
    for column in others:
        if len(tables[-1]) > 1 and _width([*tables[-1], column]) > width:
            tables.append([names])
        tables[-1].append(column)
    return tables


def _width(columns: Sequence[Column]) -> int:
    return sum(_column_width(column) + 2 for column in columns) - 2


def _column_width(column: Column) -> int:
    return max(map(_columns_of, (one_line(column.heading), *map(_shown, column.cells))))


def _shown(cell: Cell) -> str:
    return one_line(cell.text)


def _columns_of(text: str) -> int:
    """The columns of a terminal that a text takes."""
    if text.isascii():
        return len(text)
    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)


def _row(columns: Sequence[Column], widths: Sequence[int], cells: Sequence[Cell]) -> str:
    padded = []
    for column, width, cell in zip(columns, widths, cells, strict=True):
        text = _shown(cell)
        blanks = " " * (width - _columns_of(text))
        padded.append(f"{blanks}{text}" if column.right else f"{text}{blanks}")
    return "  ".join(padded).rstrip()


# ------------------------------------------------------------------ formulas


def _formulas(formulas: Formulas, width: int) -> Iterator[str]:
    """One line per formula. A name stands before its formula; above, where the formula has further lines."""
    lines = formulas.lines
    stacked = not all(line.name for line in lines)
    edge = 0 if stacked else min(max(len(line.name) for line in lines), width // 3)
    for line in lines:
        name = one_line(line.name)
        if stacked:
            yield from [name] if name else []
            head = f"  {line.sign} "
        else:
            head = f"{name} {line.sign} " if len(lines) == 1 else f"  {name:<{edge}}  {line.sign} "
        yield from _unbroken(f"{head}{one_line(line.text)}", width, edge + 5 if edge else 6)


def _unbroken(line: str, width: int, further: int) -> Iterator[str]:
    """The line in several, none of which ends inside ⌈ ⌉, ⌊ ⌋ or a call that a line has room for."""

    def whole(part: re.Match[str]) -> str:
        return part[0].replace(" ", "\0") if len(part[0]) <= width - further else part[0]

    kept = _ROUNDINGS.sub(whole, line)
    lines = textwrap.wrap(kept, width, subsequent_indent=" " * further, break_long_words=False, break_on_hyphens=False)
    yield from (part.replace("\0", " ") for part in lines)


_ROUNDINGS = re.compile(r"⌈[^⌈⌉⌊⌋]*[⌉⌋]|⌊[^⌈⌉⌊⌋]*[⌉⌋]|\w\([^()]*\)")
