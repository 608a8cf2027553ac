"""Whether specifications are sound, and within budgets: for people, and with places for editors."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from archspec.errors import ArchspecError, SpecError, SpecErrors
from archspec.graph import Network
from archspec.language.rules import channels_last
from archspec.language.unused import unused
from archspec.report import numbers
from archspec.report.budgets import bounds, left, limits, off, side
from archspec.report.page import Column, Name, Note, Number, Report, Section, Table, Title, raw
from archspec.sweeps.budget import Budget

if TYPE_CHECKING:  # loads NumPy, which a check without budgets does not need
    from archspec.sweeps.solve import Solution


@dataclass(frozen=True, slots=True)
class Checked:
    """A specification that was checked.

    Attributes:
        spec: What it was called.
        network: What it expands to; None if it has faults.
        held: The network held against budgets; None if there are none.
        fault: What is wrong with it.
    """

    spec: str
    network: Network | None = None
    held: "Solution | None" = None
    fault: ArchspecError | None = None

    @property
    def within(self) -> bool:
        """Whether it is within its budgets."""
        return self.held is None or bool(self.held)

    @property
    def hints(self) -> tuple[str, ...]:
        """What may be meant otherwise."""
        if self.network is None:
            return ()
        swapped = (channels_last(tensor.shape[1:]) for tensor in self.network.inputs.values())
        document = self.network.document
        alone = document is None or document.name in document.blocks  # a block has all that its document declares
        return (*filter(None, swapped), *(() if document is None or alone else unused(document)))

    @property
    def sentence(self) -> str:
        """What it is, if it is sound."""
        if self.network is None:
            return f"{self.spec}: {self.fault}"
        taken, given = (
            ", ".join(map(str, tensors)) for tensors in (self.network.inputs.values(), self.network.results)
        )
        return f"{self.spec}: sound; {len(self.network.nodes)} layers, {taken} → {given}"

    @property
    def figures(self) -> dict[str, Any]:
        """What it costs of the quantities that have a budget."""
        found = None if self.held is None else self.held.best or self.held.nearest
        return {} if found is None else {budget.quantity: found.figures[budget.quantity] for budget in self.budgets}

    @property
    def budgets(self) -> tuple[Budget, ...]:
        """What it is held against."""
        return () if self.held is None else self.held.budgets


def overrun(found: Checked) -> Iterator[str]:
    """The budgets that are broken, and by how much.

    >>> from archspec import load
    >>> mobilenet = load("mobilenet")
    >>> held = mobilenet.solve((), {"macs": "<=500M", "params": "<=5M"})
    >>> print(*overrun(Checked("mobilenet", mobilenet.expand(), held)))
    macs ≤ 500,000,000: has 568,740,352, 68,740,352 (13.7 %) over
    """
    for budget in found.budgets:
        value = found.figures[budget.quantity]
        if budget.excess(value):
            yield f"{limits(budget)}: has {numbers.number(value)}, {off(budget, value)} {side(budget, value)}"


def kept(found: Checked) -> Iterator[str]:
    """The budgets that are kept, and how much of them is left.

    >>> from archspec import load
    >>> mobilenet = load("mobilenet")
    >>> held = mobilenet.solve((), {"macs": "<=600M"})
    >>> print(*kept(Checked("mobilenet", mobilenet.expand(), held)))
    macs ≤ 600,000,000: has 568,740,352, 31,259,648 (5.2 %) left
    """
    for budget in found.budgets:
        value = found.figures[budget.quantity]
        if not budget.excess(value):
            rest = left(budget, value)
            yield f"{limits(budget)}: has {numbers.number(value)}" + (f", {rest} left" if rest else "")


def check(found: Sequence[Checked]) -> Report:
    """What was found of specifications: a row for each fault, each hint, each broken budget, and each that is fine."""
    sound = sum(each.fault is None for each in found)
    rows = [(each.spec, *row) for each in found for row in _findings(each)]
    table = Table(
        [
            Column("specification", [Name(spec) for spec, *_ in rows], "spec"),
            Column("line", [Number(line, "" if line is None else str(line)) for _, _, line, _, _ in rows]),
            Column("", [Name(kind) for _, kind, *_ in rows], "severity"),
            Column("finding", [Note(finding) for *_, finding, _ in rows]),
            Column("what would do", [Note(remedy) for *_, remedy in rows], "remedy"),
        ],
        wide="records",
    )
    title = Title(f"{sound} of {len(found)} specifications are sound")
    return Report(
        [Section((title,)), Section((table,))],
        data=lambda: {"sound": sound == len(found), "specs": [_checked(each) for each in found]},
    )


def _findings(found: Checked) -> Iterator[tuple[str, int | None, str, str]]:
    """Of each finding how grave it is, its line, what it is, and what would do."""
    for error in _faults(found):
        yield "error", error.at.line if error.at else None, error.message.partition("; ")[0], error.remedy
    for hint in found.hints:
        yield "note", None, hint, ""
    for finding in overrun(found):
        yield "budget", None, finding, ""
    for finding in kept(found):
        yield "", None, finding, ""
    if found.fault is None and found.within:
        yield "", None, found.sentence.removeprefix(f"{found.spec}: "), ""


def _faults(found: Checked) -> Sequence[SpecError]:
    if isinstance(found.fault, SpecErrors):
        return found.fault.errors
    if isinstance(found.fault, SpecError):
        return (found.fault,)
    return () if found.fault is None else (SpecError(str(found.fault)),)


def _checked(found: Checked) -> dict[str, Any]:
    network = found.network
    return {
        "spec": found.spec,
        "sound": found.fault is None,
        "faults": [_fault(error) for error in _faults(found)],
        "notes": list(found.hints),
        "layers": None if network is None else len(network.nodes),
        "input": None if network is None else list(map(raw, network.input.shape)),
        "output": None if network is None else list(map(raw, network.results[0].shape)),
        **(
            {}
            if network is None or network.one_to_one
            else {
                "inputs": {name: list(map(raw, tensor.shape)) for name, tensor in network.inputs.items()},
                "outputs": {name: list(map(raw, network.tensor(node).shape)) for name, node in network.outputs.items()},
            }
        ),
        "budgets": [
            {
                **bounds(budget),
                "value": raw(found.figures[budget.quantity]),
                "excess": raw(budget.excess(found.figures[budget.quantity])),
            }
            for budget in found.budgets
        ],
    }


def _fault(error: SpecError) -> dict[str, Any]:
    """A fault with where it begins and where it ends, lines and columns from 1, as editors count."""
    at = error.at
    return {
        "severity": "error",
        "message": error.message,
        "remedy": error.remedy or None,
        "replacement": error.replacement,
        "file": at.source.name if at else None,
        "line": at.line if at else None,
        "column": at.column if at else None,
        "end_line": at.end.line if at else None,
        "end_column": at.end.column if at else None,
    }
