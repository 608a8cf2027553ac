"""A paper's tables as printed, our figure beside each, and the verdict."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from archspec.published import Finding, Findings, Paper, Verdict
from archspec.published.verdict import UNITS
from archspec.report import numbers
from archspec.report.page import Column, Name, Notes, Number, Report, Role, Section, Table, Title, of_records

ROLES: Mapping[Verdict, Role] = {Verdict.OFF: "finding", Verdict.MEASURED: "aside"}


def reproduce(results: Sequence[Findings]) -> Report:
    """Printed figures and ours, paper by paper and table by table, and the count of each verdict."""
    sections = [section for findings in results for section in _paper(findings)]
    everything = [finding for findings in results for finding in findings]
    if len(results) > 1:
        sections.append(Section((Title(f"all papers: {summary(everything)}"),)))
    return Report(
        sections,
        data=lambda: [_data(finding) for finding in everything],
        records=lambda: of_records([_data(finding) for finding in everything]),
    )


def findings(found: Findings) -> Report:
    """The same of one paper."""
    return reproduce([found])


def _paper(findings: Findings) -> Iterator[Section]:
    yield Section((Title(_title(findings.paper)),))
    for where, found in _tables(findings):
        remarked = [each for each in found if each.figure.erratum or (each.open and each.figure.note)]
        notes = (Notes([f"{each.figure.id}: {_note(each)}" for each in remarked]),) if remarked else ()
        yield Section(
            (Table(_columns(found), [ROLES.get(finding.verdict, "") for finding in found]), *notes),
            heading=where or "elsewhere",
        )
    yield Section((Notes((summary(findings.found),)),))


def summary(findings: Sequence[Finding]) -> str:
    """The count of each verdict, in one sentence."""
    counts = Counter(finding.verdict for finding in findings)
    verdicts = [f"{counts[verdict]} {verdict}" for verdict in Verdict if counts[verdict]]
    unexplained = sum(finding.open for finding in findings)
    if counts[Verdict.OFF]:
        known = counts[Verdict.OFF] - unexplained
        verdicts[-1 if not counts[Verdict.MEASURED] else -2] += f" ({known} known errata, {unexplained} unexplained)"
    return f"{len(findings)} figures: {', '.join(verdicts)}"


# ------------------------------------------------------------------ cells


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


def _spreads(findings: Sequence[Finding]) -> list[Column]:
    """From where to where ours may lie, where it is computed from numbers that are printed rounded."""
    if all(finding.spread is None for finding in findings):
        return []
    return [Column("from rounded inputs", [Name(_spread(finding)) for finding in findings], drop=2)]


def _spread(finding: Finding) -> str:
    if finding.spread is None:
        return ""
    ends = (replace(finding, computed=end) for end in (finding.spread.low, finding.spread.high))
    low, high = map(_ours, ends)
    return f"{low.removesuffix(_unit(finding.figure.unit))} to {high}"


def _decimal(value: Fraction, places: int) -> str:
    """A number to some decimal places, half upwards; whole numbers as they are."""
    return numbers.decimal(value, 0 if value.denominator == 1 else places).replace("−", "-")


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
        Column("figure", [Name(finding.figure.id) for finding in findings], least=12),
        Column("printed", [Number(None, f"{f.figure.printed}{_unit(f.figure.unit)}") for f in findings], least=8),
        Column("ours", [Number(finding.computed, _ours(finding)) for finding in findings]),
        *_spreads(findings),
        Column("verdict", [Name(_verdict(finding)) for finding in findings]),
        Column("convention", [Name(finding.convention) for finding in findings], drop=1),
    ]


def _tables(findings: Findings) -> list[tuple[str, list[Finding]]]:
    """The findings by the place that prints them, places in the order in which they first occur."""
    places: dict[str, list[Finding]] = {}
    for finding in findings:
        places.setdefault(finding.figure.where, []).append(finding)
    return list(places.items())


def _title(paper: Paper) -> str:
    source = paper.source
    where = f", arXiv:{source.arxiv}" if source.arxiv else ""
    return f"{paper.figures_of}: {source.title}" + (f" ({source.year})" if source.year else "") + where


def _data(finding: Finding) -> dict[str, Any]:
    """A finding as others read it: `computed` in base units, whole where it is, else the nearest float."""
    value = finding.computed
    figure = finding.figure
    return {
        "paper": finding.paper,
        "id": figure.id,
        "where": figure.where,
        "printed": figure.printed,
        "computed": value if value is None or isinstance(value, int) else float(value),
        "low": None if finding.spread is None else float(finding.spread.low),
        "high": None if finding.spread is None else float(finding.spread.high),
        "unit": figure.unit,
        "convention": finding.convention,
        "verdict": str(finding.verdict),
        "off": float(finding.off) if finding.verdict is Verdict.OFF else 0,
        "erratum": figure.erratum is not None,
        "note": _note(finding),
    }
