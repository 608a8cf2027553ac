"""The largest network within a budget."""

from collections.abc import Iterable, Sequence
from typing import Any

from archspec.report import numbers
from archspec.report.budgets import bounds, left, limits, off, percent, side
from archspec.report.page import Column, Name, Notes, Number, Report, Section, Table, Title, exact_texts, raw
from archspec.sweeps.budget import Budget
from archspec.sweeps.family import SearchRange, Span, decimal
from archspec.sweeps.solve import Choice, Found, Solution

MOST_SPANS = 8


def solve(solution: Solution) -> Report:
    """A solution: what was asked, the answer, what it costs, and the frontier of two symbols."""
    sections = [Section((Title(_headline(solution)), Notes((_counted(solution),))))]
    best = solution.best
    if best is not None:
        sections += [Section((Notes((_answer(best, solution.smallest),)),)), Section((Table(_costs(solution, best)),))]
        sections += [Section((_frontier(solution),))] if solution.frontier else []
    sections += [Section((Notes((note,)),)) for note in _notes(solution)]
    return Report(sections, data=lambda: _data(solution), records=lambda: _records(solution))


def choice(found: Choice) -> Report:
    """Which of several networks fits best: those that do, in order, and by how much the others miss."""
    every = (*found.fitting, *found.missing)
    sections = []
    if every:
        asked = ", ".join(map(limits, every[0].budgets))
        title = f"{asked}: {len(found.fitting)} of {len(every) + len(found.refused)} networks fit"
        best = [f"Best: {found.fitting[0].name}, {_extreme(found.fitting[0])}"] if found else []
        sections = [
            Section((Title(title), Notes((_counted(every[0]), *best)))),
            Section((Table(_choices(found), ["subtotal" if found and not i else "" for i, _ in enumerate(every)]),)),
        ]
    sections += (
        [Section((Notes([f"{name}: {fault}" for name, fault in found.refused.items()]),))] if found.refused else []
    )
    return Report(
        sections,
        data=lambda: {"networks": [_data(each) for each in every], "refused": dict(found.refused)},
        records=lambda: Table(_choices(found)),
    )


def _choices(found: Choice) -> list[Column]:
    """One row per network: where it fits best, or misses least, and what it costs there."""
    every = (*found.fitting, *found.missing)
    networks = [each.best or each.nearest for each in every]
    asked = [budget.quantity for each in every[:1] for budget in each.budgets]
    names = list(dict.fromkeys((*asked, *(each.goal for each in every[:1]), "macs", "params")))
    return [
        Column("network", [Name(each.name) for each in every]),
        Column("at", [Name(_named(network) if network else "") for network in networks]),
        *(Column(name, [Number(network.figures[name] if network else None) for network in networks]) for name in names),
        Column("fits", [Name("yes" if each else f"no, {_worst(each)}") for each in every]),
    ]


def _worst(solution: Solution) -> str:
    """By how much the nearest network misses the budget that it misses most."""
    figures = solution.nearest.figures if solution.nearest else {}
    worst = max(solution.budgets, key=lambda budget: budget.miss(figures[budget.quantity]))
    value = figures[worst.quantity]
    return f"{percent(worst.miss(value))} {side(worst, value)} in {worst.quantity}"


def _headline(solution: Solution) -> str:
    given = "".join(f"; {name} = {decimal(value)}" for name, value in solution.bindings.items())
    asked = ", ".join(map(limits, solution.budgets))
    over = f", over {' and '.join(map(_searched, solution.lines))}" if solution.lines else ""
    return f"{solution.name}: {asked}{over}{given}"


def _searched(line: SearchRange) -> str:
    if line.kind == "choices":
        return f"{line.symbol} of {', '.join(map(decimal, line.values))}"
    step = f" in steps of {line.step}" if line.step > 1 else ""
    return f"{line.symbol} from {decimal(line.low)} to {decimal(line.high)}{step}"


