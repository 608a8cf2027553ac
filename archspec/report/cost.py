"""The cost table: for a terminal, for papers and pages, and for machines."""

import csv
import html as markup
import io
import json
import re
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from typing import Any

from archspec.cost import QUANTITIES, CostTable, Dialect, Row, Term, summed
from archspec.language.document import Document
from archspec.ops import KINDS
from archspec.report import text
from archspec.report.text import Column

FORMATS = ("text", "markdown", "latex", "html", "csv", "json")
MACHINE_FORMATS = ("csv", "json")


@dataclass(frozen=True, slots=True)
class _Line:
    """A printed row: one node or group, or several equal ones together; `part` if it is inside the subtotal above."""

    name: str
    row: Row
    times: int = 1
    part: bool = False


def cost(
    table: CostTable,
    document: Document,
    form: str = "text",
    grouping: str | int = "block",
    *,
    width: int = 100,
    colour: bool = False,
) -> str:
    """A cost table in one of the `FORMATS`.

    Args:
        table: The counted network.
        document: Its specification, for the title and the source.
        form: The format.
        grouping: As `CostTable.by` takes it; "layer" prints the layers of each block under its subtotal.
        width: Characters to a line, for text.
        colour: Whether text may use bold.
    """
    if form == "json":
        return _json(table, grouping)
    if form == "csv":
        return _csv(table, grouping)
    page = _Page(table, document, grouping, _lines(table, grouping), width, colour)
    render: Callable[[_Page], str] = {"text": _text, "markdown": _markdown, "latex": _latex, "html": _html}[form]
    return render(page)


@dataclass(frozen=True, slots=True)
class _Page:
    """All that a printed table is made from."""

    table: CostTable
    document: Document
    grouping: str | int
    lines: Sequence[_Line]
    width: int
    colour: bool


# ------------------------------------------------------------------ lines


def _lines(table: CostTable, grouping: str | int) -> list[_Line]:
    if grouping == "layer":
        return _layers(table)
    rows = table.by(grouping)
    if grouping == "operator":
        return [_Line(row.name, row, row.nodes) for row in rows]
    return [] if grouping == "total" else _fold(rows)


def _fold(rows: Iterable[Row], alike: Callable[[Row], Any] = Row.figures) -> list[_Line]:
    """Neighbours that are alike (in all figures, unless said otherwise) become one line of what they cost together."""
    lines = []
    for _, group in groupby(rows, alike):
        first, *others = group
        name = _span(first.name, others[-1].name) if others else first.name
        lines.append(_Line(name, summed(first.name, first.operator, [first, *others]), 1 + len(others)))
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


def _layers(table: CostTable) -> list[_Line]:
    """Every layer; those of a block under its subtotal, equal blocks in a row folded."""
    inside: dict[str, list[Row]] = {}
    for node, row in zip(table.network.nodes, table.rows, strict=True):
        inside.setdefault(node.block, []).append(row)
    blocks = iter(table.by("block"))
    lines: list[_Line] = []
    for line in _fold(table.by("block"), lambda block: [row.figures() for row in inside[block.name]]):
        names = [block.name for block in islice(blocks, line.times)]
        lines.append(line)
        if len(inside[names[0]]) > 1:
            alike = zip(*(inside[name] for name in names), strict=True)
            rows = [summed(rows[0].name, rows[0].operator, rows) for rows in alike]
            lines.extend(_Line(row.name[len(names[0]) + 1 :], row, line.times, part=True) for row in rows)
    return lines


# ------------------------------------------------------------------ columns


def _columns(page: _Page, bars: int = 0) -> dict[str, Column]:
    """All columns that can be printed, the last cell of each being the total."""
    lines, total = page.lines, page.table.total
    rows = [*(line.row for line in lines), total]
    names = ["  " * line.part + line.name for line in lines]
    kinds = [line.row.operator if line.row.operator != line.name else "" for line in lines]
    header = page.grouping if page.grouping in ("operator", "stage", "block") else "layer"
    shapes = ["" if page.grouping == "operator" else text.shape(line.row.output) for line in lines]
    macs = Column("MACs", [text.number(row.macs) for row in rows])
    flops = Column("FLOPs", [text.number(row.flops) for row in rows])
    share = Column("share of MACs", [_share(row.macs, total.macs, bars) for row in rows], "left")
    if isinstance(page.table.convention, Dialect):  # its number takes the first place, and the bars
        name = page.table.convention.name
        macs, flops = Column(name, flops.cells), macs
        share = Column(f"share of {name}", [_share(row.flops, total.flops, bars) for row in rows], "left")
    columns = {
        "layer": Column(str(header), [*names, "total"], "left"),
        "of": Column("of", [*kinds, ""], "left"),
        "times": Column("", [*(f"×{line.times}" if line.times > 1 else "" for line in lines), ""], "left"),
        "output": Column("output", [*shapes, ""]),
        "params": Column("params", [text.number(row.params) for row in rows]),
        "macs": macs,
        "share": share,
        "flops": flops,
        "activations": Column("activations", [text.number(row.activations) for row in rows]),
        "bytes": Column("weights [B]", [text.number(row.weight_bytes) for row in rows]),
    }
    empty = [name for name in ("of", "times", "output") if not any(columns[name].cells)]
    return {name: columns[name] for name in _PRINTED if name not in empty}


