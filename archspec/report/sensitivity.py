"""How a cost answers to its symbols, and who dominates it where: for a terminal, for a page, for machines."""

import json
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from archspec.report import text
from archspec.report.text import Column
from archspec.sweep.bounds import Line
from archspec.sweep.crossover import Crossing, Crossover
from archspec.sweep.sensitivity import Response, Sensitivity
from archspec.sweep.span import decimal

FORMATS = ("text", "markdown", "json")


def sensitivity(found: Sensitivity, form: str = "text", *, width: int = 100) -> str:
    """A sensitivity in one of `FORMATS`."""
    if form == "json":
        return _json(
            {
                "spec": found.name,
                "quantity": found.quantity,
                "cost": text.raw(found.cost),
                "bindings": _bindings(found.bindings),
                "convention": found.counting.convention.name,
                "responses": [_response(found, each) for each in found.responses],
            }
        )
    head = f"{found.name}: {text.number(found.cost)} {found.quantity} at {_at(found.bindings)}"
    return _page(head, [_responses(found)], _notes(found), form, width)


def _responses(found: Sensitivity) -> list[Column]:
    rows = found.responses
    steps = [response.step for response in rows]
    return [
        Column("symbol", [response.symbol for response in rows], "left"),
        Column("at", [decimal(response.value) for response in rows]),
        Column("elasticity", [_decimals(response.elasticity, 3) for response in rows]),
        Column("+1 % gives", [_signed(response.percent) for response in rows]),
        Column(
            "the next network",
            ["–" if step is None else step.span.written(row.symbol) for row, step in zip(rows, steps, strict=True)],
            "left",
        ),
        Column(found.quantity, ["–" if step is None else text.number(step.cost) for step in steps]),
        Column("change", [_signed(_change(found, response)) for response in rows]),
    ]


def _change(found: Sensitivity, response: Response) -> Fraction | None:
    return Fraction(response.step.cost) / found.cost - 1 if response.step and found.cost else None


def _decimals(value: Fraction | None, places: int) -> str:
    """A number to some places, halves upwards in size."""
    if value is None:
        return "–"
    scaled = (2 * abs(value) * 10**places + 1) // 2
    digits = f"{scaled:0{places + 1}}"
    return f"{'−' if value < 0 and scaled else ''}{digits[:-places]}.{digits[-places:]}"


def _signed(part: Fraction | None) -> str:
    """A part in percent with its sign, to two places."""
    if part is None:
        return "–"
    written = _decimals(100 * part, 2)
    return f"{written if written.startswith('−') else f'+{written}'} %"


def _notes(found: Sensitivity) -> Iterator[str]:
    yield "elasticity and +1 %: of the formula where sizes divide; the next network of another cost is counted"
    for response in found.responses:
        if response.reason:
            yield f"{response.symbol}: {response.reason}"
        elif told := [str(each) for each in response.assumes if each.kind not in ("differs", "at_least")]:
            yield f"{response.symbol}: assumes {', '.join(told)}"
    yield "; ".join((f"convention {found.counting.convention.name}", *text.asked(found.counting, [found.quantity])))


def _response(found: Sensitivity, response: Response) -> dict[str, Any]:
    step, change = response.step, _change(found, response)
    return {
        "symbol": response.symbol,
        "at": str(response.value),
        "elasticity": None if response.elasticity is None else str(response.elasticity),
        "one_percent_more": None if response.percent is None else str(response.percent),
        "reason": response.reason,
        "assumes": [str(condition) for condition in response.assumes],
        "step": None
        if step is None
        else {
            "low": str(step.span.low),
            "high": str(step.span.high),
            "closed": list(step.span.closed),
            "cost": text.raw(step.cost),
            "change": str(change),
        },
    }


# ------------------------------------------------------------------ crossovers