def _answer(found: Found, smallest: bool) -> str:
    spans = found.spans.items()
    texts = ", ".join(_anywhere(name, found.everywhere.get(name, (span,))) for name, span in spans)
    such = ", ".join(f"{name} = {decimal(span.short)}" for name, span in spans if not span.single)
    return f"{'Smallest' if smallest else 'Largest'}: {texts}" + (f", such as {such}" if such else "")


def _anywhere(name: str, spans: Sequence[Span]) -> str:
    """All values of a symbol that give a network; of many intervals, how many there are and the first and the last."""
    if len(spans) <= MOST_SPANS:
        return " or ".join(span.written(name) for span in spans)
    return f"{spans[0].written(name)} or … or {spans[-1].written(name)} ({len(spans)} intervals; --format json has all)"


def _costs(solution: Solution, best: Found) -> list[Column]:
    """What the network costs, and the next larger one, beside the budgets."""
    budgets = {budget.quantity: budget for budget in solution.budgets}
    names = list(best.figures)
    columns = [
        Column("", list(map(Name, names)), "quantity"),
        Column(_named(best), [Number(best.figures[name]) for name in names]),
        Column("budget", [Number(None, _bounds_text(budgets.get(name))) for name in names]),
        Column(
            "above it" if solution.smallest else "left",
            [Number(None, left(budgets.get(name), best.figures[name], solution.smallest)) for name in names],
        ),
    ]
    if solution.next is not None:
        beyond = solution.next.figures
        columns += [
            Column(f"next: {_named(solution.next)}", [Number(beyond[name]) for name in names]),
            Column("short" if solution.smallest else "over", [_off(budgets.get(name), beyond[name]) for name in names]),
        ]
    return columns


def _named(found: Found) -> str:
    return ", ".join(f"{name} = {decimal(value)}" for name, value in found.values.items())


def _bounds_text(budget: Budget | None) -> str:
    if budget is None:
        return ""
    ends = ((budget.least, "≥"), (budget.most, "≤"))
    return ", ".join(f"{sign} {numbers.number(end)}" for end, sign in ends if end is not None)


def _off(budget: Budget | None, value: int) -> Number:
    if budget is None or not budget.excess(value):
        return Number(None, "")
    return Number(None, off(budget, value))


def _frontier(solution: Solution) -> Table:
    """Every network that none outdoes in both symbols; the largest is marked."""
    first, second = (line.symbol for line in solution.lines)
    rows = solution.frontier
    best = [row.spans == (solution.best.spans if solution.best else {}) for row in rows]
    asked = [budget.quantity for budget in solution.budgets]
    names = list(dict.fromkeys((*asked, "macs", "params")))
    columns = [
        Column(second, [Number(None, decimal(s.low) if s.single else str(s)) for s in (r.spans[second] for r in rows)]),
        Column(
            f"{'smallest' if solution.smallest else 'largest'} {first}",
            [Name(row.spans[first].written(first)) for row in rows],
        ),
        Column("such as", [Number(row.spans[first].short, decimal(row.spans[first].short)) for row in rows]),
        *(Column(name, [Number(row.figures[name]) for row in rows]) for name in names),
        Column("", [Name(f"← {_extreme(solution)}" if marked else "") for marked in best], "best"),
    ]
    return Table(columns, ["subtotal" if marked else "" for marked in best])


def _extreme(solution: Solution) -> str:
    return f"{'least' if solution.smallest else 'most'} {solution.goal}"


def _records(solution: Solution) -> Table:
    """The networks that were found, for machines: what each is, the ends of its symbols, and what it costs."""
    found = {"best": solution.best, "next": solution.next, "nearest": solution.nearest}
    rows = [(name, network) for name, network in found.items() if network is not None]
    rows += [("frontier", network) for network in solution.frontier]
    columns = [Column("network", [Name(name) for name, _ in rows])]
    for line in solution.lines:
        spans = [network.spans[line.symbol] for _, network in rows]
        columns.append(Column(line.symbol, [Name(str(network.values[line.symbol])) for _, network in rows]))
        columns.append(Column(f"{line.symbol}_low", [Name(str(span.low)) for span in spans]))
        columns.append(Column(f"{line.symbol}_high", [Name(str(span.high)) for span in spans]))
    figures = list(rows[0][1].figures) if rows else []
    columns += [Column(name, [Number(network.figures[name]) for _, network in rows]) for name in figures]
    return Table(columns)


