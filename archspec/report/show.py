"""A specification as its paper prints it, beside what is built."""

import textwrap
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from archspec.graph import Network, Node, Trace
from archspec.language.document import Block, Document
from archspec.report import text
from archspec.report.text import Column


def show(document: Document, network: Network, *, width: int = 100, colour: bool = False) -> str:
    """The symbols, the functions, the blocks, and the network's tables with nominal → built numbers."""
    bold = (lambda line: f"\x1b[1m{line}\x1b[0m") if colour else (lambda line: line)
    title = f"{document.name}: {text.cite(document)}" if text.cite(document) else document.name
    sections = [textwrap.wrap(title, width, subsequent_indent="  ")]
    note = document.source.note if document.source else None
    if note:
        sections[0] += textwrap.wrap(f"note: {note}", width, initial_indent="  ", subsequent_indent="  ")
    if document.symbols:
        sections.append(_section("symbols", text.plain(_symbols(document, network))))
    if document.functions:
        lines = [f"{signature} = {body}" for signature, body in document.functions.items()]
        sections.append(_section("functions", lines))
    if document.blocks:
        lines = [_signature(name, block) for name, block in document.blocks.items()]
        sections.append(_section("blocks", [part for line in lines for part in _wrapped(line, width)]))
    sections.append(_section("network", list(_network(network, width))))
    out = [bold(line) if line == section[0] else line for section in sections for line in (*section, "")]
    return "\n".join(line.rstrip() for line in out[:-1]) + "\n"


def _section(heading: str, lines: list[str]) -> list[str]:
    return [heading, *(f"  {line}" for line in lines)]


def _wrapped(line: str, width: int) -> list[str]:
    return textwrap.wrap(line, width - 2, subsequent_indent="    ")


def _symbols(document: Document, network: Network) -> list[Column]:
    symbols = document.symbols
    return [
        Column("symbol", list(symbols), "left"),
        Column("value", [str(network.bindings[name]) for name in symbols]),
        Column("default", [str(symbol.default) for symbol in symbols.values()]),
        Column("from … to", [_limits(symbol) for symbol in symbols.values()], "left"),
        Column("meaning", [symbol.doc or "" for symbol in symbols.values()], "left"),
    ]


def _limits(symbol: Any) -> str:
    if symbol.choices is not None:
        return ", ".join(map(str, symbol.choices))
    if symbol.range is not None:
        return f"{symbol.range[0]} … {symbol.range[1]}"
    return "" if symbol.word else "any above 0"


def _signature(name: str, block: Block) -> str:
    args = (arg if Block.is_required(value) else f"{arg} = {_value(value)}" for arg, value in block.args.items())
    meaning = f"  {block.doc}" if block.doc else ""
    return f"{name}({', '.join(args)}){meaning}"


def _value(value: Any) -> str:
    return f"[{', '.join(map(_value, value))}]" if isinstance(value, tuple) else str(value)


def _network(network: Network, width: int) -> Iterator[str]:
    """The steps in order: rows of a table under its header, the others with their arguments."""
    traces = {trace.name.partition("/")[0]: trace for trace in network.traces}
    last = {node.stage: node for node in network.nodes}

    def table_of(stage: str) -> int | None:
        return traces[stage].table if stage in traces else None

    for table, group in groupby(last, table_of):
        names = list(group)
        if table is None:
            columns = _steps([(name, traces.get(name), last[name]) for name in names])
        else:
            columns = _rows([traces[name] for name in names], names)
        for drop in ("input", "of"):
            if sum(column.width + 2 for column in columns) > width:
                columns = [column for column in columns if column.header != drop]
        yield from text.plain(columns)
        yield ""


def _steps(steps: list[tuple[str, Trace | None, Node]]) -> list[Column]:
    """Steps of the network's body: what they are made of, their arguments, and the shape that comes out."""
    columns = [
        Column("layer", [name for name, _, _ in steps], "left"),
        Column("of", [trace.callee if trace else node.kind for _, trace, node in steps], "left"),
        Column("arguments", [_arguments(trace) if trace else "" for _, trace, _ in steps], "left"),
        Column("output", [str(trace.output if trace else node.output) for _, trace, node in steps]),
    ]
    return [column for column in columns if any(column.cells)]


def _rows(traces: list[Trace], names: list[str]) -> list[Column]:
    """The rows of a table, its own columns between name and shape."""
    own = [name for name in traces[0].columns if name in traces[0].nominal]
    return [
        Column("layer", names, "left"),
        Column("of", [trace.callee for trace in traces], "left"),
        *(Column(name, [_cell(trace, name) for trace in traces]) for name in own),
        Column("input", [str(trace.input) for trace in traces]),
        Column("output", [str(trace.output) for trace in traces]),
    ]


def _arguments(trace: Trace) -> str:
    return ", ".join(f"{name} = {_cell(trace, name)}" for name in trace.columns)


def _cell(trace: Trace, name: str) -> str:
    """What is printed, and what is built of it where that is another number."""
    nominal = trace.nominal[name]
    if nominal is None:
        return "-"
    printed, built = _value(nominal), _value(trace.built.get(name, nominal))
    return printed if printed == built.lower() or printed == built else f"{printed} → {built}"
