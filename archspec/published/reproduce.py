"""Printed figures held against what their specifications give."""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

from archspec import architecture
from archspec.cost import CostTable
from archspec.dims import is_number
from archspec.errors import ArchspecError, SpecError, SpecErrors, UnknownNameError
from archspec.files import resolve_below
from archspec.interval import Interval, interval
from archspec.language import zoo
from archspec.language.expression import Scope
from archspec.published.figures import Figure, Paper, PrintedTable, RowInputs, SpecQuantity
from archspec.published.functions import functions
from archspec.published.verdict import Printed, Verdict, judge, split_unit
from archspec.result import Reported, short
from archspec.writing import printable


@dataclass(frozen=True, slots=True)
class Finding:
    """A printed figure, ours beside it, and the verdict.

    Attributes:
        paper: The paper's name.
        figure: What is printed.
        computed: The exact number in base units; None for a measured figure.
        spread: All that rounded inputs leave possible; None where no input is rounded.
        verdict: How the two stand to each other.
        off: By what part of the printed number the computed one differs, if the verdict is off.
        convention: The conventions of the counts it is computed from.
    """

    paper: str
    figure: Figure
    computed: Any
    spread: Interval | None
    verdict: Verdict
    off: Fraction
    convention: str = ""

    @property
    def open(self) -> bool:
        """Whether it is off without a known erratum."""
        return self.verdict is Verdict.OFF and self.figure.erratum is None


@dataclass(frozen=True, slots=True, repr=False)
class Findings(Reported):
    """What was found of a paper's figures, one after the other.

    Attributes:
        paper: The paper.
        found: Its figures, table by table.
    """

    paper: Paper
    found: tuple[Finding, ...]

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.found)

    def __len__(self) -> int:
        return len(self.found)

    def __repr__(self) -> str:
        return short(self, self.paper.figures_of, f"{len(self)} figures")


