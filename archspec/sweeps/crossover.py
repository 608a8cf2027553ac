"""Which layers dominate a cost where, as one symbol moves, and where one kind passes another.

What is said of networks is counted: every network along the symbol, with its roundings. Beside it stands the root of
the formulas that hold where sizes divide, exact: where the curves cross that the staircases follow.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, groupby, pairwise
from typing import Any

import sympy
from sympy import Expr, Symbol
from sympy.polys.rootoftools import ComplexRootOf

from archspec import cost
from archspec.dims import recording
from archspec.errors import ArchspecError, UnknownNameError
from archspec.formula.collected import divisible
from archspec.formula.kinds import kind_of
from archspec.formula.writers import Text
from archspec.graph import Network, Node
from archspec.result import Reported, short
from archspec.sweeps.family import Family, SearchRange, Span, decimal, search_range
from archspec.sweeps.sensitivity import chosen
from archspec.sweeps.survey import Sample, Survey
from archspec.symbols import TableLookup, to_sympy

GROUPS: Mapping[str, Callable[[Network, Node], str]] = {
    "kind": kind_of,
    "operator": lambda _, node: node.operator.name,
    "stage": lambda _, node: node.stage,
}
"""What layers are grouped by."""

OTHERS = "others"
LEAST_SHARE = 20
"""A crossing is told if what crosses is at least one part in so many of the whole."""


@dataclass(frozen=True, slots=True)
class Reign:
    """Networks of which the same group costs most.

    Attributes:
        span: The values of the symbol.
        group: The group.
        shares: Its part of the whole at both ends, as pairs of its cost and the whole.
        values: Each value, where the symbol has choices: nothing lies between them.
    """

    span: Span
    group: str
    shares: tuple[tuple[int, int], tuple[int, int]]
    values: tuple[Any, ...] = ()

    def written(self, name: str) -> str:
        """Where it is, as an inequality of the symbol's name, or as a list of choices."""
        return f"{name} = {', '.join(map(decimal, self.values))}" if self.values else self.span.written(name)


@dataclass(frozen=True, slots=True)
class Crossing:
    """Where one group passes another.

    Attributes:
        above: The group that costs more in the end.
        below: The other.
        first: The first value of the symbol, of those that were counted, at which the two change places.
        value: The last; from there on `above` costs more.
        times: How often they change places: roundings can make it more than once.
        root: Where the formulas that hold where sizes divide are equal; exact. None if nowhere, or if there are none.
    """

    above: str
    below: str
    first: Any
    value: Any
    times: int
    root: Expr | None

    @property
    def exact(self) -> str | None:
        """The root as text; None if it is no sum of roots of numbers."""
        if self.root is None or self.root.has(ComplexRootOf):
            return None
        return Text().write(self.root)

    def decimal(self, digits: int) -> str | None:
        """The root in decimals; None if there is none."""
        if self.root is None:
            return None
        return str(self.root.evalf(digits)).rstrip("0").rstrip(".")


@dataclass(frozen=True, slots=True)
class Crossover(Reported):
    """Which groups dominate a cost along a symbol.

    Attributes:
        name: The specification's name.
        quantity: Which cost.
        by: What layers are grouped by.
        line: The symbol, and where it was searched.
        bindings: The other symbols.
        reigns: From the lowest value to the highest, who costs most.
        crossings: Where one group passes another.
    """

    name: str
    quantity: str
    by: str
    line: SearchRange
    bindings: Mapping[str, Any]
    reigns: tuple[Reign, ...]
    crossings: tuple[Crossing, ...]

    def __repr__(self) -> str:
        return short(
            self,
            self.name,
            f"{self.quantity} by {self.by} along {self.line.symbol}",
            f"{len(self.crossings)} crossings",
        )


def crossover(
    family: Family, symbol: str, quantity: str = "macs", by: str = "kind", between: Iterable[Any] | None = None
) -> Crossover:
    """Who dominates a cost along a symbol.

    Args:
        family: The networks.
        symbol: What moves.
        quantity: What is counted, as of a formula.
        by: "kind", "operator" or "stage".
        between: Where to search, instead of the symbol's whole range.

    Raises:
        UnknownNameError: There is no such quantity or grouping.
        BindingError: The symbol cannot be followed.

    >>> from archspec.language import load
    >>> found = crossover(Family(load("mobilenet")), "alpha")
    >>> for reign in found.reigns:
    ...     print(reign.span.written("alpha"), reign.group)
    1/32 ≤ alpha < 17/512 depthwise conv2d
    17/512 ≤ alpha ≤ 4 pointwise conv2d
    """
    kind = cost.quantity(quantity).kind
    if kind != "sum":
        what = {"peak": "peak of memory", "ratio": "ratio"}.get(kind, "largest number")
        raise UnknownNameError(f"a {what} is of the whole network; it does not add up from its layers")
    if by not in GROUPS:
        raise UnknownNameError(f"layers are not grouped by '{by}'; use {', '.join(GROUPS)}")
    asked = _CrossoverQuestion(family, quantity, GROUPS[by])
    searched = search_range(family.document, symbol, between)
    survey = Survey([searched], family.at, asked.grouped(searched))
    samples = list(survey)
    return Crossover(
        name=family.document.name,
        quantity=quantity,
        by=by,
        line=searched,
        bindings={name: value for name, value in family.at({}).bindings.items() if name != symbol},
        reigns=tuple(_reigns(searched, samples)),
        crossings=() if searched.kind == "choices" else _crossings(symbol, samples, asked),
    )


