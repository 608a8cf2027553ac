"""Printed figures held against what their specifications give."""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

from archspec import architecture
from archspec.cost import CostTable
from archspec.dims import is_number
from archspec.errors import ArchspecError, SpecError, SpecErrors
from archspec.interval import Interval, interval
from archspec.ops import Weight
from archspec.published.figures import Figure, Paper, Quantity
from archspec.published.verdict import UNITS, Printed, Verdict, judge
from archspec.spec.expression import Scope

OPEN = (Verdict.OFF,)
"""The verdicts that want an explanation."""


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
    """

    paper: str
    figure: Figure
    computed: Any
    spread: Interval | None
    verdict: Verdict
    off: Fraction

    @property
    def open(self) -> bool:
        """Whether it is off without a known erratum."""
        return self.verdict is Verdict.OFF and self.figure.erratum is None

    @property
    def convention(self) -> str:
        """The conventions of the counts it is computed from."""
        return ", ".join(dict.fromkeys(quantity.convention for quantity in self.figure.of.values()))


def reproduce(paper: Paper, folder: Path | None = None) -> list[Finding]:
    """Hold every figure of a paper against what its specifications give.

    Args:
        paper: The figures.
        folder: Where paths to specifications begin; names of the zoo need none.

    Raises:
        SpecErrors: Figures that cannot be computed; all are named, each with its place.
    """
    findings, errors = [], []
    for figure in paper.figures:
        try:
            findings.append(_finding(paper.figures_of, figure, folder))
        except SpecError as error:
            errors.append(error)
        except ArchspecError as error:
            errors.append(SpecError(f"'{figure.id}': {error}", figure.at))
    if errors:
        raise SpecErrors(errors)
    return findings


def _finding(paper: str, figure: Figure, folder: Path | None) -> Finding:
    if figure.measured:
        return Finding(paper, figure, None, None, Verdict.MEASURED, Fraction(0))
    exact = {name: quantity_of(quantity, folder) for name, quantity in figure.of.items()}
    given = {name: _given(text) for name, text in figure.given.items()}
    computed = _value(figure, exact | {name: printed.value for name, printed in given.items()})
    spread = None
    if given:
        spread = interval(_value(figure, exact | {name: printed.interval for name, printed in given.items()}))
    if not is_number(computed):
        raise SpecError(f"'{figure.id}' gives {computed}, not a number", figure.at)
    verdict, off = judge(Printed.read(figure.printed, figure.unit, figure.digits), computed, spread, figure.relation)
    return Finding(paper, figure, computed, spread, verdict, off)


def _given(text: str) -> Printed:
    """Digits with a unit behind them, as a printed number."""
    digits = text.rstrip("".join(sorted(set("".join(UNITS)))) + " ")
    return Printed.read(digits, text[len(digits) :].strip())


def _value(figure: Figure, values: dict[str, Any]) -> Any:
    if figure.value is None:
        (value,) = values.values()
        return value
    scope = Scope(values)
    for name, expression in figure.let.items():
        scope.values[name] = expression.evaluate(scope)
    return figure.value.evaluate(scope)


# ------------------------------------------------------------------ quantities


def quantity_of(quantity: Quantity, folder: Path | None = None) -> int:
    """The exact value of a quantity of a specification."""
    spec = quantity.spec
    if folder is not None and (folder / spec).is_file():
        spec = str(folder / spec)
    table = _counted(spec, tuple(quantity.bind.items()), quantity.convention)
    chosen = _chosen(table, quantity)
    if quantity.quantity == "layers":
        return len(chosen)
    if quantity.quantity in ("elements", "channels", "height"):
        return _of_result(table, chosen[-1], quantity.quantity)
    if quantity.quantity in ("weights", "biases"):
        role = {"weights": "weight", "biases": "bias"}[quantity.quantity]
        return sum(weight.elements for index in chosen for weight in _weights(table, index) if weight.role == role)
    return sum(getattr(table.rows[index], quantity.quantity) for index in chosen)


@lru_cache(maxsize=256)
def _counted(spec: str, bindings: tuple[tuple[str, str], ...], convention: str) -> CostTable:
    return _loaded(spec).count(convention=convention, **dict(bindings))


@lru_cache(maxsize=64)
def _loaded(spec: str) -> architecture.Architecture:
    return architecture.load(spec)


def _chosen(table: CostTable, quantity: Quantity) -> list[int]:
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


def _weights(table: CostTable, index: int) -> Iterable[Weight]:
    node = table.network.nodes[index]
    return node.operator.weights(*table.network.inputs_of(node))


def _of_result(table: CostTable, index: int, quantity: str) -> int:
    output = table.network.nodes[index].output
    if quantity == "elements":
        return int(output.elements)
    return int(output.shape[1 if quantity == "channels" else 2])
