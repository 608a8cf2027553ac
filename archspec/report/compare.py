"""Networks side by side, with their ratios."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from archspec.cost import CostTable
from archspec.report.cells import Name, Number, raw
from archspec.report.page import Column, Notes, Report, Section, Table

FIGURES: Mapping[str, str] = {
    "params": "params",
    "macs": "MACs",
    "flops": "FLOPs",
    "activations": "activations",
    "weight_bytes": "weights [B]",
}


def compare(tables: Mapping[str, CostTable]) -> Report:
    """The figures of several networks, and each network's as a multiple of the first's.

    Args:
        tables: The counted networks by what to call them; the first is the one that the others are held against.
    """
    convention = next(iter(tables.values())).convention
    note = f"convention {convention.name}: {convention.doc}"
    return Report(
        (Section((Table(_columns(tables), wide="further"),)), Section((Notes((note,)),))),
        data=_data(tables),
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


def _columns(tables: Mapping[str, CostTable]) -> list[Column]:
    (first, reference), *others = tables.items()
    of_first = f"of {first}" if len(first) <= 24 else "of the first"
    columns = [Column("", list(map(Name, FIGURES.values())), "quantity"), _figures(first, reference)]
    for name, table in others:
        ratios = [_ratio(table, reference, figure) for figure in FIGURES]
        columns += [_figures(name, table), Column(of_first, ratios, f"{name} / {first}")]
    return columns


def _figures(name: str, table: CostTable) -> Column:
    return Column(name, [Number(getattr(table, figure)) for figure in FIGURES])


def _ratio(table: CostTable, reference: CostTable, figure: str) -> Number:
    above, below = getattr(table, figure), getattr(reference, figure)
    return Number(Fraction(above) / below if below else None, ratio(above, below))


def _data(tables: Mapping[str, CostTable]) -> dict[str, Any]:
    reference = next(iter(tables.values()))
    return {
        "convention": reference.convention.name,
        "networks": [
            {
                "name": name,
                "bindings": {symbol: str(value) for symbol, value in table.network.bindings.items()},
                **{figure: raw(getattr(table, figure)) for figure in FIGURES},
                "of_first": {figure: _ratio(table, reference, figure).text for figure in FIGURES},
            }
            for name, table in tables.items()
        ],
    }
