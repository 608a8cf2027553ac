"""The cost table."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, groupby, islice
from typing import Any

from archspec.cost import QUANTITIES, CostRow, CostTable, Dialect, Term, bytes_of, summed
from archspec.cost.conventions import is_zero
from archspec.dims import is_number
from archspec.graph import Network
from archspec.language.alphabet import latex_letter
from archspec.ops import KINDS
from archspec.ops.opaque import not_counted
from archspec.report import numbers
from archspec.report.columns import columns as chosen
from archspec.report.columns import figure as counted
from archspec.report.page import (
    EMPTY,
    Column,
    LetteredSentence,
    Name,
    Notes,
    Report,
    Role,
    Section,
    Shape,
    Share,
    Table,
    Title,
    exact_texts,
    raw,
)
from archspec.writing import latex_text

FIRST = ("params", "buffers", "macs", "flops", "activations", "weight_bytes")
"""What JSON names before the operations by kind; all other quantities stand behind them."""


@dataclass(frozen=True, slots=True)
class _CostLine:
    """A printed row: one node or group, or several equal ones together.

    Attributes:
        name: What it is called.
        row: What it costs.
        times: How many are together.
        depth: Inside how many subtotals it is.
    """

    name: str
    row: CostRow
    times: int = 1
    depth: int = 0


def cost(table: CostTable, grouping: str | int = "block", names: Sequence[str] | None = None) -> Report:
    """A cost table.

    Args:
        table: The counted network.
        grouping: As `CostTable.by` takes it; "layer" prints the layers of each block under its subtotal, "tree" every
            part of the tree of names under the subtotal of the part that it is in.
        names: The columns behind the names; see `report.columns`.
    """
    network, lines = table.network, _lines(table, grouping)
    flat = "layer" if grouping == "tree" else grouping
    return Report(
        (
            Section((Title(numbers.network_title(network)),)),
            Section((Table(_columns(table, lines, grouping, names), list(_roles(lines))),)),
            Section((Notes(_notes(table, names or ())),)),
        ),
        data=lambda: {
            "spec": network.name,
            "bindings": exact_texts(network.bindings),
            "convention": table.convention.name,
            "batch": raw(network.batch),
            "policy": table.counting.policy,
            "dtype": table.counting.dtype,
            "weight_bits": table.counting.bits,
            "input": list(map(raw, network.input.shape)),
            **(
                {"inputs": {name: list(map(raw, tensor.shape)) for name, tensor in network.inputs.items()}}
                if len(network.inputs) > 1
                else {}
            ),
            **({"not_counted": list(network.opaque)} if network.opaque else {}),
            "totals": _figures(table.total),
            "rows": [
                {"name": row.name, "operator": row.operator, "output": list(map(raw, row.output)), **_figures(row)}
                for row in table.by(flat)
            ],
        },
        records=lambda: _records(table.by(flat), names),
    )


# ------------------------------------------------------------------ lines


def _lines(table: CostTable, grouping: str | int) -> list[_CostLine]:
    if grouping == "layer":
        return _layers(table)
    if grouping == "tree":
        return _tree(table, [range(len(table.rows))])
    rows = table.by(grouping)
    if grouping == "operator":
        return [_CostLine(row.name, row, row.nodes) for row in rows]
    return [] if grouping == "total" else _fold_units(rows)


def _fold(rows: Iterable[CostRow], alike: Callable[[CostRow], Any] = CostRow.figures) -> list[_CostLine]:
    """Neighbours that are alike (in all figures, unless said otherwise) become one line of what they cost together."""
    lines = []
    for _, group in groupby(rows, alike):
        first, *others = group
        name = _span(first.name, others[-1].name) if others else first.name
        lines.append(_CostLine(name, summed(first.name, first.operator, [first, *others]), 1 + len(others)))
    return lines


def _fold_units(rows: Sequence[CostRow], level: int = 1) -> list[_CostLine]:
    """Neighbours that are alike as one line; of neighbouring units of a repeat that are, each row with its likes.

    Args:
        rows: The rows, in order.
        level: Of repeats in each other, which are looked at: 1 are the outermost.
    """
    unit = re.compile(rf"(?:.*?/unit\d+/){{{level}}}")
    found = {row.name: match[0] for row in rows if (match := unit.match(row.name))}
    if not found:
        return _fold(rows)
    lines: list[_CostLine] = []
    units = [list(group) for _, group in groupby(rows, lambda row: found.get(row.name, row.name))]
    inside = {row.name: row.name.removeprefix(found.get(row.name, row.name)) for row in rows}
    for _, run in groupby(units, lambda unit: [(inside[row.name], row.figures()) for row in unit]):
        first, *others = run
        if len(first) > 1 and not others:
            lines += _fold_units(first, level + 1)
            continue
        for alike in zip(first, *others, strict=True):
            lines += _fold(alike, lambda _: None)
    return lines


def _span(first: str, last: str) -> str:
    """The name of a run of rows.

    >>> _span("separable7/unit1", "separable7/unit5"), _span("relu", "relu_2"), _span("a/unit1/b", "a/unit12/b")
    ('separable7/unit1…5', 'relu…relu_2', 'a/unit1…12/b')
    """
    ours, theirs = (re.sub(r"…[^/]*", "", name).split("/") for name in (first, last))
    place = next((place for place, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b), 0)
    a, b = (re.fullmatch(r"(.*?)(\d+)", parts[place]) for parts in (ours, theirs))
    if a and b and a[1] == b[1] and ours[place + 1 :] == theirs[place + 1 :]:
        return "/".join((*ours[:place], f"{a[0]}…{b[2]}", *ours[place + 1 :]))
    return f"{'/'.join(ours)}…{'/'.join(theirs[place:])}"


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
            lines.extend(_CostLine(row.name[len(names[0]) + 1 :], row, line.times, depth=1) for row in rows)
    return lines


def _tree(table: CostTable, copies: Sequence[Sequence[int]], depth: int = 0) -> list[_CostLine]:
    """Every part of the tree of names under the subtotal of its whole; equal neighbours folded.

    Args:
        table: The counted network.
        copies: The places of the nodes of equal parts, which are shown together: the first, and the others likewise.
        depth: How many parts these are in.
    """
    nodes, lead = table.network.nodes, copies[0]
    parts: dict[str, list[int]] = {}
    for number, place in enumerate(lead):
        parts.setdefault("/".join(nodes[place].name.split("/")[: depth + 1]), []).append(number)
    lines: list[_CostLine] = []
    for _, each in groupby(parts.items(), lambda part: [table.rows[lead[number]].figures() for number in part[1]]):
        group = list(each)
        name, numbers_ = group[0]
        first = nodes[lead[numbers_[0]]]
        leaf = first.name == name
        inner = [[copy[number] for number in alike] for copy in copies for _, alike in group]
        container = table.network.containers.get(name)
        kind = first.operator.name if leaf else container.kind if container else ""
        whole = table.together(name, kind, chain.from_iterable(inner))
        shown = (_span(name, group[-1][0]) if len(group) > 1 else name).split("/", depth)[depth]
        lines.append(_CostLine(shown, whole, len(inner), depth))
        lines += [] if leaf else _tree(table, inner, depth + 1)
    return lines


# ------------------------------------------------------------------ columns


def _roles(lines: Sequence[_CostLine]) -> Iterator[Role]:
    for number, line in enumerate(lines):
        before_parts = number + 1 < len(lines) and lines[number + 1].depth > line.depth
        yield "subtotal" if before_parts else "part" if line.depth else ""
    yield "total"


def _columns(
    table: CostTable, lines: Sequence[_CostLine], grouping: str | int, names: Sequence[str] | None
) -> list[Column]:
    """The columns that have anything to say, the last cell of each being the total."""
    total = table.total
    header = str(grouping) if grouping in ("operator", "stage", "block") else "layer"
    kinds = [line.row.operator if line.row.operator != line.name else "" for line in lines]
    # those of parts are set in by the format, all further depths here
    inset = [max(line.depth - (role != "subtotal"), 0) for line, role in zip(lines, _roles(lines), strict=False)]
    shown = [Name(f"{'  ' * depth}{line.name}") for line, depth in zip(lines, inset, strict=True)]
    columns = [
        Column(header, [*shown, Name("total")], "name", least=12),
        Column("of", [*map(Name, kinds), EMPTY], "operator", drop=4),
        Column("", [*(Name(f"×{line.times}" if line.times > 1 else "") for line in lines), EMPTY], "times"),
        *(_usual(table, lines, grouping) if names is None else chosen(names, [line.row for line in lines], total)),
    ]
    return [column for column in columns if any(cell != EMPTY for cell in column.cells)]


def _usual(table: CostTable, lines: Sequence[_CostLine], grouping: str | int) -> list[Column]:
    """The columns where none are asked for."""
    total = table.total
    rows = [*(line.row for line in lines), total]
    shapes = [EMPTY if grouping == "operator" else Shape(line.row.output) for line in lines]

    counter = table.convention.name if isinstance(table.convention, Dialect) else None
    first, second = ("flops", "macs") if counter else ("macs", "flops")  # a counter's number takes the first place

    def figure(name: str, drop: int = 0, heading: str | None = None) -> Column:
        return Column(heading or QUANTITIES[name].heading, [counted(row, name) for row in rows], name, drop)

    of = counter or QUANTITIES[first].heading
    return [
        Column("output", [*shapes, EMPTY]),
        figure("params"),
        figure(first, heading=counter),
        figure(second, 2),
        figure("activations", 3),
        figure("weight_bytes", 1),
        Column(f"share of {of}", [Share(getattr(row, first), getattr(total, first)) for row in rows], "share"),
    ]


# ------------------------------------------------------------------ what stands below


def _notes(table: CostTable, names: Sequence[str]) -> list[str]:
    """What was counted, and how: under every table."""
    network, total = table.network, table.total
    whole = isinstance(total.weight_bytes, int)
    size = numbers.exact_size(total.weight_bytes) if whole else numbers.number(total.weight_bytes)
    return [
        *not_counted(network.opaque),
        _bound(f"{numbers.inputs(network)}, batch {network.batch}", network),
        _sum_of_terms(table),
        f"weights {size} ({numbers.number(total.params)} params, {numbers.number(total.buffers)} buffers, "
        f"{table.counting.bits}-bit)",
        *_all_kept(table),
        *([_backward(total)] if any(name.endswith("_gradient") for name in names) else []),
        ("like" if isinstance(table.convention, Dialect) else "convention")
        + f" {table.convention.name}: {table.convention.doc}"
        + (f" [{table.convention.source}]" if table.convention.source else ""),
    ]


def _bound(before: str, network: Network) -> LetteredSentence:
    """A sentence, and behind it the values of a network's symbols, with their letters where they are set."""
    if not network.bindings:
        return LetteredSentence(before, latex_text(before))
    declared = network.document.symbols if network.document else {}
    parts = []
    for name, value in network.bindings.items():
        letter = latex_letter(name, declared[name].latex if name in declared else None)
        words = str(value) if is_number(value) else rf"\text{{{latex_text(str(value))}}}"
        parts.append(f"${letter} = {words}$")
    return LetteredSentence(
        f"{before}; {numbers.bindings(network.bindings)}", f"{latex_text(before)}; {', '.join(parts)}"
    )