def crossover(found: Crossover, form: str = "text", *, width: int = 100) -> str:
    """A crossover in one of `FORMATS`."""
    symbol = found.line.symbol
    if form == "json":
        return _json(
            {
                "spec": found.name,
                "quantity": found.quantity,
                "by": found.by,
                "symbol": symbol,
                "searched": [str(found.line.low), str(found.line.high)],
                "bindings": _bindings(found.bindings),
                "reigns": [
                    {
                        "low": str(reign.span.low),
                        "high": str(reign.span.high),
                        "closed": list(reign.span.closed),
                        "values": [str(value) for value in reign.values] or None,
                        "group": reign.group,
                        "shares": [list(share) for share in reign.shares],
                    }
                    for reign in found.reigns
                ],
                "crossings": [_crossing(crossing) for crossing in found.crossings],
            }
        )
    ends = f"{symbol} {_ends(found.line)}"
    head = f"{found.name}: {found.quantity} by {found.by}, along {ends}; {_at(found.bindings)}"
    reigns = [
        Column("where", [reign.written(symbol) for reign in found.reigns], "left"),
        Column(f"most {found.quantity}", [reign.group for reign in found.reigns], "left"),
        Column("of all, first", [text.share(*reign.shares[0]) for reign in found.reigns]),
        Column("last", [text.share(*reign.shares[1]) for reign in found.reigns]),
    ]
    tables = [reigns, _crossings(found.crossings, symbol)] if found.crossings else [reigns]
    notes = ["shares are those of the first and of the last network"]
    if found.crossings:
        notes.append(
            "where the two are equal is that of the formulas where sizes divide; from where on one has more is counted"
        )
    return _page(head, tables, notes, form, width)


def _ends(line: Line) -> str:
    if line.kind == "choices":
        return f"of {', '.join(map(decimal, line.values))}"
    return f"from {decimal(line.low)} to {decimal(line.high)}"


def _crossings(crossings: Sequence[Crossing], symbol: str) -> list[Column]:
    return [
        Column("has more", [crossing.above for crossing in crossings], "left"),
        Column("than", [crossing.below for crossing in crossings], "left"),
        Column(f"from {symbol}", [decimal(crossing.value) for crossing in crossings]),
        Column("they change places", [_times(crossing) for crossing in crossings], "left"),
        Column("equal where sizes divide", [_root(crossing) for crossing in crossings], "left"),
    ]


def _times(crossing: Crossing) -> str:
    return "once" if crossing.times == 1 else f"{crossing.times} times, first at {decimal(crossing.first)}"


def _root(crossing: Crossing) -> str:
    """A root exactly where that is short, and in decimals."""
    number = crossing.decimal(5)
    if number is None:
        return "–"
    exact = crossing.exact
    return f"{exact} ≈ {number}" if exact and exact != number and len(exact) < LONG else number


LONG = 24


def _crossing(crossing: Crossing) -> dict[str, Any]:
    return {
        "above": crossing.above,
        "below": crossing.below,
        "from": str(crossing.value),
        "first": str(crossing.first),
        "times": crossing.times,
        "root": None if crossing.root is None else str(crossing.root),
        "root_decimal": crossing.decimal(12),
    }


# ------------------------------------------------------------------ pages


def _page(head: str, tables: Sequence[Sequence[Column]], notes: Any, form: str, width: int) -> str:
    if form == "markdown":
        parts = [head, *(text.markdown(table) for table in tables), *notes]
    else:
        plain = ["\n".join(map(str.rstrip, text.plain(table))) for table in tables]
        parts = [
            "\n".join(_wrapped(head, width)),
            *plain,
            "\n".join(line for note in notes for line in _wrapped(note, width)),
        ]
    return "\n\n".join(parts) + "\n"


def _wrapped(line: str, width: int) -> list[str]:
    return textwrap.wrap(line, width, subsequent_indent="  ", break_on_hyphens=False)


def _at(bindings: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} = {decimal(value)}" for name, value in bindings.items()) or "its only size"


def _bindings(bindings: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in bindings.items()}


def _json(data: Mapping[str, Any]) -> str:
    return json.dumps(data, ensure_ascii=False, indent=2) + "\n"
