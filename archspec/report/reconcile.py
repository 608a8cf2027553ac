"""Why counts disagree: for a terminal and for machines."""

import json
import textwrap
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

from archspec.cost import Convention, CostTable, Dialect, Part, Term, difference, total
from archspec.graph import Network
from archspec.published.reconcile import Counted, Reconciliation
from archspec.published.verdict import Verdict
from archspec.report import text
from archspec.report.text import Column


def explain_difference(left: CostTable, right: CostTable, form: str = "text", *, width: int = 100) -> str:
    """Two counts of one network held against each other, as "text" or "json"."""
    parts = difference(left.terms, right.terms)
    names = left.convention.name, right.convention.name
    if form == "json":
        return _json(
            {
                **_head(left.network),
                "between": [_who(table.convention) for table in (left, right)],
                "values": [left.flops, right.flops],
                "difference": left.flops - right.flops,
                "terms": _terms(parts, *names),
            }
        )
    gap = left.flops - right.flops
    said = f"differ by {text.number(abs(gap))}" if gap else f"agree on {text.number(left.flops)}"
    lines = [
        *_wrapped(f"{left.network.name}: {names[0]} and {names[1]} {said}", width),
        *_setting(left.network, width),
        "",
        *_table(parts, *names),
        "",
    ]
    lines += [line for table in (left, right) for line in _wrapped(_about(table.convention), width)]
    return "\n".join(lines) + "\n"


def reconcile(found: Reconciliation, form: str = "text", *, width: int = 100) -> str:
    """Who counts a network to a reported number, as "text" or "json"."""
    if form == "json":
        report = {name: getattr(found.report, name) for name in ("text", "quantity", "low", "high")}
        return _json(
            {
                **_head(found.network),
                "reported": report,
                "matches": [_match(match) for match in found.matches],
                "nearest": [
                    {**_match(near), "off": _plain(near.value - found.report.printed.value)} for near in found.nearest
                ],
            }
        )
    low, high = found.report.low, found.report.high
    means = f"{text.number(low)}" if low == high else f"anything from {text.number(low)} to {text.number(high)}"
    lines = [*_wrapped(f"{found.network.name}: {found.report.text} reported, {means}", width)]
    lines += _setting(found.network, width)
    for match in found.matches:
        sign = "=" if match.verdict is Verdict.EXACT else "≈"
        lines += ["", *_wrapped(f"{sign} {_says(match)}", width)]
        if any(part.difference for part in match.parts):
            lines += ["", *_table(match.parts, match.by[0][1].name, f"default {match.base}")]
    if not found.matches:
        lines += ["", "Nothing that is counted here rounds to that. The nearest:", ""]
        lines += [line for near in found.nearest for line in _wrapped(_miss(near, found), width)]
    return "\n".join(lines) + "\n"


# ------------------------------------------------------------------ text


def _setting(network: Network, width: int) -> list[str]:
    bindings = "".join(f"; {name} = {value}" for name, value in network.bindings.items())
    return _wrapped(f"input {text.shape(network.input.shape)}, batch {network.batch}{bindings}", width)


def _wrapped(line: str, width: int) -> list[str]:
    return textwrap.wrap(line, width, subsequent_indent="  ")


def _table(parts: Sequence[Part], left: str, right: str) -> list[str]:
    """A line a part, and the totals."""
    sums = [total(term for part in parts for term in getattr(part, side)) for side in ("left", "right")]
    columns = (
        Column("term", [*(part.of for part in parts), "total"], "left"),
        Column(left, [*(_sum(part.left, part.of) for part in parts), text.number(sums[0])]),
        Column(right, [*(_sum(part.right, part.of) for part in parts), text.number(sums[1])]),
        Column("difference", [*(_signed(part.difference) for part in parts), _signed(sums[0] - sums[1])]),
    )
    header, rule, *rows, last = (line.rstrip() for line in text.plain(columns))
    return [header, rule, *rows, "─" * len(rule), last]


def _sum(terms: Iterable[Term], of: str) -> str:
    return text.terms(terms, of).removesuffix(f" {of}")


def _signed(count: Any) -> str:
    return f"{count:+,}".replace("-", "−") if count else "0"


def _number(value: Any) -> str:
    return f"{value.numerator // 2:,}.5" if isinstance(value, Fraction) else text.number(value)


def _about(convention: Convention) -> str:
    source = f" [{convention.source}]" if convention.source else ""
    return f"{_who(convention)}: {convention.doc}{source}"


def _who(convention: Convention) -> str:
    return f"{convention.name} {convention.version}" if isinstance(convention, Dialect) else convention.name


def _version(convention: Convention) -> dict[str, str]:
    return {"version": convention.version} if isinstance(convention, Dialect) else {}


def _says(found: Counted) -> str:
    """The number, its unit, and who gives it."""
    tools = [who for _, who in found.by if isinstance(who, Dialect)]
    by = [f"{tool.prints} by {', '.join((_who(tool), *tool.also))}" for tool in tools]
    for quantity in ("params", "macs", "flops"):
        names = [who.name for of, who in found.by if of == quantity and not isinstance(who, Dialect)]
        by += [f"{quantity} by convention {', '.join(names)}"] * bool(names)
    number = _number(found.value)
    if found.variant in ("twice", "half"):
        counted = total(term for part in found.parts for term in part.left)
        number += f" = {found.variant} of {text.number(counted)}"
    elif found.variant:
        number += f" {found.variant}"
    cut = " (cut off, not rounded)" if found.verdict is Verdict.TRUNCATES else ""
    return f"{number}{cut}: {'; '.join(by)}"


def _miss(near: Counted, found: Reconciliation) -> str:
    reported = found.report.printed.value
    off = near.value - reported
    share = abs(off) * 10000 / reported if reported else Fraction(0)
    percent = f" ({'+' if off > 0 else '−'}{int(share) // 100}.{int(share) % 100:02} %)" if share < 10**6 else ""
    return f"{_signed(round(off))}{percent}: {_says(near)}"


# ------------------------------------------------------------------ machines


def _json(data: dict[str, Any]) -> str:
    return json.dumps(data, ensure_ascii=False, indent=2) + "\n"


def _head(network: Network) -> dict[str, Any]:
    return {
        "spec": network.name,
        "bindings": {name: str(value) for name, value in network.bindings.items()},
        "batch": network.batch,
    }


def _match(found: Counted) -> dict[str, Any]:
    return {
        "by": [{"name": who.name, "quantity": of, **_version(who)} for of, who in found.by],
        "variant": found.variant,
        "value": _plain(found.value),
        "verdict": found.verdict.value,
        "base": found.base,
        "difference": sum(part.difference for part in found.parts),
        "terms": _terms(found.parts, "reported", "default"),
    }


def _terms(parts: Iterable[Part], left: str, right: str) -> list[dict[str, Any]]:
    return [
        {
            "of": part.of,
            left: total(part.left),
            right: total(part.right),
            "difference": part.difference,
            "sums": [text.terms(part.left), text.terms(part.right)],
        }
        for part in parts
    ]


def _plain(value: Any) -> int | str:
    return int(value) if Fraction(value).denominator == 1 else str(value)