def _all_kept(table: CostTable) -> list[str]:
    """The bytes of everything that a forward pass makes and reads, as if nothing were ever let go."""
    bits = table.counting.activation_bits
    parts = {
        "input": bytes_of(sum(tensor.elements for tensor in table.network.inputs.values()), bits),
        "activations": bytes_of(table.activations, bits),
        "weights": table.weight_bytes,
    }
    if not all(type(size) is int for size in parts.values()):
        return []
    total = sum(parts.values())
    summands = " + ".join(f"{name} {numbers.number(size)} B" for name, size in parts.items())
    return [f"{summands} = {numbers.exact_size(total)}, if everything is kept"]


def _backward(total: CostRow) -> str:
    """The multiply-accumulates of a step of training, the input's gradient and the weights' apart."""
    parts = {name: total.figure(name) for name in ("macs", "macs_input_gradient", "macs_weight_gradient")}
    forward, inputs, weights = map(numbers.number, parts.values())
    every = numbers.number(sum(parts.values()))
    return (
        f"MACs of a training step {every} = {forward} forward + {inputs} input gradients + {weights} weight gradients"
    )


def _sum_of_terms(table: CostTable) -> str:
    """From what the operations add up, and what is free."""
    flops, convention = numbers.number(table.flops), table.convention
    if isinstance(convention, Dialect):
        return (
            f"{convention.name} {convention.version} prints {flops} {convention.prints} = {numbers.terms(table.terms)}"
        )
    kinds = {kind: n for kind, n in zip(KINDS, table.operations.counts(), strict=True) if not is_zero(n)}
    terms = [Term(kind, kind, convention.flops[kind], n) for kind, n in kinds.items() if convention.flops.get(kind)]
    unnamed = [f"{numbers.number(n)} {kind}" for kind, n in kinds.items() if not convention.flops.get(kind)]
    return f"FLOPs {flops} = {numbers.terms(terms)}" + (f"; free: {', '.join(unnamed)}" if unnamed else "")


# ------------------------------------------------------------------ for machines


def _figures(row: CostRow) -> dict[str, Any]:
    kinds = {kind: row.figure(kind) for kind in KINDS}
    figures = {name: counted(row, name).raw for name in QUANTITIES if name == "macs" or name not in KINDS}
    first = {name: figures.pop(name) for name in FIRST}
    return {**first, "operations": {kind: raw(n) for kind, n in kinds.items() if not is_zero(n)}, **figures}


def _records(rows: Sequence[CostRow], names: Sequence[str] | None) -> Table:
    if names is not None:
        found = [replace(column, cells=column.cells[:-1]) for column in chosen(names, rows, rows[0].table.total)]
        return Table([Column("name", [Name(row.name) for row in rows]), *found])
    return Table(
        [
            Column("name", [Name(row.name) for row in rows]),
            Column("operator", [Name(row.operator) for row in rows]),
            Column("output", [Shape(row.output) for row in rows]),
            *(Column(name, [counted(row, name) for row in rows]) for name in QUANTITIES),
        ]
    )
