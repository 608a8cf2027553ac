"""Networks side by side, with their ratios."""

import json
import textwrap
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from archspec.cost import CostTable, quantity
from archspec.report import text
from archspec.report.text import Column

FORMATS = ("text", "markdown", "latex", "json")
FIGURES = ("params", "macs", "flops", "activations", "weight_bytes")
"""What is compared unless something else is asked for."""


def compare(
    tables: Mapping[str, CostTable],
    form: str = "text",
    figures: Sequence[str] = FIGURES,
    *,
    width: int = 100,
    colour: bool = False,
) -> str:
    """The figures of several networks, and each network's as a multiple of the first's.

    Args:
        tables: The counted networks by what to call them; the first is the one that the others are held against.
        form: One of `FORMATS`.
        figures: The quantities to compare, by name.
        width: Characters to a line, for text; columns that do not fit are printed in a second table.
        colour: Whether text may use bold.
    """
    if form == "json":
        return json.dumps(_plain(tables, figures), ensure_ascii=False, indent=2) + "\n"
    columns = _columns(tables, figures)
    note = _note(tables, figures)
    if form == "markdown":
        return f"{text.markdown(columns)}\n\n{note}\n"
    if form == "latex":
        return f"% needs \\usepackage{{booktabs}}\n{text.latex(columns)}\n% {note}\n"
    lines: list[str] = []
    for page in _pages(columns, width):
        header, *rows = text.plain(page)
        lines += [f"\x1b[1m{header.rstrip()}\x1b[0m" if colour else header.rstrip(), *map(str.rstrip, rows), ""]
    return "\n".join([*lines, *textwrap.wrap(note, width, subsequent_indent="  ")]) + "\n"


def ratio(a: Any, b: Any) -> str:
    """a as a multiple of b, to three digits.

    >>> ratio(724, 569), ratio(1248424, 60965224), ratio(1, 0)
    ('1.27', '1/48.8', '–')
    """
    if not a or not b:
        return "0" if b else "–"
    value = Fraction(a) / b
    return f"1/{_digits(1 / value)}" if 2 * value < 1 else _digits(value)


def _digits(value: Fraction) -> str:
    """A number to three digits, halves upwards."""
    places = 0
    while value * 10**places < 100 and places < 6:
        places += 1
    scaled = (2 * value * 10**places + 1) // 2
    return f"{scaled // 10**places}" + (f".{scaled % 10**places:0{places}}".rstrip("0").rstrip(".") if places else "")


def _columns(tables: Mapping[str, CostTable], figures: Sequence[str]) -> list[Column]:
    (first, reference), *others = tables.items()
    columns = [
        Column("", [quantity(figure).heading for figure in figures], "left"),
        Column(first, [_cell(reference, figure) for figure in figures]),
    ]
    for name, table in others:
        columns.append(Column(name, [_cell(table, figure) for figure in figures]))
        columns.append(
            Column(
                f"of {first}" if len(first) <= 24 else "of the first",
                [_ratio(table, reference, figure) for figure in figures],
            )
        )
    return columns


def _cell(table: CostTable, figure: str) -> str:
    return text.number(table.figure(figure))


def _ratio(table: CostTable, reference: CostTable, figure: str) -> str:
    return ratio(table.figure(figure), reference.figure(figure))


def _pages(columns: Sequence[Column], width: int) -> list[list[Column]]:
    """The columns in as many tables as the width needs, each beginning with the names of the rows."""
    names, *others = columns
    pages = [[names]]
    for column in others:
        if len(pages[-1]) > 1 and sum(c.width + 2 for c in (*pages[-1], column)) - 2 > width:
            pages.append([names])
        pages[-1].append(column)
    return pages


def _note(tables: Mapping[str, CostTable], figures: Sequence[str]) -> str:
    counting = next(iter(tables.values())).counting
    return "; ".join(
        (f"convention {counting.convention.name}: {counting.convention.doc}", *text.asked(counting, figures))
    )


def _plain(tables: Mapping[str, CostTable], figures: Sequence[str]) -> dict[str, Any]:
    reference = next(iter(tables.values()))

    return {
        "convention": reference.convention.name,
        "networks": [
            {
                "name": name,
                "bindings": {symbol: str(value) for symbol, value in table.network.bindings.items()},
                **{figure: text.raw(table.figure(figure)) for figure in figures},
                "of_first": {figure: _ratio(table, reference, figure) for figure in figures},
            }
            for name, table in tables.items()
        ],
    }
