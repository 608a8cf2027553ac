"""A paper's tables as printed, our figure beside each, and the verdict."""

import html as markup
import json
import textwrap
from collections import Counter
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from archspec.published import Finding, Paper, Verdict
from archspec.published.verdict import UNITS
from archspec.report import text
from archspec.report.cost import STYLE
from archspec.report.text import Column

FORMATS = ("text", "markdown", "latex", "html", "json")


def reproduce(
    results: Sequence[tuple[Paper, Sequence[Finding]]], form: str = "text", *, width: int = 100, colour: bool = False
) -> str:
    """Printed figures and ours, paper by paper and table by table, and the count of each verdict.

    Args:
        results: The papers with what was found of their figures.
        form: One of `FORMATS`.
        width: Characters to a line, for text.
        colour: Whether text may use bold.
    """
    if form == "json":
        rows = [json.dumps(_plain(finding), ensure_ascii=False) for _, found in results for finding in found]
        return "[\n  " + ",\n  ".join(rows) + "\n]\n"
    if form == "text":
        return _text(results, width, colour)
    render: Callable[..., str] = {"markdown": _markdown, "latex": _latex, "html": _html}[form]
    return render(results)


def summary(findings: Sequence[Finding]) -> str:
    """The count of each verdict, in one sentence."""
    counts = Counter(finding.verdict for finding in findings)
    said = [f"{counts[verdict]} {verdict}" for verdict in Verdict if counts[verdict]]
    unexplained = sum(finding.open for finding in findings)
    if counts[Verdict.OFF]:
        known = counts[Verdict.OFF] - unexplained
        said[-1 if not counts[Verdict.MEASURED] else -2] += f" ({known} known errata, {unexplained} unexplained)"
    return f"{len(findings)} figures: {', '.join(said)}"


# ------------------------------------------------------------------ cells


def _printed(finding: Finding) -> str:
    figure = finding.figure
    return f"{figure.printed}{_unit(figure.unit)}"


def _unit(unit: str) -> str:
    return "" if not unit else unit if unit == "x" else f" {unit}"


def _ours(finding: Finding) -> str:
    """The computed number in the unit of the print, to two digits more than are printed."""
    if finding.computed is None:
        return "–"
    figure = finding.figure
    value = Fraction(finding.computed) / UNITS[figure.unit]
    places = len(figure.printed.partition(".")[2]) + 2
    return f"{_decimal(value, places)}{_unit(figure.unit)}"


def _decimal(value: Fraction, places: int) -> str:
    """A number to some decimal places, half upwards; whole numbers as they are."""
    if value.denominator == 1:
        return f"{value.numerator:,}"
    scaled = (2 * abs(value) * 10**places + 1) // 2
    whole, rest = divmod(scaled, 10**places)
    return f"{'-' if value < 0 else ''}{whole:,}.{rest:0{places}}"


def _verdict(finding: Finding) -> str:
    if finding.verdict is not Verdict.OFF:
        return str(finding.verdict)
    percent = _decimal(100 * finding.off, 2)
    return f"off by {'' if finding.off < 0 else '+'}{percent} %"


def _note(finding: Finding) -> str:
    figure = finding.figure
    parts = (f"erratum: {figure.erratum}" if figure.erratum else "", figure.note or "")
    return "; ".join(" ".join(part.split()) for part in parts if part)


def _columns(findings: Sequence[Finding]) -> list[Column]:
    return [
        Column("figure", [finding.figure.id for finding in findings], "left"),
        Column("printed", [_printed(finding) for finding in findings]),
        Column("ours", [_ours(finding) for finding in findings]),
        Column("verdict", [_verdict(finding) for finding in findings], "left"),
        Column("convention", [finding.convention for finding in findings], "left"),
    ]


def _tables(findings: Sequence[Finding]) -> list[tuple[str, list[Finding]]]:
    """The findings by the place that prints them, places in the order in which they first occur."""
    places: dict[str, list[Finding]] = {}
    for finding in findings:
        places.setdefault(finding.figure.where, []).append(finding)
    return list(places.items())


# ------------------------------------------------------------------ formats


def _text(results: Sequence[tuple[Paper, Sequence[Finding]]], width: int, colour: bool) -> str:
    bold = (lambda line: f"\x1b[1m{line}\x1b[0m") if colour else (lambda line: line)
    out: list[str] = []
    for paper, findings in results:
        out += [bold(line) for line in textwrap.wrap(_title(paper), width, subsequent_indent="  ")] + [""]
        for where, found in _tables(findings):
            out += [where or "elsewhere"]
            out += [f"  {line.rstrip()}" for line in text.plain(_fitted(_columns(found), width - 2))]
            for finding in found:
                if finding.figure.erratum or (finding.open and finding.figure.note):
                    note = f"{finding.figure.id}: {_note(finding)}"
                    out += textwrap.wrap(note, width, initial_indent="  ", subsequent_indent="    ")
            out.append("")
        out += [summary(findings), ""]
    if len(results) > 1:
        out += [bold(f"all papers: {summary([finding for _, found in results for finding in found])}"), ""]
    return "\n".join(out[:-1]) + "\n"


