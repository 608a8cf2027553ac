"""The formulas of a specification: of its network, of a stage, a node or all nodes of an operator."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from typing import Any

from sympy import Add, Expr

from archspec import cost, graph
from archspec.cost import USUAL, CostRow, CostTable, Counting, Quantity, Ratio
from archspec.dims import recording, settled, values_at_hand
from archspec.errors import ArchspecError, BindingError, UndecidableError, UnknownNameError, did_you_mean
from archspec.formula.assumptions import Assumptions, assumed
from archspec.formula.closed_form import Arrangement, Formula, written
from archspec.formula.collected import repeats, sizes, summed
from archspec.graph import Network
from archspec.language import Document
from archspec.memory.peak import peak_bytes
from archspec.symbols import symbol, to_sympy, value

BATCH = "batch"


def numbers(document: Document) -> tuple[str, ...]:
    """The symbols that a formula is over where nobody says over what."""
    return tuple(name for name, each in document.symbols.items() if each.usually_free)


def formulas(
    document: Document,
    quantity: str,
    *,
    free: Iterable[str] | None = None,
    bindings: Mapping[str, Any] | None = None,
    counting: Counting = USUAL,
    part: str | None = None,
    by: str | int = "total",
    arrangement: Arrangement = "collected",
) -> tuple[Formula, ...]:
    """What a network costs in its free symbols: one formula, or one per group.

    What they leave open is decided as their defaults decide it; within a `dims.recording(values)`, as these values do.

    Args:
        document: The specification.
        quantity: The name of one; see `cost.quantities`.
        free: The symbols to leave free, "batch" among them if it is to be; by default all that are numbers.
        bindings: Values of others; those that are not named are at their defaults.
        counting: How to count; the batch is free, where it is among the free symbols.
        part: A stage, block or node by its path, or an operator by its name; by default the whole network.
        by: The groups: "stage", "block", "operator", "layer", or a depth in the tree of names.
        arrangement: How to write it.

    Raises:
        UnknownNameError: There is no such quantity or part.
        BindingError: There is no such symbol, or it cannot have its value.
        SpecErrors: The network cannot be built, or depends on a symbol in a way that no formula can say.
    """
    of_what = cost.quantity(quantity)
    if of_what.kind in WHOLE and (part is not None or by != "total"):
        what = "a peak of memory" if of_what.kind == "peak" else f"the {of_what.heading}"
        raise ArchspecError(f"{what} is of the whole network; it does not add up from its parts")
    fixed = dict(bindings or {})
    names = tuple(name for name in numbers(document) if name not in fixed) if free is None else tuple(free)
    if BATCH in names and BATCH in fixed:
        raise BindingError(f"the symbol '{BATCH}' cannot be both bound and free")

    defaults = {name: document.symbols[name].default if name in document.symbols else 1 for name in names}
    decisive = defaults if values_at_hand() is None else values_at_hand()
    with recording(decisive) as conditions:
        symbolic, letters = _in_symbols(document, of_what, fixed, counting, names)
        symbolic.figure(quantity)
        for each in _parts_of(of_what):
            symbolic.column(each)
    network = symbolic.network
    by_name = dict(zip(names, letters, strict=True))
    least = {by_name[name]: each for name in by_name if (each := _least(document, name)) is not None}
    choices = {name: each.choices for name, each in document.symbols.items() if each.choices}
    open_ones = [each for each in conditions if not each.holds_for(choices)]
    assumptions = assumed((*network.conditions, *open_ones), least.get, decisive)
    by_size = tuple(size for size in dict.fromkeys(map(assumptions.put, sizes(network))) if size.free_symbols)
    alike = by in ("total", "operator") and part is None  # then a repeat of any length has the same rows
    countable = alike or all(type(node.times) is int for node in network.nodes)
    form = Formula(
        of=document.name,
        quantity=quantity,
        terms=(),
        arrangement=arrangement,
        symbols=letters,
        assumptions=assumptions.conditions,
        sizes=by_size,
        times=repeats(network),
        letters={name: each.latex for name, each in document.symbols.items() if each.latex},
        convention=counting.convention.name,
        counting=counting,
        fixed=_bound(network, by_name, document),
        defaults=defaults,
        declared={name: document.symbols[name] for name in names if name in document.symbols},
        opaque=network.opaque,
    )

    def of(place: _Place) -> Formula:
        inside = place.name not in (None, "", document.name)
        return replace(
            form,
            of=f"{document.name}/{place.name}" if inside else document.name,
            terms=_terms(form, of_what, symbolic, place, assumptions),
            arrangement="quotient" if of_what.kind == "ratio" else arrangement,
            counted=partial(_counted, document, quantity, fixed, counting, place) if countable else None,
        )

    return (of(_Place(BY_PART, part)),) if by == "total" else tuple(of(_Place(by, row.name)) for row in symbolic.by(by))


def _parts_of(of_what: Quantity) -> tuple[Quantity, ...]:
    """What a quantity is a ratio of; itself, if it is none."""
    return (cost.quantity(of_what.above), cost.quantity(of_what.below)) if isinstance(of_what, Ratio) else (of_what,)


def _terms(
    form: Formula, of_what: Quantity, table: CostTable, place: "_Place", assumptions: Assumptions
) -> tuple[Expr, ...]:
    """The summands of some rows, as the formula groups and arranges them.

    Raises:
        ArchspecError: There is nothing to divide by, or nothing of the quantity.
    """
    if isinstance(of_what, Ratio):
        above, below = (Add(*_terms(form, each, table, place, assumptions)) for each in _parts_of(of_what))
        if below == 0:
            raise ArchspecError(f"there is no {of_what.below} for {of_what.name} to be of")
        return written({above / below: 1}, form.sizes, "quotient", form.times)
    each = [table.figure(of_what.name)] if of_what.kind in WHOLE else place.of(table).each(of_what)
    if None in each:
        raise ArchspecError(f"'{table.network.name}' has no {of_what.name}: {of_what.meaning}")
    return written(summed(map(assumptions.put, each)), form.sizes, form.arrangement, form.times)


def _bound(network: Network, free: Iterable[str], document: Document) -> dict[str, Any]:
    """The values of the symbols that are not free; one that seldom is, and has its default, is a constant."""
    return {
        name: each
        for name, each in network.bindings.items()
        if name not in free and (document.symbols[name].free is not False or each != document.symbols[name].default)
    }


def _in_symbols(
    document: Document, of_what: Quantity, fixed: Mapping[str, Any], counting: Counting, names: tuple[str, ...]
) -> tuple[CostTable, tuple[Any, ...]]:
    """The count in free symbols, and those symbols; what does not add up needs numbers for how often is repeated."""
    table = _table(document, fixed, counting, names)
    letters = tuple(table.network.bindings.get(name, table.network.batch) for name in names)
    if of_what.kind in WHOLE and (repeated := _repeats(table.network)):
        pinned = {name: settled(each) for name, each in zip(names, letters, strict=True) if each in repeated}
        left = tuple(name for name in names if name not in pinned)
        table = _table(document, {**fixed, **pinned}, counting, left)
    return table, letters


BY_PART = "part"

WHOLE = ("peak", "largest")
"""The kinds of quantities that do not add up."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Some rows of a table: those of a part, or of a group.

    Attributes:
        by: What rows are grouped by, or "part".
        name: The group; the part, or None for the whole.
    """

    by: str | int
    name: str | None

    def of(self, table: CostTable) -> CostRow:
        """The rows as one."""
        if self.by == BY_PART:
            return cost.summed("", "", _part(table, self.name))
        groups = table.groups(self.by)
        return table.together("", "", (place for place, group in enumerate(groups) if group == self.name))


def _counted(
    document: Document,
    quantity: str,
    fixed: Mapping[str, Any],
    counting: Counting,
    place: _Place,
    values: Mapping[str, Any],
) -> Any:
    """Count on numbers what a formula is of."""
    table = _table(document, {**fixed, **values}, counting)
    whole = cost.quantity(quantity).kind in WHOLE
    return (table.total if whole else place.of(table)).figure(quantity)


def _table(document: Document, values: Mapping[str, Any], counting: Counting, free: tuple[str, ...] = ()) -> CostTable:
    """The count at values of symbols, the batch among them where no symbol has its name."""
    if BATCH in document.symbols:
        return cost.count(_network(document, values, free, counting.batch), counting)
    batch = values.get(BATCH, symbol(BATCH) if BATCH in free else counting.batch)
    inner = {name: each for name, each in values.items() if name != BATCH}
    left = tuple(name for name in free if name != BATCH)
    return cost.count(_network(document, inner, left, batch), counting)


_last: list[tuple[Any, Document, Network]] = []
"""The network that was expanded last in symbols, for formulas of further quantities are asked of the same."""


def _network(document: Document, values: Mapping[str, Any], free: tuple[str, ...], batch: Any) -> Network:
    decisive = values_at_hand() or {}
    plain = all(isinstance(each, int | str | Fraction) for each in (*values.values(), *decisive.values()))
    if not (free and plain and isinstance(batch, int | Expr)):
        return graph.expand(document, values, free=free, batch=batch)
    exactly = [sorted((name, type(each), each) for name, each in known.items()) for known in (values, decisive)]
    asked = (id(document), free, type(batch), batch, exactly)  # True is 1 and is refused where 1 is not
    for known, _, network in _last:
        if known == asked:
            return network
    network = graph.expand(document, values, free=free, batch=batch)
    _last[:] = [(asked, document, network)]
    return network


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


def _part(table: CostTable, part: str | None) -> list[CostRow]:
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
        stages = ", ".join(dict.fromkeys(node.stage for node in table.network.nodes))
        hint = did_you_mean(part, [*paths, *(row.operator for row in table.rows)]) or f"; its stages are {stages:.300}"
        raise UnknownNameError(f"'{table.network.name}' has no stage, node or operator '{part}'{hint}")
    return rows
