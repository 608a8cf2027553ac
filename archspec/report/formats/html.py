"""A report as a page of HTML that needs nothing else."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from archspec.report.page import Cell, Column, Formulas, Note, Report, Share, Table, Title
from archspec.report.typeset import Blocks
from archspec.writing import html_text

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
"""What every page looks like."""

FURTHER = {
    "finding": "tr.finding td{color:#a40000}",
    "aside": "tr.aside td{color:#777}",
    "note": "td.note{white-space:normal;max-width:40em}",
    "formula": ".formula{font:15px/1.6 ui-serif,serif;margin:.2em 1.5em}",
}
"""What pages look like that have such things."""

HEADINGS = "h2,h3{font:600 16px/1.5 system-ui,sans-serif;margin:.8em 0 .3em}h3{font-size:14px}"
"""What headings look like, where there are any."""


def write(report: Report, **_: Any) -> str:
    """The page; the title of the only table is its caption."""
    body = fragment(report)
    style = _style(body)
    title = html_text(report.title or "archspec")
    return (
        f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>{title}</title>\n<style>{style}</style>\n'
        f"{body}</html>\n"
    )


def embedded(report: Report) -> str:
    """What stands inside another page, a notebook say, with a style of its own that touches nothing else there."""
    body = fragment(report)
    rules = re.findall(r"([^{}]+)(\{[^{}]*\})", _style(body))
    scoped = "".join(f"{','.join(f'.archspec {each}' for each in names.split(','))}{rule}" for names, rule in rules)
    return f'<div class="archspec">\n<style>{scoped}</style>\n{body}</div>'


def _style(body: str) -> str:
    """The rules for what is in a page."""
    further = [rule for name, rule in FURTHER.items() if re.search(rf'class="{name}[ "]', body)]
    return "".join((STYLE, *further, HEADINGS if re.search("<h[23]>", body) else ""))


def fragment(report: Report) -> str:
    """What stands inside a page."""
    captions = len(report.tables) == 1 and sum(isinstance(part, Title) for part in report.parts) == 1
    return Blocks(
        heading=lambda words: f"<h3>{html_text(words)}</h3>",
        title=lambda words: "" if captions else f"<h2>{html_text(words)}</h2>",
        notes=_notes,
        formulas=_formulas,
        table=lambda table: "\n".join(_table(table, report.title if captions else "")),
    ).write(report, between="\n")


def _notes(sentences: Sequence[str]) -> str:
    items = "".join(f"<li>{html_text(sentence)}</li>\n" for sentence in sentences)
    return f'<ul class="notes">\n{items}</ul>' if sentences else ""


def _formulas(formulas: Formulas) -> str:
    lines = (f"{line.name} {line.sign} {line.text}".strip() for line in formulas.lines)
    return "\n".join(f'<p class="formula">{html_text(line)}</p>' for line in lines)


def _table(table: Table, caption: str) -> Iterator[str]:
    yield "<table>"
    if caption:
        yield f"<caption>{html_text(caption)}</caption>"
    if table.headed:
        head = "".join(f"<th{_left(column)}>{html_text(column.heading)}</th>" for column in table.columns)
        yield f"<thead><tr>{head}</tr></thead>"
    yield "<tbody>"
    for number, row in enumerate(table.rows):
        role = table.role(number)
        cells = "".join(_cell(column, cell) for column, cell in zip(table.columns, row, strict=True))
        yield f"<tr{f' class={chr(34)}{role}{chr(34)}' if role and role != 'subtotal' else ''}>{cells}</tr>"
    yield "</tbody>"
    yield "</table>"


def _cell(column: Column, cell: Cell) -> str:
    text = html_text(cell.text)
    if isinstance(cell, Share):
        return f'<td class="share" style="--part:{text.replace(" ", "") or "0%"}">{text}</td>'
    return f"<td{_left(column, ' note' if isinstance(cell, Note) else '')}>{text}</td>"


def _left(column: Column, also: str = "") -> str:
    return "" if column.right else f' class="{f"{also.strip()} " if also else ""}left"'
