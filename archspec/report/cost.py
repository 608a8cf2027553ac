"""The cost table."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from typing import Any

from archspec.cost import QUANTITIES, CostRow, CostTable, Dialect, Term, summed
from archspec.ops import KINDS
from archspec.report import numbers
from archspec.report.cells import EMPTY, Name, Number, Shape, Share, raw
from archspec.report.page import Column, Notes, Report, Role, Section, Table, Title

FIRST = ("params", "buffers", "macs", "flops", "activations", "weight_bytes")
"""What JSON names before the operations by kind; all other quantities stand behind them."""


@dataclass(frozen=True, slots=True)
class _CostLine:
    """A printed row: one node or group, or several equal ones together; `part` if it is inside the subtotal above."""

    name: str
    row: CostRow
    times: int = 1
    part: bool = False


def cost(table: CostTable, grouping: str | int = "block") -> Report:
    """A cost table.

    Args:
        table: The counted network.
        grouping: As `CostTable.by` takes it; "layer" prints the layers of each block under its subtotal.
    """
    lines = _lines(table, grouping)
    return Report(
        (
            Section((Title(numbers.titled(table.network)),)),
            Section((Table(_columns(table, lines, grouping), list(_roles(lines))),)),
            Section((Notes(_notes(table)),)),
        ),
        data=lambda: _data(table, grouping),
        records=lambda: _records(table.by(grouping)),
    )


# ------------------------------------------------------------------ lines


def _lines(table: CostTable, grouping: str | int) -> list[_CostLine]:
    if grouping == "layer":
        return _layers(table)
    rows = table.by(grouping)
    if grouping == "operator":
        return [_CostLine(row.name, row, row.nodes) for row in rows]
    return [] if grouping == "total" else _fold(rows)


def _fold(rows: Iterable[CostRow], alike: Callable[[CostRow], Any] = CostRow.figures) -> list[_CostLine]:
    """Neighbours that are alike (in all figures, unless said otherwise) become one line of what they cost together."""
    lines = []
    for _, group in groupby(rows, alike):
        first, *others = group
        name = _span(first.name, others[-1].name) if others else first.name
        lines.append(_CostLine(name, summed(first.name, first.operator, [first, *others]), 1 + len(others)))
    return lines


def _span(first: str, last: str) -> str:
    """The name of a run of rows.

    >>> _span("separable7/unit1", "separable7/unit5"), _span("fire2", "fire3"), _span("relu", "relu_2")
    ('separable7/unit1…5', 'fire2…3', 'relu…relu_2')
    """
    first = first.partition("…")[0]
    a, b = re.fullmatch(r"(.*?)(\d+)", first), re.fullmatch(r"(.*?)(\d+)", last)
    if a and b and a[1] == b[1]:
        return f"{first}…{b[2]}"
    return f"{first}…{last.rpartition('/')[2]}"


def _layers(table: CostTable) -> list[_CostLine]:
    """Every layer; those of a block under its subtotal, equal blocks in a row folded."""
    inside: dict[str, list[CostRow]] = {}
    for node, row in zip(table.network.nodes, table.rows, strict=True):
        inside.setdefault(node.block, []).append(row)
    blocks = iter(table.by("block"))
    lines: list[_CostLine] = []
    for line in _fold(table.by("block"), lambda block: [row.figures() for row in inside[block.name]]):
        names = [block.name for block in islice(blocks, line.times)]
        lines.append(line)
        if len(inside[names[0]]) > 1:
            alike = zip(*(inside[name] for name in names), strict=True)
            rows = [summed(rows[0].name, rows[0].operator, rows) for rows in alike]
            lines.extend(_CostLine(row.name[len(names[0]) + 1 :], row, line.times, part=True) for row in rows)
    return lines


# ------------------------------------------------------------------ columns


def _roles(lines: Sequence[_CostLine]) -> Iterator[Role]:
    for number, line in enumerate(lines):
        before_parts = number + 1 < len(lines) and lines[number + 1].part
        yield "part" if line.part else "subtotal" if before_parts else ""
    yield "total"


def _columns(table: CostTable, lines: Sequence[_CostLine], grouping: str | int) -> list[Column]:
    """The columns that have anything to say, the last cell of each being the total."""
    total = table.total
    rows = [*(line.row for line in lines), total]
    header = str(grouping) if grouping in ("operator", "stage", "block") else "layer"
    kinds = [line.row.operator if line.row.operator != line.name else "" for line in lines]
    shapes = [EMPTY if grouping == "operator" else Shape(line.row.output) for line in lines]

    def figure(heading: str, name: str, drop: int = 0) -> Column:
        return Column(heading, [Number(getattr(row, name)) for row in rows], name, drop)

    def share(of: str, name: str) -> Column:
        return Column(f"share of {of}", [Share(getattr(row, name), getattr(total, name)) for row in rows], "share")

    if isinstance(table.convention, Dialect):  # its number takes the first place, and the bars
        name = table.convention.name
        first, second, last = figure(name, "flops"), figure("MACs", "macs", 2), share(name, "flops")
    else:
        first, second, last = figure("MACs", "macs"), figure("FLOPs", "flops", 2), share("MACs", "macs")
    columns = [
        Column(header, [*(Name(line.name) for line in lines), Name("total")], "name", least=12),
        Column("of", [*map(Name, kinds), EMPTY], "operator", drop=4),
        Column("", [*(Name(f"×{line.times}" if line.times > 1 else "") for line in lines), EMPTY], "times"),
        Column("output", [*shapes, EMPTY]),
        figure("params", "params"),
        first,
        second,
        figure("activations", "activations", 3),
        figure("weights [B]", "weight_bytes", 1),
        last,
    ]
    return [column for column in columns if any(cell != EMPTY for cell in column.cells)]


# ------------------------------------------------------------------ what stands below


def _notes(table: CostTable) -> list[str]:
    """What was counted, and how: under every table."""
    network, total = table.network, table.total
    bindings = numbers.bindings(network.bindings)
    size = numbers.number(total.weight_bytes)
    if isinstance(total.weight_bytes, int):
        size += f" B = {numbers.binary_size(total.weight_bytes)}"
    return [
        f"input {numbers.shape(network.input.shape)}, batch {network.batch}" + (f"; {bindings}" if bindings else ""),
        _sum_of_terms(table),
        f"weights {size} ({numbers.number(total.params)} params, {numbers.number(total.buffers)} buffers, "
        f"{table.counting.bits}-bit)",
        ("like" if isinstance(table.convention, Dialect) else "convention")
        + f" {table.convention.name}: {table.convention.doc}"
        + (f" [{table.convention.source}]" if table.convention.source else ""),
    ]


def _sum_of_terms(table: CostTable) -> str:
    """From what the operations add up, and what is free."""
    flops, convention = numbers.number(table.flops), table.convention
    if isinstance(convention, Dialect):
        return (
            f"{convention.name} {convention.version} prints {flops} {convention.prints} = {numbers.terms(table.terms)}"
        )
    kinds = {kind: n for kind, n in zip(KINDS, table.operations.counts(), strict=True) if not _is_zero(n)}
    terms = [Term(kind, kind, convention.flops[kind], n) for kind, n in kinds.items() if convention.flops.get(kind)]
    unnamed = [f"{numbers.number(n)} {kind}" for kind, n in kinds.items() if not convention.flops.get(kind)]
    return f"FLOPs {flops} = {numbers.terms(terms)}" + (f"; free: {', '.join(unnamed)}" if unnamed else "")


def _is_zero(count: Any) -> bool:
    return isinstance(count, int) and count == 0


# ------------------------------------------------------------------ for machines


def _data(table: CostTable, grouping: str | int) -> dict[str, Any]:
    """The figures as JSON has them."""
    network = table.network
    return {
        "spec": network.name,
        "bindings": {name: str(value) for name, value in network.bindings.items()},
        "convention": table.convention.name,
        "batch": raw(network.batch),
        "policy": table.counting.policy,
        "dtype": table.counting.dtype,
        "weight_bits": table.counting.bits,
        "input": list(map(raw, network.input.shape)),
        "totals": _figures(table.total),
        "rows": [
            {"name": row.name, "operator": row.operator, "output": list(map(raw, row.output)), **_figures(row)}
            for row in table.by(grouping)
        ],
    }


def _figures(row: CostRow) -> dict[str, Any]:
    kinds = {kind: row.figure(kind) for kind in KINDS}
    figures = {name: raw(row.figure(name)) for name in QUANTITIES if name == "macs" or name not in KINDS}
    first = {name: figures.pop(name) for name in FIRST}
    return {**first, "operations": {kind: raw(n) for kind, n in kinds.items() if not _is_zero(n)}, **figures}


def _records(rows: Sequence[CostRow]) -> Table:
    return Table(
        [
            Column("name", [Name(row.name) for row in rows]),
            Column("operator", [Name(row.operator) for row in rows]),
            Column("output", [Shape(row.output) for row in rows]),
            *(Column(name, [Number(row.figure(name)) for row in rows]) for name in QUANTITIES),
        ]
    )
