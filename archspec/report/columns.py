"""The columns that a table of costs can have: what a layer is, every quantity, and shares.

`kernel`, `stride` and `groups` are of one layer, or of a group that has one such layer. `share` is that of the quantity
named before it, of MACs if none is.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from archspec.cost import QUANTITIES, CostRow, quantity
from archspec.errors import UnknownNameError, suggestion
from archspec.ops import KINDS
from archspec.ops.base import per_axis
from archspec.report import numbers
from archspec.report.page import EMPTY, Cell, Column, Number, Shape, Share, Sizes

SHARE = "share"


def _of_layers(field: str, cell: Callable[[Any], Cell]) -> Callable[[CostRow], Cell]:
    def of(row: CostRow) -> Cell:
        operators = [row.table.works[place].operator for place in row.members]
        found = [value for each in operators if (value := getattr(each, field, None)) is not None]
        same = len(found) == 1 or (found and len(found) == len(operators) and len(set(map(str, found))) == 1)
        return cell(found[0]) if same else EMPTY

    return of


def _stride(value: Any) -> Cell:
    sizes = per_axis(value, 1)
    return Number(sizes[0]) if all(size == sizes[0] for size in sizes) else Sizes(sizes)


def _kernel(row: CostRow) -> Cell:
    """A size for each axis that it has."""
    axes = len(row.table.works[row.members[0]].inputs[0].shape) - 2
    return _of_layers("kernel_size", lambda value: Sizes(per_axis(value, axes)))(row)


DESCRIPTIONS: Mapping[str, tuple[str, Callable[[CostRow], Cell]]] = MappingProxyType(
    {
        "input": ("input", lambda row: Shape(row.table.works[row.members[0]].inputs[0].shape)),
        "output": ("output", lambda row: Shape(row.output)),
        "kernel": ("kernel", _kernel),
        "stride": ("stride", _of_layers("stride", _stride)),
        "groups": ("groups", _of_layers("groups", Number)),
    }
)
"""What a layer is, by name: the heading, and the cell of a row."""

COLUMNS: tuple[str, ...] = (*DESCRIPTIONS, *QUANTITIES, SHARE)
"""The names of all columns; quantities of other packages have one, too."""


ARITHMETIC = frozenset({*KINDS, "flops", "bops", "macs_input_gradient", "macs_weight_gradient", "intensity"})
"""The quantities that opaque nodes have something of, without its being known what."""


def figure(row: CostRow, name: str) -> Number:
    """What a row has of a quantity: nothing that is known where all of it is opaque, at least that where some is."""
    value = row.figure(name)
    if name not in ARITHMETIC or not row.opaque:
        return Number(value)
    return Number(None) if row.opaque == row.nodes else Number(value, f"≥ {numbers.number(value)}")


def named(text: str) -> tuple[str, ...]:
    """The names in a text, apart by commas; `share` may come again, behind another quantity.

    Raises:
        UnknownNameError: One is empty, or comes twice.

    >>> named("params,share,macs,share")
    ('params', 'share', 'macs', 'share')
    """
    names = tuple(name.strip() for name in text.split(","))
    for number, name in enumerate(names):
        if not name or (name != SHARE and name in names[:number]):
            raise UnknownNameError(f"columns are NAME,NAME,…, each once (got '{text}')")
    return names


def columns(names: Sequence[str], rows: Sequence[CostRow], total: CostRow) -> list[Column]:
    """The columns of these names, one cell per row, and the total's at the end.

    Raises:
        UnknownNameError: There is no such column.
    """
    made = []
    of = "macs"
    for name in names:
        if name in DESCRIPTIONS:
            heading, cell = DESCRIPTIONS[name]
            made.append(Column(heading, [*map(cell, rows), EMPTY], name))
        elif name == SHARE:
            what = quantity(of)
            parts: list[Cell] = [Share(row.figure(of), total.figure(of)) for row in (*rows, total)]
            made.append(Column(f"share of {what.heading}", parts, f"share_of_{of}"))
        else:
            try:
                what = quantity(name)
            except UnknownNameError:
                raise UnknownNameError(f"no column '{name}'{suggestion(name, COLUMNS)}") from None
            of = name if what.kind == "sum" else of
            made.append(Column(what.heading, [figure(row, name) for row in (*rows, total)], name))
    return made