def _share(part: Any, whole: Any, bars: int) -> str:
    if not (isinstance(part, int) and isinstance(whole, int)):
        return ""
    percent = text.share(part, whole).rjust(7)
    return f"{text.bar(part, whole, bars)} {percent}" if bars else percent.strip()


_PRINTED = ("layer", "of", "times", "output", "params", "macs", "flops", "activations", "bytes", "share")
"""The columns in the order of print."""

_DROPPED = ("bytes", "flops", "activations", "of")
"""Those that go first where the page is narrow."""


def _fit(columns: dict[str, Column], width: int) -> list[Column]:
    """The columns that fit; the names shortened if even the last ones are too wide."""
    kept = dict(columns)

    def excess() -> int:
        return sum(column.width + 2 for column in kept.values()) - 2 - width

    for name in _DROPPED:
        if excess() > 0:
            kept.pop(name, None)
    if excess() > 0:
        names = kept["layer"]
        room = max(names.width - excess(), 12)
        kept["layer"] = Column(names.header, [text.shorten(cell, room) for cell in names.cells], "left")
    return list(kept.values())


# ------------------------------------------------------------------ what stands above and below


def _title(page: _Page) -> str:
    source = text.cite(page.document)
    return f"{page.table.network.name}: {source}" if source else page.table.network.name


def _notes(table: CostTable) -> list[str]:
    """What was counted, and how: under every table."""
    network, total = table.network, table.total
    bindings = ", ".join(f"{name} = {value}" for name, value in network.bindings.items())
    size = text.number(total.weight_bytes)
    if isinstance(total.weight_bytes, int):
        size += f" B = {text.binary_size(total.weight_bytes)}"
    return [
        f"input {text.shape(network.input.shape)}, batch {network.batch}" + (f"; {bindings}" if bindings else ""),
        _sum_of_terms(table),
        f"weights {size} ({text.number(total.params)} params, {text.number(total.buffers)} buffers, "
        f"{table.counting.bits}-bit)",
        ("like" if isinstance(table.convention, Dialect) else "convention")
        + f" {table.convention.name}: {table.convention.doc}"
        + (f" [{table.convention.source}]" if table.convention.source else ""),
    ]


def _sum_of_terms(table: CostTable) -> str:
    """From what the operations add up, and what is free."""
    flops, convention = text.number(table.flops), table.convention
    if isinstance(convention, Dialect):
        return f"{convention.name} {convention.version} prints {flops} {convention.prints} = {text.terms(table.terms)}"
    kinds = {kind: n for kind, n in zip(KINDS, table.operations.counts(), strict=True) if not _is_zero(n)}
    terms = [Term(kind, kind, convention.flops[kind], n) for kind, n in kinds.items() if convention.flops.get(kind)]
    unnamed = [f"{text.number(n)} {kind}" for kind, n in kinds.items() if not convention.flops.get(kind)]
    return f"FLOPs {flops} = {text.terms(terms)}" + (f"; free: {', '.join(unnamed)}" if unnamed else "")


def _is_zero(count: Any) -> bool:
    return isinstance(count, int) and count == 0


# ------------------------------------------------------------------ formats


def _text(page: _Page) -> str:
    bars = 8 if page.width < 100 else 12 if page.width < 140 else 20
    printed = text.plain(_fit(_columns(page, bars), page.width))
    header, _, *body = (line.rstrip() for line in printed)
    rule = "─" * max(map(len, printed))
    bold = (lambda line: f"\x1b[1m{line}\x1b[0m") if page.colour else (lambda line: line)
    lines = page.lines
    subtotal = {i for i, line in enumerate(lines[:-1]) if not line.part and lines[i + 1].part}
    rows = [bold(line) if i in subtotal else line for i, line in enumerate(body[:-1])]
    notes = [part for note in _notes(page.table) for part in textwrap.wrap(note, page.width, subsequent_indent="  ")]
    title = textwrap.wrap(_title(page), page.width, subsequent_indent="  ")
    ruled = [*rows, rule] if rows else []
    return "\n".join([*map(bold, title), "", bold(header), rule, *ruled, bold(body[-1]), "", *notes]) + "\n"


def _markdown(page: _Page) -> str:
    body = text.markdown(list(_columns(page).values()))
    notes = "\n".join(f"- {note}" for note in _notes(page.table))
    return f"**{_title(page)}**\n\n{body}\n\n{notes}\n"


