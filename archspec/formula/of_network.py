"""The formulas of a specification: of its network, of a stage, a node or all nodes of an operator."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from sympy import Add, Expr

from archspec import cost, graph
from archspec.cost import USUAL, CostTable, Counting, Quantity, Ratio, Row
from archspec.dims import recording
from archspec.errors import ArchspecError, BindingError, UnknownNameError, did_you_mean
from archspec.formula.closed_form import Form, Formula, written
from archspec.formula.collected import sizes, summed
from archspec.formula.views import bounds, merged
from archspec.language import Document
from archspec.symbols import symbol, to_sympy

BATCH = "batch"


def numbers(document: Document) -> tuple[str, ...]:
    """The symbols that can be free: those of numbers, not of words."""
    return tuple(name for name, each in document.symbols.items() if not each.word)


def formula(
    document: Document,
    quantity: str,
    *,
    free: Iterable[str] | None = None,
    bindings: Mapping[str, Any] | None = None,
    counting: Counting = USUAL,
    part: str | None = None,
    form: Form = "collected",
) -> Formula:
    """What a network costs in its free symbols.

    Args:
        document: The specification.
        quantity: The name of one; see `cost.quantities`.
        free: The symbols to leave free, "batch" among them if it is to be; by default all that are numbers.
        bindings: Values of others; those that are not named are at their defaults.
        counting: How to count; the batch is free, where it is among the free symbols.
        part: A stage, block or node by its path, or an operator by its name; by default the whole network.
        form: How to write it.

    Raises:
        UnknownNameError: There is no such quantity or part.
        BindingError: There is no such symbol, or it cannot have its value.
        SpecErrors: The network cannot be built, or depends on a symbol in a way that no formula can say.
    """
    return formulas(document, quantity, free=free, bindings=bindings, counting=counting, part=part, form=form)[0]


def formulas(
    document: Document,
    quantity: str,
    *,
    free: Iterable[str] | None = None,
    bindings: Mapping[str, Any] | None = None,
    counting: Counting = USUAL,
    part: str | None = None,
    by: str | int = "total",
    form: Form = "collected",
) -> tuple[Formula, ...]:
    """The same, a formula a group: "stage", "block", "operator", "layer", or a depth in the tree of names."""
    of_what = cost.quantity(quantity)
    if of_what.kind == "peak" and (part is not None or by != "total"):
        raise ArchspecError("a peak of memory is of the whole network; it does not add up from its parts")
    fixed = dict(bindings or {})
    names = tuple(name for name in numbers(document) if name not in fixed) if free is None else tuple(free)
    if BATCH in names and BATCH in fixed:
        raise BindingError(f"the symbol '{BATCH}' cannot be both bound and free")

    def table(values: Mapping[str, Any], free: tuple[str, ...]) -> CostTable:
        usual = symbol(BATCH) if BATCH in free and BATCH not in document.symbols else counting.batch
        batch = usual if BATCH in document.symbols else values.get(BATCH, usual)
        inner = {name: each for name, each in values.items() if name != BATCH or BATCH in document.symbols}
        left = tuple(name for name in free if name != BATCH or BATCH in document.symbols)
        return cost.count(graph.expand(document, inner, free=left, batch=batch), counting)

    with recording() as conditions:
        symbolic = table(fixed, names)
    network = symbolic.network
    letters = tuple(network.bindings.get(name, network.batch) for name in names)
    least = {symbol: each for name, symbol in network.bindings.items() if (each := _least(document, name)) is not None}
    with recording() as further:
        figures = {to_sympy(symbolic.figure(quantity)): 1} if of_what.kind == "peak" else {}
        symbolic.column(of_what)
    choices = {name: each.choices for name, each in document.symbols.items() if each.choices}
    open_ones = [each for each in (*conditions, *further) if not each.holds_for(choices)]
    assumptions = merged(bounds((*network.conditions, *open_ones), least.get))
    by_size = sizes(network)

    alike = by in ("total", "operator") and part is None  # then a repeat of any length has the same rows
    countable = alike or all(type(node.times) is int for node in network.nodes)

    def of(group: str, rows: Callable[[CostTable], Iterable[Row]]) -> Formula:
        def counted(values: Mapping[str, Any]) -> Any:
            found = table({**fixed, **values}, ())
            return (
                found.figure(quantity)
                if of_what.kind == "peak"
                else cost.summed(group, "", rows(found)).figure(quantity)
            )

        def terms(of_what: Quantity) -> tuple[Expr, ...]:
            if isinstance(of_what, Ratio):
                above, below = (Add(*terms(cost.quantity(name))) for name in (of_what.above, of_what.below))
                if below == 0:
                    raise ArchspecError(f"there is no {of_what.below} for {of_what.name} to be of")
                return written({above / below: 1}, by_size, "quotient")
            return written(
                figures or summed(each for row in rows(symbolic) for each in row.each(of_what)), by_size, form
            )

        return Formula(
            of=document.name if group in ("", document.name) else f"{document.name}/{group}",
            quantity=quantity,
            terms=terms(of_what),
            form="quotient" if of_what.kind == "ratio" else form,
            symbols=letters,
            assumptions=assumptions,
            sizes=by_size,
            letters={name: each.latex for name, each in document.symbols.items() if each.latex},
            convention=counting.convention.name,
            fixed={name: each for name, each in network.bindings.items() if name not in names},
            defaults={name: document.symbols[name].default if name in document.symbols else 1 for name in names},
            counted=counted if countable else None,
        )

    if by == "total":
        return (of(part or "", lambda counted: _part(counted, part)),)
    groups = [row.name for row in symbolic.by(by)]
    return tuple(of(name, partial(_members, by=by, name=name)) for name in groups)


def _least(document: Document, name: str) -> Any:
    declared = document.symbols[name]
    limits = declared.range or declared.choices
    return None if declared.word or limits is None else to_sympy(min(limits))


def _part(table: CostTable, part: str | None) -> list[Row]:
    """The rows of a stage, block or node by its path, or of an operator.

    Raises:
        UnknownNameError: The network has no such part.
    """
    if part is None:
        return list(table.rows)
    inside = [row for row in table.rows if row.name == part or row.name.startswith(f"{part}/")]
    rows = inside or [row for row in table.rows if row.operator == part]
    if not rows:
        paths = {"/".join(row.name.split("/")[:depth]) for row in table.rows for depth in range(1, 6)}
        hint = did_you_mean(part, [*paths, *(row.operator for row in table.rows)])
        raise UnknownNameError(f"'{table.network.name}' has no stage, node or operator '{part}'{hint}")
    return rows


def _members(table: CostTable, by: str | int, name: str) -> list[Row]:
    return [row for row, group in zip(table.rows, table.groups(by), strict=True) if group == name]