def reproduce(paper: Paper, folder: Path | None = None) -> Findings:
    """Hold every figure of a paper against what its specifications give.

    Args:
        paper: The figures.
        folder: Where paths to specifications begin; names of the zoo need none.

    Raises:
        SpecErrors: Figures that cannot be computed; all are named, each with its place.

    >>> from archspec.published import load
    >>> reproduce(load("xception"))
    <Findings xception, 14 figures>
    """
    findings: list[Finding] = []
    errors: list[SpecError] = []

    def find(figures: Iterable[Figure], rows: "_Rows | None" = None) -> None:
        for figure in figures:
            try:
                findings.append(_finding(paper.figures_of, figure, folder, rows))
            except SpecError as error:
                errors.append(error)
            except ArchspecError as error:
                errors.append(SpecError(f"'{figure.id}': {error}", figure.at))

    for table in paper.tables:
        find(table.cells())
        if table.figures and not errors:
            find(table.figures, _rows(table, folder))
    find(paper.figures)
    if errors:
        raise SpecErrors(errors)
    return Findings(paper, tuple(findings))


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows of a table by name, as printed and for all numbers that round to it, and what they are computed from."""

    printed: Mapping[str, list[Any]]
    rounded: Mapping[str, list[Any]]
    inputs: RowInputs


def _rows(table: PrintedTable, folder: Path | None) -> _Rows:
    rows = [table.inputs(index) for index in range(len(table.rows))]
    printed, rounded = (
        [_names(row, folder, Scope({}, functions({}, widen)), widen) for row in rows] for widen in (False, True)
    )
    names = [name for name in printed[0] if all(name in row for row in printed)]
    return _Rows(
        {name: [row[name] for row in printed] for name in names},
        {name: [row[name] for row in rounded] for name in names},
        rows[0],
    )


def _finding(paper: str, figure: Figure, folder: Path | None, rows: _Rows | None = None) -> Finding:
    if figure.measured:
        return Finding(paper, figure, None, None, Verdict.MEASURED, Fraction(0))
    computed = _value(figure, folder, rows, rounded=False)
    if not is_number(computed):
        raise SpecError(f"'{figure.id}' gives {computed}, not a number", figure.at)
    spread: Interval | None = interval(_value(figure, folder, rows, rounded=True))
    if spread is not None and spread.low == spread.high:
        spread = None
    verdict, off = judge(Printed.read(figure.printed, figure.unit, figure.digits), computed, spread, figure.relation)
    if verdict is not Verdict.OFF and figure.value is not None and "either" in figure.value.called:
        verdict = Verdict.WITHIN
    return Finding(paper, figure, computed, spread, verdict, off, _conventions(figure, rows))


def _value(figure: Figure, folder: Path | None, rows: _Rows | None, rounded: bool) -> Any:
    """What gives a figure: a number from what is printed, or an interval from all that rounds to it."""
    columns = {} if rows is None else rows.rounded if rounded else rows.printed
    scope = Scope({}, functions(columns, rounded), frozenset(columns))
    values = _names(figure, folder, scope, rounded)
    if figure.value is None:
        (value,) = values.values()
        return value
    return figure.value.evaluate(scope)


def _names(inputs: Figure | RowInputs, folder: Path | None, scope: Scope, rounded: bool) -> dict[str, Any]:
    """The values of the names of a figure or of a row, put into a scope."""
    scope.values.update((name, quantity_of(quantity, folder)) for name, quantity in inputs.of.items())
    for name, text in inputs.given.items():
        printed = Printed.read(*split_unit(text))
        scope.values[name] = printed.interval if rounded else printed.value
    for name, expression in inputs.let.items():
        scope.values[name] = expression.evaluate(scope)
    return scope.values


def _conventions(figure: Figure, rows: _Rows | None) -> str:
    counted = list(figure.of.values())
    if rows is not None and figure.value is not None:
        counted += rows.inputs.behind(figure.value.names).of.values()
    return ", ".join(dict.fromkeys(quantity.convention for quantity in counted))


# ------------------------------------------------------------------ quantities


def quantity_of(quantity: SpecQuantity, folder: Path | None = None) -> Any:
    """The exact value of a quantity of a specification."""
    spec = quantity.spec
    if folder is not None and (place := resolve_below(folder, folder / spec)) is not None and os.path.isfile(place):
        spec = str(place)
    elif spec not in zoo.names():
        raise UnknownNameError(
            f"no file below the folder of the figures and no network of the zoo is called '{printable(spec)}'"
        )
    table = _counted(spec, tuple(quantity.bind.items()), quantity.convention)
    chosen = _chosen(table, quantity)
    nodes = [table.network.nodes[index] for index in chosen]
    if quantity.quantity == "layers":
        return len(nodes)
    if quantity.quantity == "elements":
        return int(nodes[-1].output.elements)
    if quantity.quantity in AXES:
        return int(nodes[-1].output.shape[AXES[quantity.quantity]])
    if quantity.quantity in ROLES:
        weights = (weight for node in nodes for weight in table.network.weights_of(node))
        return sum(weight.elements for weight in weights if weight.role == ROLES[quantity.quantity])
    return table.together(spec, "", chosen).figure(quantity.quantity)


AXES = {"channels": 1, "height": 2}
"""The axes of a layer's result whose sizes are quantities."""

ROLES = {"weights": "weight", "biases": "bias"}
"""The weights whose numbers are quantities."""


@lru_cache(maxsize=256)
def _counted(spec: str, bindings: tuple[tuple[str, str], ...], convention: str) -> CostTable:
    return _loaded(spec).count(dict(bindings), convention=convention)


@lru_cache(maxsize=64)
def _loaded(spec: str) -> architecture.Architecture:
    return architecture.load(spec)


def _chosen(table: CostTable, quantity: SpecQuantity) -> list[int]:
    """The positions of the nodes that a quantity speaks of; one of each block where it counts instances of a block."""
    nodes = table.network.nodes
    chosen = list(range(len(nodes)))
    if quantity.layer:
        chosen = [i for i in chosen if any(_belongs(nodes[i].name, layer) for layer in quantity.layer)]
    if quantity.kind is not None:
        chosen = [i for i in chosen if quantity.kind in (nodes[i].operator.name, nodes[i].kind)]
        if chosen and nodes[chosen[0]].operator.name != quantity.kind:
            chosen = list({nodes[i].block: i for i in chosen}.values())
    if not chosen:
        what = " and ".join(filter(None, (", ".join(quantity.layer), quantity.kind)))
        raise SpecError(f"'{table.network.name}' has no layer {what}", quantity.at)
    return chosen


def _belongs(name: str, layer: str) -> bool:
    return name == layer or name.startswith(f"{layer}/")
