"""A paper's tables as printed, our figure beside each, and the verdict; who counts what others report, and why."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from archspec.cost import Convention, CostTable, Dialect, Term
from archspec.cost.conventions import TermDifference, difference, total
from archspec.graph import Network
from archspec.ops.opaque import not_counted
from archspec.published import UNITS, Finding, Findings, Paper, Verdict
from archspec.published.reconcile import Counted, Reconciliation
from archspec.report import numbers
from archspec.report.budgets import percent
from archspec.report.page import (
    Column,
    Name,
    Notes,
    Number,
    Report,
    Role,
    Section,
    Table,
    Title,
    exact_texts,
    of_records,
    with_total,
)

ROLES: Mapping[Verdict, Role] = {Verdict.OFF: "finding", Verdict.MEASURED: "aside"}


def reproduce(results: Sequence[Findings]) -> Report:
    """Printed figures and ours, paper by paper and table by table, and the count of each verdict."""
    sections = [section for findings in results for section in _paper(findings)]
    everything = [finding for findings in results for finding in findings]
    if len(results) > 1:
        sections.append(Section((Title(f"all papers: {summary(everything)}"),)))
    return Report(
        sections,
        data=lambda: [_finding_data(finding) for finding in everything],
        records=lambda: of_records([_finding_data(finding) for finding in everything]),
    )


def findings(found: Findings) -> Report:
    """The same of one paper."""
    return reproduce([found])


def _paper(findings: Findings) -> Iterator[Section]:
    yield Section((Title(_title(findings.paper)),))
    for where, found in _tables(findings):
        remarked = [each for each in found if each.figure.erratum or (each.open and each.figure.note)]
        notes = (Notes([f"{each.figure.id}: {_note(each)}" for each in remarked]),) if remarked else ()
        columns = [
            Column("figure", [Name(finding.figure.id) for finding in found], least=12),
            Column("printed", [Number(None, f"{f.figure.printed}{_unit(f.figure.unit)}") for f in found], least=8),
            Column("ours", [Number(finding.computed, _ours(finding)) for finding in found]),
            *_spreads(found),
            Column("verdict", [Name(_verdict(finding)) for finding in found]),
            Column("convention", [Name(finding.convention) for finding in found], drop=1),
        ]
        roles = [ROLES.get(finding.verdict, "") for finding in found]
        yield Section((Table(columns, roles), *notes), heading=where or "elsewhere")
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


def _finding_data(finding: Finding) -> dict[str, Any]:
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


def explain_difference(left: CostTable, right: CostTable) -> Report:
    """Two counts of one network held against each other."""
    parts = difference(left.terms, right.terms)
    names = left.convention.name, right.convention.name
    gap = left.flops - right.flops
    agreement = f"differ by {numbers.number(abs(gap))}" if gap else f"agree on {numbers.number(left.flops)}"
    return Report(
        (
            Section(
                (Title(f"{left.network.name}: {names[0]} and {names[1]} {agreement}"), Notes((_setting(left.network),)))
            ),
            Section((_table(parts, *names),)),
            Section((Notes([_about(table.convention) for table in (left, right)]),)),
        ),
        data=lambda: {
            **_head(left.network),
            "between": [_who(table.convention) for table in (left, right)],
            "values": [left.flops, right.flops],
            "difference": gap,
            "terms": _terms(parts, *names),
        },
    )


def reconcile(found: Reconciliation) -> Report:
    """Who counts a network to a reported number."""
    low, high = found.report.low, found.report.high
    means = (
        f"{numbers.number(low)}" if low == high else f"anything from {numbers.number(low)} to {numbers.number(high)}"
    )
    title = Title(f"{found.network.name}: {found.report.text} reported, {means}")
    sections = [Section((title, Notes((_setting(found.network),))))]
    for match in found.matches:
        sign = "=" if match.verdict is Verdict.EXACT else "≈"
        sections.append(Section((Notes((f"{sign} {_says(match)}",)),)))
        if any(part.difference for part in match.parts):
            sections.append(Section((_table(match.parts, match.by[0][1].name, f"default {match.base}"),)))
    if not found.matches:
        sections.append(Section((Notes(("Nothing that is counted here rounds to that. The nearest:",)),)))
        sections.append(Section((Notes([_miss(near, found) for near in found.nearest]),)))
    sections.append(Section((Notes((_odds(found),)),)))
    return Report(
        sections,
        data=lambda: {
            **_head(found.network),
            "reported": {name: getattr(found.report, name) for name in ("text", "quantity", "low", "high")},
            "tried": found.tried,
            "chance": {"explained": found.by_chance, "of": found.report.numbers, "likely": found.says_little},
            "matches": [_match(match) for match in found.matches],
            "nearest": [
                {**_match(near), "off": _plain(near.value - found.report.printed.value)} for near in found.nearest
            ],
        },
        records=lambda: _records(found),
    )


def _odds(found: Reconciliation) -> str:
    """How much was tried, and how much of it would be explained by chance."""
    digits = len(str(found.report.numbers))
    share = percent(found.chance)
    sentence = (
        f"{numbers.number(found.tried)} numbers were tried. Of the {numbers.number(found.report.numbers)} numbers of "
        f"{digits} digit{'s'[: digits > 1]} and this size they explain {numbers.number(found.by_chance)} ({share})"
    )
    if not found.matches:
        return f"{sentence}."
    count = len(found.matches)
    one = "This is one of them" if count == 1 else f"These are {count} explanations of one of them"
    return f"{sentence}. {one}, likely chance." if found.says_little else f"{sentence}; {one.lower()}."


def _records(found: Reconciliation) -> Table:
    """Who counts what, for machines: those whose number it is, and the nearest."""
    each = [(kind, near) for kind in ("matches", "nearest") for near in getattr(found, kind)]
    rows = [(kind, near, of, who) for kind, near in each for of, who in near.by]
    return Table(
        [
            Column("found", [Name(kind) for kind, _, _, _ in rows]),
            Column("by", [Name(_who(who)) for _, _, _, who in rows]),
            Column("quantity", [Name(of) for _, _, of, _ in rows]),
            Column("value", [Number(near.value) for _, near, _, _ in rows]),
            Column("verdict", [Name(near.verdict.value) for _, near, _, _ in rows]),
        ]
    )


# ------------------------------------------------------------------ what is read


def _setting(network: Network) -> str:
    bindings = "".join(f"; {name} = {value}" for name, value in network.bindings.items())
    unknown = "".join(f"; {note}" for note in not_counted(network.opaque))
    return f"{numbers.inputs(network)}, batch {network.batch}{bindings}{unknown}"


def _table(parts: Sequence[TermDifference], left: str, right: str) -> Table:
    """One line per part, and the totals."""
    sums = [total(term for part in parts for term in getattr(part, side)) for side in ("left", "right")]
    gaps = [*(part.difference for part in parts), sums[0] - sums[1]]
    columns = [
        Column("term", [*(Name(part.of) for part in parts), Name("total")]),
        Column(left, [*(_sum(part.left, part.of) for part in parts), Number(sums[0])]),
        Column(right, [*(_sum(part.right, part.of) for part in parts), Number(sums[1])]),
        Column("difference", [Number(gap, numbers.signed(gap)) for gap in gaps]),
    ]
    return Table(columns, with_total(len(parts)))


def _sum(terms: Sequence[Term], of: str) -> Number:
    return Number(total(terms), numbers.terms(terms, of).removesuffix(f" {of}"))


def _about(convention: Convention) -> str:
    source = f" [{convention.source}]" if convention.source else ""
    return f"{_who(convention)}: {convention.doc}{source}"


def _who(convention: Convention) -> str:
    return f"{convention.name} {convention.version}" if isinstance(convention, Dialect) else convention.name


def _says(found: Counted) -> str:
    """The number, its unit, and who gives it."""
    tools = [who for _, who in found.by if isinstance(who, Dialect)]
    by = [f"{tool.prints} by {', '.join((_who(tool), *tool.also))}" for tool in tools]
    for quantity in ("params", "macs", "flops"):
        names = [who.name for of, who in found.by if of == quantity and not isinstance(who, Dialect)]
        by += [f"{quantity} by convention {', '.join(names)}"] * bool(names)
    value = found.value
    number = f"{value.numerator // 2:,}.5" if isinstance(value, Fraction) else numbers.number(value)
    if found.variant in ("twice", "half"):
        counted = total(term for part in found.parts for term in part.left)
        number += f" = {found.variant} of {numbers.number(counted)}"
    elif found.variant:
        number += f" {found.variant}"
    cut = " (cut off, not rounded)" if found.verdict is Verdict.TRUNCATES else ""
    return f"{number}{cut}: {'; '.join(by)}"


def _miss(near: Counted, found: Reconciliation) -> str:
    reported = found.report.printed.value
    off = near.value - reported
    share = abs(off) * 10000 / reported if reported else Fraction(0)
    percent = f" ({'+' if off > 0 else '−'}{int(share) // 100}.{int(share) % 100:02} %)" if share < 10**6 else ""
    return f"{numbers.signed(round(off))}{percent}: {_says(near)}"


# ------------------------------------------------------------------ machines


def _head(network: Network) -> dict[str, Any]:
    return {
        "spec": network.name,
        "bindings": exact_texts(network.bindings),
        "batch": network.batch,
    }


def _match(found: Counted) -> dict[str, Any]:
    return {
        "by": [
            {"name": who.name, "quantity": of, **({"version": who.version} if isinstance(who, Dialect) else {})}
            for of, who in found.by
        ],
        "variant": found.variant,
        "value": _plain(found.value),
        "verdict": found.verdict.value,
        "base": found.base,
        "difference": sum(part.difference for part in found.parts),
        "terms": _terms(found.parts, "reported", "default"),
    }


def _terms(parts: Iterable[TermDifference], left: str, right: str) -> list[dict[str, Any]]:
    return [
        {
            "of": part.of,
            left: total(part.left),
            right: total(part.right),
            "difference": part.difference,
            "sums": [numbers.terms(part.left), numbers.terms(part.right)],
        }
        for part in parts
    ]


def _plain(value: Any) -> int | str:
    return int(value) if Fraction(value).denominator == 1 else str(value)
