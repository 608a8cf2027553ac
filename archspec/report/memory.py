"""A network's memory over time: for a terminal, for papers, for spreadsheets and machines."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from archspec.memory.peak import POLICIES, Memory, Moment
from archspec.report import text
from archspec.report.text import Column

FORMATS = ("text", "markdown", "csv", "json")
GROUPINGS = ("layer", "block")


@dataclass(frozen=True, slots=True)
class _Line:
    """Nodes that run one behind the other, by the one among them that needs most."""

    name: str
    moment: Moment
    nodes: int


def memory(found: Memory, form: str = "text", by: str = "block", *, width: int = 100, colour: bool = False) -> str:
    """The memory of a network, as one of `FORMATS`; printed tables have a row a layer or a block."""
    if form == "json":
        return json.dumps(_plain_data(found), ensure_ascii=False, indent=1) + "\n"
    lines = _lines(found, by)
    if form == "csv":
        stream = io.StringIO()
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(["node", "operator", "output", "bytes"])
        table.writerows([line.name, *_cells(line), line.moment.bytes] for line in lines)
        return stream.getvalue()
    columns = _columns(lines)
    if form == "markdown":
        return f"{_sentence(found)}\n\n{text.markdown(columns)}\n"
    cells = max(width - sum(column.width + 2 for column in columns), 0)
    if cells >= 8 and isinstance(found.peak, int):
        bars = [text.bar(line.moment.bytes, found.peak, min(cells, 30)) for line in lines]
        columns.append(Column("", bars, "left"))
    header, rule, *rows = (line.rstrip() for line in text.plain(columns))
    title = _sentence(found)
    bold = [f"\x1b[1m{line}\x1b[0m" for line in (title, header)] if colour else [title, header]
    return "\n".join((bold[0], *_notes(found), "", bold[1], rule, *rows)) + "\n"


def _lines(found: Memory, by: str) -> list[_Line]:
    """The nodes, or those of each block that run one behind the other, as the one that needs most."""
    if by == "layer":
        return [_Line(moment.node.name, moment, 1) for moment in found.timeline]
    groups = ((name, list(moments)) for name, moments in groupby(found.timeline, lambda moment: moment.node.block))
    return [_Line(name, max(moments, key=lambda m: m.bytes), len(moments)) for name, moments in groups]


def _cells(line: _Line) -> list[str]:
    return [line.moment.node.operator.name, text.shape(line.moment.node.output.shape)]


def _columns(lines: Sequence[_Line]) -> list[Column]:
    cells = list(zip(*map(_cells, lines), strict=True))
    return [
        Column("node", [line.name for line in lines], "left"),
        Column("largest at", cells[0], "left"),
        Column("output", cells[1]),
        Column("bytes", [text.number(line.moment.bytes) for line in lines]),
    ]


def _sentence(found: Memory) -> str:
    where = ", ".join(found.at[:2]) + (" …" if len(found.at) > 2 else "")
    return f"{found.network.name}: {text.number(found.peak)} bytes ({text.binary_size(found.peak)}) at {where}"


def _notes(found: Memory) -> list[str]:
    bindings = "".join(f"; {name} = {value}" for name, value in found.network.bindings.items())
    order = (
        "the network's order" if found.order == tuple(n.name for n in found.network.nodes) else "an order of its own"
    )
    proved = ", no order needs less" if found.optimal else ""
    weights = f"; weights {text.number(found.weight_bytes)} bytes" if found.weight_bytes else ""
    written = "; written in place where nothing else reads" if found.in_place else ""
    return [
        f"input {text.shape(found.network.input.shape)}, batch {found.network.batch}{bindings}",
        f"{found.policy}: {POLICIES[found.policy]}; {found.dtype}; {order}{proved}{weights}{written}",
    ]


def _plain_data(found: Memory) -> dict[str, Any]:
    return {
        "spec": found.network.name,
        "bindings": {name: str(value) for name, value in found.network.bindings.items()},
        "batch": found.network.batch,
        "policy": found.policy,
        "dtype": found.dtype,
        "in_place": found.in_place,
        "optimal": found.optimal,
        "weight_bytes": found.weight_bytes,
        "peak": found.peak,
        "at": list(found.at),
        "timeline": [
            {
                "node": moment.node.name,
                "operator": moment.node.operator.name,
                "output": list(moment.node.output.shape),
                "bytes": moment.bytes,
            }
            for moment in found.timeline
        ],
    }
