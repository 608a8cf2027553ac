"""Networks side by side, with their ratios."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from archspec.cost import CostTable, quantity
from archspec.report import numbers
from archspec.report.columns import figure as counted
from archspec.report.page import Column, Name, Notes, Number, Report, Section, Table, exact_texts, raw

FIGURES = ("params", "macs", "flops", "activations", "weight_bytes")
"""What is compared unless something else is asked for."""


def compare(tables: Mapping[str, CostTable], figures: Sequence[str] = FIGURES) -> Report:
    """The figures of several networks, and each network's as a multiple of the first's.

    Args:
        tables: The counted networks by what to call them; the first is the one that the others are held against.
        figures: The quantities to compare, by name.
    """
    note = numbers.compared_note(tables.items(), figures)
    return Report(
        (Section((Table(_columns(tables, figures), wide="further"),)), Section((Notes((note,)),))),
        data=lambda: _data(tables, figures),
        records=lambda: _records(tables, figures),
    )


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
    of_first = f"of {first}" if len(first) <= 24 else "of the first"
    columns = [
        Column("", [Name(quantity(figure).heading) for figure in figures], "quantity"),
        _figures(first, reference, figures),
    ]
    for name, table in others:
        ratios = [_ratio(table, reference, figure) for figure in figures]
        columns += [_figures(name, table, figures), Column(of_first, ratios, f"{name} / {first}")]
    return columns


def _records(tables: Mapping[str, CostTable], figures: Sequence[str]) -> Table:
    """One row per network, for machines."""
    reference = next(iter(tables.values()))
    columns = [Column("network", [Name(name) for name in tables])]
    for figure in figures:
        ratios = [_ratio(table, reference, figure) for table in tables.values()]
        columns += [
            Column(figure, [Number(table.figure(figure)) for table in tables.values()]),
            Column(f"{figure}_of_first", ratios),
        ]
    return Table(columns)


def _figures(name: str, table: CostTable, figures: Sequence[str]) -> Column:
    return Column(name, [counted(table.total, figure) for figure in figures])


def _ratio(table: CostTable, reference: CostTable, figure: str) -> Number:
    above, below = table.figure(figure), reference.figure(figure)
    return Number(Fraction(above) / below if above is not None and below else None, ratio(above, below))


def _data(tables: Mapping[str, CostTable], figures: Sequence[str]) -> dict[str, Any]:
    reference = next(iter(tables.values()))
    return {
        "convention": reference.convention.name,
        "networks": [
            {
                "name": name,
                "bindings": exact_texts(table.network.bindings),
                **({"not_counted": list(table.network.opaque)} if table.network.opaque else {}),
                **{figure: raw(table.figure(figure)) for figure in figures},
                "of_first": {figure: _ratio(table, reference, figure).text for figure in figures},
            }
            for name, table in tables.items()
        ],
    }