def _latex(page: _Page) -> str:
    columns = {name: column for name, column in _columns(page).items() if name not in _DROPPED}
    notes = " ".join(f"{text.latex_escape(note)}." for note in _notes(page.table))
    caption = text.latex_escape(_title(page))
    *rows, total, bottom, end = text.latex(list(columns.values())).split("\n")
    body = "\n".join((*rows, *(("\\midrule",) if page.lines else ()), total, bottom, end))
    return (
        "% needs \\usepackage{booktabs}\n\\begin{table}\n\\centering\n"
        f"\\caption{{{caption}. {notes}}}\n{body}\n\\end{{table}}\n"
    )


STYLE = (
    "table{border-collapse:collapse;font:14px/1.45 system-ui,sans-serif;font-variant-numeric:tabular-nums}"
    "caption{text-align:left;font-weight:600;padding:.4em 0}"
    "th,td{padding:.15em .7em;text-align:right;white-space:nowrap}"
    "th{border-bottom:1px solid #888}td.left,th.left{text-align:left}"
    "tr.part td{color:#666}tr.part td:first-child{padding-left:2em}"
    "tr.total td{border-top:1px solid #888;font-weight:600}"
    "td.share{text-align:right;min-width:9em;"
    "background:linear-gradient(90deg,#c3d8ee var(--part),transparent 0) no-repeat}"
    ".notes{font:13px/1.5 system-ui,sans-serif;color:#555;padding-left:1.2em}"
)


def _html(page: _Page) -> str:
    columns = _columns(page)
    head = "".join(f"<th{_left(column)}>{markup.escape(column.header)}</th>" for column in columns.values())
    body = "\n".join(_html_row(page, columns, i) for i in range(len(page.lines) + 1))
    notes = "\n".join(f"<li>{markup.escape(note)}</li>" for note in _notes(page.table))
    title = markup.escape(_title(page))
    return (
        f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>{title}</title>\n<style>{STYLE}</style>\n'
        f"<table>\n<caption>{title}</caption>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>\n"
        f'<ul class="notes">\n{notes}\n</ul>\n</html>\n'
    )


def _html_row(page: _Page, columns: Mapping[str, Column], i: int) -> str:
    total = page.table.total
    row, part = (page.lines[i].row, page.lines[i].part) if i < len(page.lines) else (total, False)
    share = text.share(row.macs, total.macs).replace(" ", "") if isinstance(row.macs, int) else "0%"
    bar = f' class="share" style="--part:{share}"'
    cells = "".join(
        f"<td{bar if name == 'share' else _left(column)}>{markup.escape(column.cells[i].strip())}</td>"
        for name, column in columns.items()
    )
    kind = ' class="part"' if part else ' class="total"' if row is total else ""
    return f"<tr{kind}>{cells}</tr>"


def _left(column: Column) -> str:
    return ' class="left"' if column.align == "left" else ""


# ------------------------------------------------------------------ for machines


def _json(table: CostTable, grouping: str | int) -> str:
    """The figures as JSON, one row of the table a line."""
    network = table.network
    head = {
        "spec": network.name,
        "bindings": {name: str(value) for name, value in network.bindings.items()},
        "convention": table.convention.name,
        "batch": network.batch,
        "policy": table.counting.policy,
        "dtype": table.counting.dtype,
        "weight_bits": table.counting.bits,
        "input": list(network.input.shape),
        "totals": _figures(table.total),
    }
    rows = [
        {"name": row.name, "operator": row.operator, "output": list(row.output), **_figures(row)}
        for row in table.by(grouping)
    ]
    lines = [f"  {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}," for key, value in head.items()]
    inside = ",\n".join(f"    {json.dumps(row, ensure_ascii=False)}" for row in rows)
    return "\n".join(("{", *lines, '  "rows": [', inside, "  ]", "}")) + "\n"


FIRST = ("params", "buffers", "macs", "flops", "activations", "weight_bytes")
"""What JSON names before the operations by kind; all other quantities stand behind them."""


def _figures(row: Row) -> dict[str, Any]:
    kinds = {kind: row.figure(kind) for kind in KINDS}
    figures = {name: text.raw(row.figure(name)) for name in QUANTITIES if name == "macs" or name not in KINDS}
    first = {name: figures.pop(name) for name in FIRST}
    return {**first, "operations": {kind: n for kind, n in kinds.items() if not _is_zero(n)}, **figures}


def _csv(table: CostTable, grouping: str | int) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(("name", "operator", "output", *QUANTITIES))
    for row in table.by(grouping):
        output = "x".join(map(str, row.output))
        writer.writerow((row.name, row.operator, output, *(text.raw(row.figure(name)) for name in QUANTITIES)))
    return stream.getvalue()