def _notes(solution: Solution) -> Iterable[str]:
    if solution.nearest is not None:
        yield f"No network is within the budget. The nearest: {_misses(solution, solution.nearest)}."
    if solution.close:
        yield _close(solution)
    if solution.best is not None and solution.next is None and solution.lines:
        more = "less" if solution.smallest else "more"
        yield f"No network searched has {more} {solution.goal}: the bounds of the search end it, not the budget."
    for line in solution.lines:
        if line.step > 1 and len(solution.lines) > 1 and line.chosen:
            yield f"{line.symbol} was searched in steps of {line.step}, so that it ends (see --between)."
        if not line.stated:
            ends = f"{decimal(line.low)} to {decimal(line.high)}"
            yield f"{line.symbol} has no range in the specification; it was searched from {ends} (see --between)."
    count, first = solution.unbuilt
    if count:
        yield f"{count:,} values that were tried give no network ({first})."
    yield numbers.convention_note(solution.counting)


def _close(solution: Solution) -> str:
    """How many others are nearly as good, and the nearest of them."""
    named = "; ".join(f"{_named(found)} ({numbers.number(found.figures[solution.goal])})" for found in solution.closest)
    others = "1 other network" if solution.close == 1 else f"{solution.close:,} other networks"
    more = "; …" if solution.close > len(solution.closest) else ""
    return (
        f"{others} within the budget come{'s' * (solution.close == 1)} within 1 % of its {solution.goal}: {named}{more}"
    )


def _counted(solution: Solution) -> str:
    asked = (solution.goal, *(budget.quantity for budget in solution.budgets))
    return "; ".join((f"batch {solution.counting.batch}", *numbers.request_notes(solution.counting, asked)))


def _misses(solution: Solution, nearest: Found) -> str:
    texts = []
    for budget in solution.budgets:
        value = nearest.figures[budget.quantity]
        if budget.excess(value):
            too = "many" if budget.most is not None and value > budget.most else "few"
            over = f"{numbers.number(budget.excess(value))} too {too} ({percent(budget.miss(value))})"
            texts.append(f"{numbers.number(value)} {budget.quantity}, {over}")
    return f"{', '.join(span.written(name) for name, span in nearest.spans.items())} has {'; '.join(texts)}"


# ------------------------------------------------------------------ json


def _data(solution: Solution) -> dict[str, Any]:
    return {
        "spec": solution.name,
        "bindings": exact_texts(solution.bindings),
        **numbers.request(solution.counting),
        "budgets": list(map(bounds, solution.budgets)),
        "searched": [
            {"symbol": line.symbol, "from": str(line.low), "to": str(line.high), "step": line.step, "kind": line.kind}
            for line in solution.lines
        ],
        "minimise" if solution.smallest else "maximise": solution.goal,
        "best": _network(solution.best),
        "next": _network(solution.next),
        "nearest": _network(solution.nearest),
        "frontier": [_network(found) for found in solution.frontier],
        "close": {"networks": solution.close, "first": [_network(found) for found in solution.closest]},
    }


def _network(found: Found | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "values": exact_texts(found.values),
        "spans": {name: _interval(span) for name, span in found.spans.items()},
        **(
            {"everywhere": {name: [_interval(span) for span in spans] for name, spans in found.everywhere.items()}}
            if found.everywhere
            else {}
        ),
        **{name: raw(figure) for name, figure in found.figures.items()},
    }


def _interval(span: Span) -> dict[str, Any]:
    return {"low": str(span.low), "high": str(span.high), "closed": list(span.closed)}
