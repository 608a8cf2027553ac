"""How a cost answers to its symbols, and who dominates it where."""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

from archspec.report import numbers
from archspec.report.page import Column, Name, Notes, Number, Report, Section, Table, Title, exact_texts, raw
from archspec.sweeps.crossover import Crossing, Crossover
from archspec.sweeps.family import SearchRange, decimal
from archspec.sweeps.sensitivity import Response, Sensitivity


def sensitivity(found: Sensitivity) -> Report:
    """One row per symbol."""
    head = f"{found.name}: {numbers.number(found.cost)} {found.quantity} at {_at(found.bindings)}"
    return Report(
        (
            Section((Title(head),)),
            Section((Table(_responses(found)),)),
            Section((Notes(tuple(_notes(found))),)),
        ),
        data=lambda: {
            "spec": found.name,
            "quantity": found.quantity,
            "cost": raw(found.cost),
            "bindings": exact_texts(found.bindings),
            "convention": found.counting.convention.name,
            "responses": [_response(found, each) for each in found.responses],
        },
    )


def _responses(found: Sensitivity) -> list[Column]:
    rows = found.responses
    steps, elasticities = [response.step for response in rows], [response.elasticity for response in rows]
    reached = ["–" if step is None else step.span.written(row.symbol) for row, step in zip(rows, steps, strict=True)]
    return [
        Column("symbol", [Name(response.symbol) for response in rows]),
        Column("at", [Number(response.value, decimal(response.value)) for response in rows]),
        Column("elasticity", [_missing if e is None else Number(e, numbers.decimal(e, 3)) for e in elasticities]),
        Column("+1 % gives", [_signed(response.percent) for response in rows], "one_percent_more"),
        Column("the next network", list(map(Name, reached)), "next"),
        Column(
            found.quantity,
            [_missing if step is None else Number(step.cost) for step in steps],
            f"next_{found.quantity}",
        ),
        Column("change", [_signed(_change(found, response)) for response in rows]),
    ]


_missing = Number(None, "–")


def _change(found: Sensitivity, response: Response) -> Fraction | None:
    return Fraction(response.step.cost) / found.cost - 1 if response.step and found.cost else None


def _signed(part: Fraction | None) -> Number:
    """A part in percent with its sign, to two places."""
    if part is None:
        return _missing
    written = numbers.decimal(100 * part, 2)
    return Number(part, f"{written if written.startswith('−') else f'+{written}'} %")


def _notes(found: Sensitivity) -> Iterator[str]:
    yield "elasticity and +1 %: of the formula where sizes divide; the next network of another cost is counted"
    for response in found.responses:
        if response.reason:
            yield f"{response.symbol}: {response.reason}"
        elif told := [str(each) for each in response.assumes if each.kind not in ("differs", "at_least")]:
            yield f"{response.symbol}: assumes {', '.join(told)}"
    yield "; ".join(
        (f"convention {found.counting.convention.name}", *numbers.request_notes(found.counting, [found.quantity]))
    )


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
            "cost": raw(step.cost),
            "change": str(change),
        },
    }


# ------------------------------------------------------------------ crossovers


def crossover(found: Crossover) -> Report:
    """Who reigns where, and who passes whom."""
    symbol = found.line.symbol
    head = f"{found.name}: {found.quantity} by {found.by}, along {symbol} {_ends(found.line)}; {_at(found.bindings)}"
    notes = ["shares are those of the first and of the last network"]
    crossings = [
        Column("has more", [Name(crossing.above) for crossing in found.crossings]),
        Column("than", [Name(crossing.below) for crossing in found.crossings]),
        Column(f"from {symbol}", [Number(each.value, decimal(each.value)) for each in found.crossings]),
        Column(
            "they change places",
            [
                Name("once" if c.times == 1 else f"{c.times} times, first at {decimal(c.first)}")
                for c in found.crossings
            ],
        ),
        Column("equal where sizes divide", [Name(_root(crossing)) for crossing in found.crossings]),
    ]
    if found.crossings:
        notes.append(
            "where the two are equal is that of the formulas where sizes divide; from where on one has more is counted"
        )
    return Report(
        (
            Section((Title(head),)),
            Section((Table(_reigns(found)),)),
            *([Section((Table(crossings),))] if found.crossings else []),
            Section((Notes(notes),)),
        ),
        data=lambda: {
            "spec": found.name,
            "quantity": found.quantity,
            "by": found.by,
            "symbol": found.line.symbol,
            "searched": [str(found.line.low), str(found.line.high)],
            "bindings": exact_texts(found.bindings),
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
            "crossings": [
                {
                    "above": crossing.above,
                    "below": crossing.below,
                    "from": str(crossing.value),
                    "first": str(crossing.first),
                    "times": crossing.times,
                    "root": None if crossing.root is None else str(crossing.root),
                    "root_decimal": crossing.decimal(12),
                }
                for crossing in found.crossings
            ],
        },
    )


def _reigns(found: Crossover) -> list[Column]:
    reigns = found.reigns
    return [
        Column("where", [Name(reign.written(found.line.symbol)) for reign in reigns]),
        Column(f"most {found.quantity}", [Name(reign.group) for reign in reigns], "group"),
        Column("of all, first", [_part(*reign.shares[0]) for reign in reigns], "share_first"),
        Column("last", [_part(*reign.shares[1]) for reign in reigns], "share_last"),
    ]


def _part(part: int, whole: int) -> Number:
    return Number(Fraction(part, whole) if whole else None, numbers.share(part, whole))


def _ends(line: SearchRange) -> str:
    if line.kind == "choices":
        return f"of {', '.join(map(decimal, line.values))}"
    return f"from {decimal(line.low)} to {decimal(line.high)}"


def _root(crossing: Crossing) -> str:
    """A root exactly where that is short, and in decimals."""
    number = crossing.decimal(5)
    if number is None:
        return "–"
    exact = crossing.exact
    return f"{exact} ≈ {number}" if exact and exact != number and len(exact) < LONG else number


LONG = 24


def _at(bindings: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} = {decimal(value)}" for name, value in bindings.items()) or "its only size"