def _fitted(columns: list[Column], width: int) -> list[Column]:
    """The columns in the width: without the convention, then with shorter names, if need be."""
    if sum(column.width + 2 for column in columns) - 2 > width:
        columns = columns[:-1]
    over = sum(column.width + 2 for column in columns) - 2 - width
    if over > 0:
        names, printed, *others = columns
        room = max(names.width - over, 12)
        names = Column(names.header, [text.shorten(cell, room) for cell in names.cells], "left")
        over = sum(column.width + 2 for column in (names, printed, *others)) - 2 - width
        shorter = [text.shorten(cell, max(printed.width - max(over, 0), 8)) for cell in printed.cells]
        columns = [names, Column(printed.header, shorter), *others]
    return columns


def _title(paper: Paper) -> str:
    source = paper.source
    where = f", arXiv:{source.arxiv}" if source.arxiv else ""
    return f"{paper.figures_of}: {source.title}" + (f" ({source.year})" if source.year else "") + where


def _noted(findings: Sequence[Finding]) -> list[Column]:
    notes = [_note(finding) for finding in findings]
    return [*_columns(findings), *([Column("note", notes, "left")] if any(notes) else [])]


def _markdown(results: Sequence[tuple[Paper, Sequence[Finding]]]) -> str:
    parts = []
    for paper, findings in results:
        parts.append(f"## {_title(paper)}")
        for where, found in _tables(findings):
            parts += [f"### {where or 'elsewhere'}", text.markdown(_noted(found))]
        parts.append(summary(findings))
    return "\n\n".join(parts) + "\n"


def _latex(results: Sequence[tuple[Paper, Sequence[Finding]]]) -> str:
    parts = ["% needs \\usepackage{booktabs}"]
    for paper, findings in results:
        for where, found in _tables(findings):
            caption = text.latex_escape(f"{_title(paper)}, {where}" if where else _title(paper))
            body = text.latex(_columns(found))
            parts.append(f"\\begin{{table}}\n\\centering\n\\caption{{{caption}}}\n{body}\n\\end{{table}}")
        parts.append(text.latex_escape(summary(findings)) + ".")
    return "\n\n".join(parts) + "\n"


def _html(results: Sequence[tuple[Paper, Sequence[Finding]]]) -> str:
    body = []
    for paper, findings in results:
        body.append(f"<h2>{markup.escape(_title(paper))}</h2>")
        for where, found in _tables(findings):
            body.append(f"<h3>{markup.escape(where or 'elsewhere')}</h3>\n{_html_table(found)}")
        body.append(f"<p>{markup.escape(summary(findings))}</p>")
    marks = "tr.off td{color:#a40000}tr.measured td{color:#777}td.note{white-space:normal;max-width:40em}"
    return (
        '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>Printed figures and ours</title>\n'
        f"<style>{STYLE}{marks}</style>\n" + "\n".join(body) + "\n</html>\n"
    )


def _html_table(findings: Sequence[Finding]) -> str:
    columns = _noted(findings)

    def attributes(column: Column) -> str:
        return f' class="{"note " if column.header == "note" else ""}left"' if column.align == "left" else ""

    head = "".join(f"<th{attributes(column)}>{column.header}</th>" for column in columns)
    rows = "\n".join(
        f'<tr class="{finding.verdict}">'
        + "".join(f"<td{attributes(column)}>{markup.escape(column.cells[i])}</td>" for column in columns)
        + "</tr>"
        for i, finding in enumerate(findings)
    )
    return f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table>"


def _plain(finding: Finding) -> dict[str, Any]:
    """A finding as others read it: `computed` in base units, whole where it is, else the nearest float."""
    value = finding.computed
    figure = finding.figure
    return {
        "paper": finding.paper,
        "id": figure.id,
        "where": figure.where,
        "printed": figure.printed,
        "computed": value if value is None or isinstance(value, int) else float(value),
        "unit": figure.unit,
        "convention": finding.convention,
        "verdict": str(finding.verdict),
        "off": float(finding.off) if finding.verdict is Verdict.OFF else 0,
        "erratum": figure.erratum is not None,
        "note": _note(finding),
    }
