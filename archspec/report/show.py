"""A specification as its paper prints it, beside what is built; and the list of those in the zoo."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from archspec.architecture import Architecture
from archspec.cost import CostTable
from archspec.errors import ArchspecError
from archspec.graph import Network, Node, Trace
from archspec.language.document import Block, Document
from archspec.ops.opaque import not_counted
from archspec.report import numbers
from archspec.report.page import EMPTY, Column, Name, Notes, Number, Report, Section, Shape, Table, Title


def architecture(arch: Architecture) -> Report:
    """The same of a specification, its symbols at their defaults."""
    return show(arch.expand())


def show(network: Network) -> Report:
    """The symbols, the functions, the blocks, and the network's tables with nominal → built numbers.

    Args:
        network: What was expanded from a specification.
    """
    document = network.document
    if document is None:
        raise ArchspecError(f"'{network.name}' was not expanded from a specification")
    note = document.source.note if document.source else None
    sections = [
        Section((Title(numbers.network_title(network)), *((Notes((f"note: {note}",), inset=True),) if note else ())))
    ]
    if document.symbols:
        sections.append(Section((Table(_symbols(document, network)),), heading="symbols"))
    if document.functions:
        lines = [f"{signature} = {body}" for signature, body in document.functions.items()]
        sections.append(Section((Notes(lines),), heading="functions"))
    if document.blocks:
        lines = [_signature(name, block) for name, block in document.blocks.items()]
        sections.append(Section((Notes(lines),), heading="blocks"))
    tables = list(_network(network))
    heads = ("network", *("" for _ in tables[1:]))
    sections += [Section((table,), heading=head, nested=not head) for head, table in zip(heads, tables, strict=True)]
    unknown = not_counted(network.opaque)
    behind = (Notes(()), *([Notes(unknown)] if unknown else []))  # the text ends in an empty line
    sections[-1] = replace(sections[-1], parts=(*sections[-1].parts, *behind))
    return Report(
        sections,
        data=lambda: {
            "spec": document.name,
            "title": document.source.title if document.source else None,
            "symbols": Table(_symbols(document, network)).records(),
            "functions": {signature: str(body) for signature, body in document.functions.items()},
            "blocks": [
                {"name": name, "signature": _signature(name, block), "doc": block.doc}
                for name, block in document.blocks.items()
            ],
            **({"not_counted": list(network.opaque)} if network.opaque else {}),
            "network": [record for table in _network(network) for record in table.records()],
        },
        records=lambda: _records(tables),
    )


def _records(tables: Sequence[Table]) -> Table:
    """The steps and the rows for machines: what all tables have."""
    names = ("layer", "of", "output")
    rows = [record for table in tables for record in table.records()]
    return Table([Column(name, [Name(str(row.get(name, ""))) for row in rows]) for name in names])


def _symbols(document: Document, network: Network) -> list[Column]:
    symbols = document.symbols
    return [
        Column("symbol", list(map(Name, symbols))),
        Column("value", [_exactly(network.bindings[name]) for name in symbols]),
        Column("default", [_exactly(symbol.default) for symbol in symbols.values()]),
        Column("from … to", [Name(_limits(symbol)) for symbol in symbols.values()], "limits"),
        Column("meaning", [Name(symbol.doc or "") for symbol in symbols.values()]),
    ]


def _exactly(value: Any) -> Number:
    return Number(numbers.exactly(value), numbers.exactly(value))


def _limits(symbol: Any) -> str:
    if symbol.choices is not None:
        return ", ".join(map(numbers.exactly, symbol.choices))
    if symbol.range is not None:
        return f"{symbol.range[0]} … {symbol.range[1]}"
    return "" if symbol.word else "any above 0"


def _signature(name: str, block: Block) -> str:
    args = [
        arg if Block.is_required(value) else f"{arg} = {numbers.exactly(value)}" for arg, value in block.args.items()
    ]
    meaning = f"  {block.doc}" if block.doc else ""
    return f"{name}({', '.join((*block.inputs, *args))}){meaning}"


def _network(network: Network) -> Iterator[Table]:
    """The steps in order: rows of a table under its header, the others with their arguments."""
    traces = {trace.name.partition("/")[0]: trace for trace in network.traces}
    last = {node.stage: node for node in network.nodes}

    def table_of(stage: str) -> int | None:
        return traces[stage].table if stage in traces else None

    for table, group in groupby(last, table_of):
        names = list(group)
        if table is None:
            yield Table(_steps([(name, traces.get(name), last[name]) for name in names]))
        else:
            yield Table(_rows([traces[name] for name in names], names))


def _steps(steps: list[tuple[str, Trace | None, Node]]) -> list[Column]:
    """Steps of the network's body: what they are made of, their arguments, and the shape that comes out."""
    given = [[f"{name} = {_cell(trace, name)}" for name in trace.columns] if trace else () for _, trace, _ in steps]
    columns = [
        Column("layer", [Name(name) for name, _, _ in steps]),
        Column("of", [Name(trace.callee if trace else node.kind) for _, trace, node in steps], drop=2),
        Column("arguments", [Name(", ".join(arguments)) for arguments in given]),
        Column("output", [Shape((trace.output if trace else node.output).shape) for _, trace, node in steps]),
    ]
    return [column for column in columns if any(cell != EMPTY for cell in column.cells)]


def _rows(traces: list[Trace], names: list[str]) -> list[Column]:
    """The rows of a table, its own columns between name and shape."""
    own = [name for name in traces[0].columns if name in traces[0].nominal]
    return [
        Column("layer", list(map(Name, names))),
        Column("of", [Name(trace.callee) for trace in traces], drop=2),
        *(Column(name, [Number(_cell(trace, name), _cell(trace, name)) for trace in traces]) for name in own),
        Column("input", [Shape(trace.input.shape) for trace in traces], drop=1),
        Column("output", [Shape(trace.output.shape) for trace in traces]),
    ]


def _cell(trace: Trace, name: str) -> str:
    """What is printed, and what is built of it where that is another number."""
    nominal = trace.nominal[name]
    if nominal is None:
        return "-"
    printed, built = numbers.exactly(nominal), numbers.exactly(trace.built.get(name, nominal))
    return printed if printed == built.lower() or printed == built else f"{printed} → {built}"


def zoo(entries: Sequence[tuple[Document, CostTable]]) -> Report:
    """The specifications with their papers, and their costs at the defaults."""
    documents = [document for document, _ in entries]
    tables = [table for _, table in entries]
    columns = [
        Column("name", [Name(document.name) for document in documents]),
        Column("params", [Number(table.params) for table in tables]),
        Column("MACs", [Number(table.macs) for table in tables], "macs"),
        Column("symbols", [Name(", ".join(document.symbols)) for document in documents], drop=1),
        Column("paper", [Name(numbers.cite(document)) for document in documents], least=24),
    ]
    return Report(
        (Section((Table(columns),)),),
        data=lambda: [
            {
                "name": document.name,
                "title": document.source.title if document.source else None,
                "year": document.source.year if document.source else None,
                "arxiv": document.source.arxiv if document.source else None,
                "symbols": list(document.symbols),
                "params": table.params,
                "macs": table.macs,
            }
            for document, table in entries
        ],
    )
