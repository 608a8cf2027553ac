"""The formulas of a specification: of its network, of a stage, a node or all nodes of an operator."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from archspec import cost, graph
from archspec.cost import Convention, CostTable
from archspec.cost.table import Row
from archspec.dims import recording, settled, values_at_hand
from archspec.errors import ArchspecError, BindingError, UndecidableError, UnknownNameError, did_you_mean
from archspec.formula.assumptions import assumed
from archspec.formula.closed_form import Form, Formula, written
from archspec.formula.collected import sizes, summed
from archspec.graph import Network
from archspec.language import Document
from archspec.memory.peak import DTYPES, peak_bytes
from archspec.ops import KINDS
from archspec.symbols import symbol, to_sympy, value

BATCH = "batch"

QUANTITIES: Mapping[str, str] = {
    "params": "parameters",
    "buffers": "statistics kept beside the parameters",
    "macs": "multiply-accumulates",
    "flops": "FLOPs",
    "activations": "elements of all results",
    "weight_bytes": "bytes of all arrays",
    **{kind: f"{kind} alone" for kind in KINDS if kind != "macs"},
    "memory": "bytes in memory at once, a layer at a time",
    "memory_liveness": "bytes in memory at once, of all that is alive",
    "memory_training": "bytes in memory at once, everything kept for the backward pass",
}
"""What a formula can be of, and what each is."""

POLICIES = {"memory": "layerwise", "memory_liveness": "liveness", "memory_training": "training"}
"""The policies of the quantities that are a peak of memory."""


def numbers(document: Document) -> tuple[str, ...]:
    """The symbols that can be free: those of numbers, not of words."""
    return tuple(name for name, each in document.symbols.items() if not each.word)


def formula(
    document: Document,
    quantity: str,
    *,
    free: Iterable[str] | None = None,
    bindings: Mapping[str, Any] | None = None,
    convention: Convention = cost.DEFAULT,
    part: str | None = None,
    form: Form = "collected",
) -> Formula:
    """What a network costs in its free symbols.

    What they leave open is decided as their defaults decide it; within a `dims.recording(values)`, as these values do.

    Args:
        document: The specification.
        quantity: One of `QUANTITIES`.
        free: The symbols to leave free, "batch" among them if it is to be; by default all that are numbers.
        bindings: Values of others; those that are not named are at their defaults.
        convention: How to count.
        part: A stage, block or node by its path, or an operator by its name; by default the whole network.
        form: How to write it.

    Raises:
        UnknownNameError: There is no such quantity or part.
        BindingError: There is no such symbol, or it cannot have its value.
        SpecErrors: The network cannot be built, or depends on a symbol in a way that no formula can say.
    """
    return formulas(document, quantity, free=free, bindings=bindings, convention=convention, part=part, form=form)[0]


def formulas(
    document: Document,
    quantity: str,
    *,
    free: Iterable[str] | None = None,
    bindings: Mapping[str, Any] | None = None,
    convention: Convention = cost.DEFAULT,
    part: str | None = None,
    by: str | int = "total",
    form: Form = "collected",
) -> tuple[Formula, ...]:
    """The same, a formula a group: "stage", "block", "operator", "layer", or a depth in the tree of names."""
    if quantity not in QUANTITIES:
        hint = did_you_mean(quantity, QUANTITIES) or f"; use {', '.join(QUANTITIES)}"
        raise UnknownNameError(f"there is no formula of '{quantity}'{hint}")
    if quantity in POLICIES and (part is not None or by != "total"):
        raise ArchspecError("a peak of memory is of the whole network; it does not add up from its parts")
    fixed = dict(bindings or {})
    names = tuple(name for name in numbers(document) if name not in fixed) if free is None else tuple(free)
    if BATCH in names and BATCH in fixed:
        raise BindingError(f"the symbol '{BATCH}' cannot be both bound and free")

    def table(values: Mapping[str, Any], free: tuple[str, ...]) -> CostTable:
        batch = values.get(BATCH, symbol(BATCH) if BATCH in free and BATCH not in document.symbols else 1)
        inner = {name: each for name, each in values.items() if name != BATCH or BATCH in document.symbols}
        left = tuple(name for name in free if name != BATCH or BATCH in document.symbols)
        return cost.count(graph.expand(document, inner, free=left, batch=batch), convention)

    defaults = {name: document.symbols[name].default if name in document.symbols else 1 for name in names}
    decisive = defaults if values_at_hand() is None else values_at_hand()
    with recording(decisive) as counting:
        symbolic = table(fixed, names)
        letters = tuple(symbolic.network.bindings.get(name, symbolic.network.batch) for name in names)
        if quantity in POLICIES and (repeated := _repeats(symbolic.network)):
            pinned = {name: settled(each) for name, each in zip(names, letters, strict=True) if each in repeated}
            symbolic = table({**fixed, **pinned}, tuple(name for name in names if name not in pinned))
        figures = [_peak(symbolic, quantity)] if quantity in POLICIES else []
    network = symbolic.network
    by_name = dict(zip(names, letters, strict=True))
    least = {by_name[name]: each for name in by_name if (each := _least(document, name)) is not None}
    choices = {name: each.choices for name, each in document.symbols.items() if each.choices}
    open_ones = [each for each in counting if not each.holds_for(choices)]
    assumptions = assumed((*network.conditions, *open_ones), least.get, decisive)
    by_size = tuple(size for size in dict.fromkeys(map(assumptions.put, sizes(network))) if size.free_symbols)

    alike = by in ("total", "operator") and part is None  # then a repeat of any length has the same rows
    countable = alike or all(type(node.times) is int for node in network.nodes)

    def of(group: str, rows: Callable[[CostTable], Iterable[Row]]) -> Formula:
        def counted(values: Mapping[str, Any]) -> Any:
            found = table({**fixed, **values}, ())
            return _peak(found, quantity) if quantity in POLICIES else sum(_figure(r, quantity) for r in rows(found))

        return Formula(
            of=document.name if group in ("", document.name) else f"{document.name}/{group}",
            quantity=quantity,
            terms=written(
                summed(assumptions.put(each) for each in figures or (_figure(r, quantity) for r in rows(symbolic))),
                by_size,
                form,
            ),
            form=form,
            symbols=letters,
            assumptions=assumptions.conditions,
            sizes=by_size,
            letters={name: each.latex for name, each in document.symbols.items() if each.latex},
            convention=convention.name,
            fixed={name: each for name, each in network.bindings.items() if name not in by_name},
            defaults=defaults,
            declared={name: document.symbols[name] for name in names if name in document.symbols},
            counted=counted if countable else None,
        )

    if by == "total":
        return (of(part or "", lambda counted: _part(counted, part)),)
    groups = [row.name for row in symbolic.by(by)]
    return tuple(of(name, partial(_members, by=by, name=name)) for name in groups)


def figure(table: CostTable, quantity: str) -> Any:
    """What a whole network costs, by one of `QUANTITIES`."""
    return _peak(table, quantity) if quantity in POLICIES else _figure(table.total, quantity)


def _figure(row: Row, quantity: str) -> Any:
    return getattr(row.operations if quantity in KINDS else row, quantity)


def _peak(table: CostTable, quantity: str) -> Any:
    """The peak of memory, in numbers of the convention's size."""
    dtype = next(name for name, bits in DTYPES.items() if bits == table.convention.bits)
    return peak_bytes(table.network, POLICIES[quantity], dtype)


def _repeats(network: Network) -> set[Any]:
    """The symbols that say how often something is repeated, if a peak of memory cannot be said of all such numbers.

    It cannot where a unit keeps alive what was there before the first; nor of no unit beside the first.
    """
    times = {node.times for node in network.nodes if type(node.times) is not int}
    values = values_at_hand() or {}
    symbols = {free for each in times for free in each.free_symbols}
    if not all(free.name in values for free in symbols):
        return set()
    try:
        with recording():
            peak_bytes(network, "liveness")
    except UndecidableError:
        return symbols
    return symbols if any(value(each, values) < 1 for each in times) else set()


def _least(document: Document, name: str) -> Any:
    declared = document.symbols.get(name)
    limits = declared and (declared.range or declared.choices)
    return to_sympy(min(limits)) if declared and limits and not declared.word else None


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
