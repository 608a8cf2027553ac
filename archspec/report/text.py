"""How numbers, shapes and tables are written."""

import html as markup
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

from tabulate import DataRow, TableFormat, tabulate

from archspec.cost import USUAL, Counting, Term, quantity
from archspec.language.document import Document

_LATEX_SIGNS = {
    "×": r"$\times$",
    "·": r"$\cdot$",
    "→": r"$\to$",
    "…": r"\dots{}",
    "⌈": r"$\lceil$",
    "⌉": r"$\rceil$",
    "⌊": r"$\lfloor$",
    "⌋": r"$\rfloor$",
}
_LATEX_ESCAPES = {"~": r"\textasciitilde{}", "^": r"\^{}", "\\": r"\textbackslash{}", "<": "$<$", ">": "$>$"}
_LATEX_ESCAPES |= {sign: f"\\{sign}" for sign in "&%$#_{}"}
_EIGHTHS = " ▏▎▍▌▋▊▉█"

_PLAIN = TableFormat(None, None, None, None, None, DataRow("", "  ", ""), padding=0, with_header_hide=None)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a printed table: its header, its cells, and which side they keep to."""

    header: str
    cells: Sequence[str]
    align: Literal["left", "right"] = "right"

    @property
    def width(self) -> int:
        """The columns it takes on a terminal."""
        return max(map(len, (self.header, *self.cells)))


def number(value: Any) -> str:
    """An integer with its thousands apart; a fraction to four digits, an expression as it is, what is undefined as –.

    >>> number(568740352), number(Fraction(1, 3)), number(None)
    ('568,740,352', '0.3333', '–')
    """
    if isinstance(value, Fraction):
        return f"{float(value):,.{0 if abs(value) >= 1000 else 4}{'f' if abs(value) >= 1000 else 'g'}}"
    return f"{value:,}" if isinstance(value, int) else "–" if value is None else str(value)


def raw(value: Any) -> Any:
    """A number as JSON and CSV have it: a fraction as the nearest decimal.

    >>> raw(12), raw(Fraction(1, 3))
    (12, 0.3333333333333333)
    """
    return float(value) if isinstance(value, Fraction) else value


def asked(counting: Counting, quantities: Iterable[str]) -> list[str]:
    """What of a request decides some quantities, besides the convention and the batch, where it must be said.

    >>> asked(Counting(dtype="int8", weight_bits=4), ["memory", "weight_bytes"])
    ['memory layerwise, int8', '4-bit weights']
    """
    kinds = {quantity(name).kind for name in quantities}
    said = [f"memory {counting.policy}, {counting.dtype}"] if "peak" in kinds else []
    if counting.dtype != USUAL.dtype and not said:
        said.append(f"{counting.dtype} activations")
    return [*said, f"{counting.bits}-bit weights"] if counting.weight_bits is not None else said


def terms(summands: Iterable[Term], of: str = "macs") -> str:
    """A sum, each factor before what it multiplies; the operator `of` need not be named.

    >>> terms([Term("macs", "macs", 2, 9000), Term("max_pool2d", "outputs", -1, 5)])
    '2·9,000 macs − 5 max_pool2d outputs'
    """
    written = ""
    for term in summands:
        sign = (" − " if term.factor < 0 else " + ") if written else "−" if term.factor < 0 else ""
        factor = f"{abs(term.factor)}·" if abs(term.factor) > 1 else ""
        name = term.what if term.of in (term.what, of, "macs", "biases") else f"{term.of} {term.what}"
        written += f"{sign}{factor}{number(term.count)} {name}"
    return written or "0"


def shape(sizes: Sequence[Any]) -> str:
    """The sizes of one element of the batch.

    >>> shape((1, 32, 112, 112))
    '32×112×112'
    """
    return "×".join(map(str, sizes[1:]))


def share(part: int, whole: int) -> str:
    """A part in percent, to one decimal, halves upwards.

    >>> share(1, 3)
    '33.3 %'
    """
    tenths = (2000 * part + whole) // (2 * whole) if whole else 0
    return f"{tenths // 10}.{tenths % 10} %"


def bar(part: int, whole: int, cells: int) -> str:
    """A part of a whole as a bar of eighths of characters; never empty for what is not nothing.

    >>> bar(5, 16, 4)
    '█▎  '
    """
    eighths = min((16 * cells * part + whole) // (2 * whole), 8 * cells) if whole else 0
    eighths = max(eighths, 1) if part else 0
    full, rest = divmod(eighths, 8)
    return ("█" * full + (_EIGHTHS[rest] if rest else "")).ljust(cells)


def binary_size(count: int) -> str:
    """A number of bytes in KiB or MiB, to one decimal.

    >>> binary_size(17015456)
    '16.2 MiB'
    """
    for unit, size in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if count >= size:
            tenths = (20 * count + size) // (2 * size)
            return f"{tenths // 10}.{tenths % 10} {unit}"
    return f"{count} B"


def shorten(text: str, width: int) -> str:
    """A text of at most `width` characters, the middle left out if need be.

    >>> shorten("bottleneck2/unit1/expand", 15)
    'bottlen…/expand'
    """
    if len(text) <= width:
        return text
    tail = (width - 1) // 2
    return f"{text[: width - 1 - tail]}…{text[len(text) - tail :]}"


def cite(document: Document) -> str:
    """The paper of a specification, on one line."""
    source = document.source
    if source is None:
        return document.doc or ""
    where = (
        f"arXiv:{source.arxiv}" if source.arxiv else f"doi:{source.doi}" if source.doi else source.url,
        source.table or (source.section and f"section {source.section}"),
    )
    year = f" ({source.year})" if source.year else ""
    return ", ".join((f"{source.title}{year}", *(part for part in where if part)))


def plain(columns: Sequence[Column]) -> list[str]:
    """The lines of a table for a terminal: the header, a rule, the rows."""
    rows = zip(*((column.header, *column.cells) for column in columns), strict=True)
    header, *lines = tabulate(
        list(rows),
        tablefmt=_PLAIN,
        disable_numparse=True,
        preserve_whitespace=True,
        colalign=[column.align for column in columns],
    ).split("\n")
    return [header, "  ".join("─" * column.width for column in columns), *lines]


def markdown(columns: Sequence[Column]) -> str:
    """The table in Markdown."""
    return _table(columns, "pipe", escape=lambda cell: cell.replace("|", "\\|").replace("_", "\\_").replace("*", "\\*"))


def latex(columns: Sequence[Column]) -> str:
    """The table in LaTeX, for booktabs."""
    return latex_signs(_table(columns, "latex_booktabs"))


def latex_signs(text: str) -> str:
    """Signs that LaTeX wants as commands."""
    for sign, command in _LATEX_SIGNS.items():
        text = text.replace(sign, command)
    return text


def latex_escape(text: str) -> str:
    """Text for LaTeX, its special characters escaped."""
    escaped = "".join(_LATEX_ESCAPES.get(sign, sign) for sign in text)
    return latex_signs(escaped)


def html(columns: Sequence[Column]) -> str:
    """The table in HTML."""
    return _table(columns, "unsafehtml", escape=markup.escape)


def _table(columns: Sequence[Column], form: Any, escape: Any = lambda cell: cell) -> str:
    rows = zip(*(map(escape, column.cells) for column in columns), strict=True)
    return tabulate(
        [list(row) for row in rows],
        headers=[escape(column.header) for column in columns],
        tablefmt=form,
        disable_numparse=True,
        preserve_whitespace=True,
        colalign=[column.align for column in columns],
    )
