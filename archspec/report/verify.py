"""A network held against its running model, as a table."""

import json
import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from archspec.report import text
from archspec.report.text import Column

if TYPE_CHECKING:
    from archspec.runtime import Agreement, Comparison

FORMATS = ("text", "markdown", "json")
COUNTS = {"params": "params", "buffers": "buffers", "macs": "MACs", "activations": "activations"}


def verify(
    agreements: "Sequence[Agreement]",
    form: str = "text",
    *,
    layers: bool = False,
    width: int = 100,
    colour: bool = False,
) -> str:
    """What was compared: a line a network, or with `layers` a line a node; where both differ, "ours ≠ torch's".

    Args:
        agreements: The networks that were compared.
        form: One of `FORMATS`.
        layers: Whether to print every node.
        width: Characters to a line, for text.
        colour: Whether text may use bold.
    """
    if form == "json":
        return json.dumps([_plain_data(agreement) for agreement in agreements], ensure_ascii=False, indent=1) + "\n"
    parts = [[agreement] for agreement in agreements] if layers else [list(agreements)]
    pages = [_page(part, form, layers, width, colour) for part in parts if part]
    return "\n".join([*pages, *_findings(agreements, width)]) + "\n"


def _page(agreements: "list[Agreement]", form: str, layers: bool, width: int, colour: bool) -> str:
    if layers:
        rows = [row for agreement in agreements for row in agreement.compared]
        columns = [
            Column("layer", [row.name for row in rows], "left"),
            Column("operator", [row.operator for row in rows], "left"),
            Column("output", [_both(row, "output", text.shape) for row in rows]),
            *_counts(rows),
            Column("agrees", ["yes" if row else "NO" for row in rows], "left"),
        ]
    else:
        columns = [
            Column("network", _told_apart(agreements), "left"),
            Column("nodes", [text.number(len(agreement.rows)) for agreement in agreements]),
            *_counts([agreement.total for agreement in agreements]),
            Column("agrees", ["yes" if agreement else "NO" for agreement in agreements], "left"),
        ]
    if form == "markdown":
        return text.markdown(columns) + "\n"
    excess = sum(column.width + 2 for column in columns) - 2 - width
    room = max(columns[0].width - max(excess, 0), 12)
    columns[0] = Column(columns[0].header, [text.shorten(name, room) for name in columns[0].cells], "left")
    header, rule, *body = (line.rstrip() for line in text.plain(columns))
    bold = (lambda line: f"\x1b[1m{line}\x1b[0m") if colour else (lambda line: line)
    if not layers:
        return "\n".join((bold(header), rule, *body, ""))
    bound = ", ".join(f"{name} = {value}" for name, value in agreements[0].bindings.items())
    title = f"{agreements[0].name}, counted and run" + (f": {bound}" if bound else "")
    return "\n".join((bold(title), "", bold(header), rule, *body[:-1], rule, bold(body[-1]), ""))


def _counts(rows: "list[Comparison]") -> Iterator[Column]:
    yield Column("weights", [_both(row, "weights", lambda weights: str(len(weights))) for row in rows])
    for fact, header in COUNTS.items():
        yield Column(header, [_both(row, fact, text.number) for row in rows])


def _told_apart(agreements: "list[Agreement]") -> list[str]:
    """The networks' names, with those bindings in which networks of one name differ."""
    names = []
    for agreement in agreements:
        others = [other.bindings for other in agreements if other.name == agreement.name]
        differing = [key for key in agreement.bindings if len({other.get(key) for other in others}) > 1]
        names.append(" ".join((agreement.name, *(f"{key}={agreement.bindings[key]}" for key in differing))))
    return names


def _both(row: "Comparison", fact: str, written: Any) -> str:
    """What both say, or what each says where they differ."""
    ours = written(getattr(row.analytic, fact))
    if row.real is None:
        return f"{ours} ≠ –"
    theirs = written(getattr(row.real, fact))
    return ours if fact not in row.differing else f"{ours} ≠ {theirs}"


def _findings(agreements: "Sequence[Agreement]", width: int) -> list[str]:
    """One sentence on the whole, and one on each network that disagrees."""
    agreeing = sum(bool(agreement) for agreement in agreements)
    nodes = sum(len(agreement.rows) for agreement in agreements)
    facts = "inputs, shapes, weights, params, buffers, MACs and activations"
    lines = textwrap.wrap(f"{agreeing} of {len(agreements)} networks agree ({nodes:,} nodes: {facts})", width)
    for agreement in agreements:
        lines += [] if agreement else textwrap.wrap(str(agreement), width, subsequent_indent="  ")
    return lines


def _plain_data(agreement: "Agreement") -> dict[str, Any]:
    rows = agreement.compared
    return {
        "spec": agreement.name,
        "bindings": agreement.bindings,
        "agrees": bool(agreement),
        "nodes": len(agreement.rows),
        "totals": {fact: getattr(agreement.total.analytic, fact) for fact in COUNTS},
        "disagreements": [_difference(row) for row in rows if not row],
    }


def _difference(row: "Comparison") -> dict[str, Any]:
    real = row.real
    return {
        "name": row.name,
        "operator": row.operator,
        "facts": {
            fact: {"analytic": getattr(row.analytic, fact), "torch": getattr(real, fact) if real else None}
            for fact in row.differing
        },
    }