@dataclass(frozen=True, slots=True)
class _CrossoverQuestion:
    family: Family
    quantity: str
    group: Callable[[Network, Node], str]

    def rows(self, network: Network) -> list[tuple[str, Any]]:
        """The group and the cost of every node."""
        table = cost.count(network, self.family.counting)
        return [
            (self.group(network, node), row.figure(self.quantity))
            for node, row in zip(network.nodes, table.rows, strict=True)
        ]

    def grouped(self, searched: SearchRange) -> Callable[[Network], dict[str, Any]]:
        """Adds a network's costs up by groups: those of three networks along the line; what is in none is others."""
        ends: tuple[dict[str, Any], ...] = ({searched.symbol: searched.low}, {}, {searched.symbol: searched.high})
        names: dict[str, int] = {}
        for values in ends:
            try:
                names.update(dict.fromkeys((group for group, each in self.rows(self.family.at(values)) if each), 0))
            except ArchspecError:
                continue  # no network is there

        def count(network: Network) -> dict[str, Any]:
            sums: dict[str, Any] = {**names, OTHERS: 0}
            for group, each in self.rows(network):
                sums[group if group in names else OTHERS] += each
            return sums

        return count

    def smooth(self, name: str, value: Any) -> tuple[Symbol, dict[str, Expr]] | None:
        """The symbol, and the cost of each group where sizes divide, near a value; None where no formula can say it."""
        try:
            with recording({name: value}):
                network = self.family.at({}, free=(name,))
                rows = self.rows(network)
        except ArchspecError:
            return None
        if any(condition.kind == "equals" for condition in network.conditions):  # it is one value's
            return None
        sums: dict[str, Expr] = {}
        for group, each in rows:
            sums[group] = sums.get(group, sympy.Integer(0)) + to_sympy(each)
        found = {group: divisible(each)[0] for group, each in sums.items()}
        if any(each.has(TableLookup) for each in found.values()):
            return None
        return network.bindings[name], found


def _reigns(searched: SearchRange, samples: Sequence[Sample]) -> list[Reign]:
    reigns = []
    for group, run in groupby(samples, key=lambda sample: max(sample.figures, key=lambda each: sample.figures[each])):
        members = list(run)
        first, last = members[0], members[-1]
        span = first.to(last)[searched.symbol]
        shares = tuple((each.figures[group], sum(each.figures.values())) for each in (first, last))
        values = [each.values[searched.symbol] for each in members] if searched.kind == "choices" else []
        reigns.append(Reign(span, group, (shares[0], shares[1]), tuple(values)))
    return reigns


def _crossings(symbol: str, samples: Sequence[Sample], asked: _CrossoverQuestion) -> tuple[Crossing, ...]:
    """The crossings of each two groups, in the order of the symbol."""
    found = []
    for a, b in combinations(samples[0].figures, 2):
        told = [(s.figures[a] > s.figures[b], s) for s in samples if s.figures[a] != s.figures[b]]
        changes = [sample for (before, _), (after, sample) in pairwise(told) if before != after]
        if not any(LEAST_SHARE * sample.figures[a] >= sum(sample.figures.values()) for sample in changes):
            continue
        above, below = (a, b) if told[-1][0] else (b, a)
        first, last = (sample.spans[symbol].low for sample in (changes[0], changes[-1]))
        root = _root(a, b, last, asked.smooth(symbol, last))
        found.append(Crossing(above, below, first, last, len(changes), root))
    return tuple(sorted(found, key=lambda crossing: (crossing.value, crossing.above)))


def _root(a: str, b: str, value: Any, smooth: tuple[Symbol, Mapping[str, Expr]] | None) -> Expr | None:
    """Where two formulas are equal, nearest to a value; exact."""
    if smooth is None or a not in smooth[1] or b not in smooth[1]:
        return None
    symbol, formulas = smooth
    gap = chosen(formulas[a] - formulas[b], {symbol.name: value})
    numerator, _ = sympy.fraction(sympy.together(gap))
    roots = [root for root in sympy.Poly(numerator, symbol).real_roots() if root.is_positive]
    return min(roots, key=lambda root: abs(root - to_sympy(value)), default=None)
