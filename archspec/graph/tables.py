"""The tables of a paper: a row is a call, or several of one kind."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from archspec.errors import ArchspecError
from archspec.graph.calls import apply
from archspec.graph.frame import BodyFrame, Flow
from archspec.graph.network import Container, Trace
from archspec.graph.repeats import walk_units
from archspec.language.document import Step, TableRows, TableStep
from archspec.language.expression import Scope
from archspec.language.rules import labels_of, value_mark
from archspec.language.steps import BESIDE, CALLEE
from archspec.language.values import Value, evaluated


def walk_table(step: TableStep, frame: BodyFrame) -> None:
    """The rows of a table, one after the other."""
    table = step.table
    names = tuple(column.name for column in table.columns)
    for number, row in enumerate(table.rows):
        cells = dict(zip(names, row, strict=True))
        marks = {f"{key}:": mark for key, cell in cells.items() if (mark := value_mark(cell))}
        place = Step().placed(table.key_at(f"rows[{number}]"), marks)
        frame.expansion.count(place)
        frame.see_sizes()
        try:
            _walk_row(table, cells, place, frame)
        except ArchspecError as error:
            frame.expansion.fault(error, place.at, frame)


@dataclass(frozen=True, slots=True)
class RowCall:
    """What a row of a table calls.

    Attributes:
        table: The table.
        callee: The operator or block.
        nominal: The numbers of the row, as they are printed; None where a cell is empty.
        place: Where the row stands.
    """

    table: TableRows
    callee: str
    nominal: dict[str, Any]
    place: Step

    def built(self, scope: Scope, later: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """What the header makes of the numbers; empty cells are left out, and `later` has others for some."""
        values = {key: value for key, value in {**self.nominal, **(later or {})}.items() if value is not None}
        headers = {column.name: column.built for column in self.table.columns}
        inner = scope.within(values)
        return {
            key: value if (header := headers.get(key)) is None else header.evaluate(inner)
            for key, value in values.items()
        }

    def later(self, frame: BodyFrame) -> dict[str, Any]:
        """What `after_first` gives the columns; it sees the cells of the row as they are printed."""
        cells = frame.scope.within({key: value for key, value in self.nominal.items() if value is not None})
        return {key: evaluated(value, cells) for key, value in self.table.after_first.items()}

    def unit(
        self, built: dict[str, Any], name: str, frame: BodyFrame, sources: tuple[Flow, ...]
    ) -> Callable[[int], None]:
        """What puts a unit of the row into the network, by its number from 0."""
        args = built

        def walk_unit(unit: int) -> None:
            nonlocal args
            if unit == 1:
                args = self.built(frame.scope, self.later(frame))
                args.pop(self.table.repeat or "", None)
            inner = frame.inner(name)
            inner.see_sizes()
            frame.expansion.count(self.place)
            taken = (inner.flow, *sources[1:]) if sources else ()
            apply(self.callee, args, self.place, inner, f"unit{unit + 1}", taken)
            frame.flow = inner.flow

        return walk_unit


def _walk_row(table: TableRows, cells: dict[str, Value | None], place: Step, frame: BodyFrame) -> None:
    given = {k: v for k, v in cells.items() if k not in CALLEE and k not in BESIDE}
    callee = next((str(cells[key]) for key in CALLEE if key in cells), table.block or "")
    sources = tuple(frame.value_of(label, "from", place.value_at("from")) for label in labels_of(cells.get("from")))
    if sources:
        frame.flow = sources[0]
        frame.see_sizes()
    before = frame.flow.tensor
    given_values = frame.values({k: v for k, v in given.items() if v is not None}, callee)
    nominal = {k: given_values.get(k) for k in given}
    row = RowCall(table, callee, nominal, place)
    built = row.built(frame.scope)
    label = None if cells.get("as") is None else str(cells["as"])
    inside: Mapping[str, Flow] = {}
    if table.repeat is None:
        shared = next(((label, place.value_at("share")) for label in labels_of(cells.get("share"))), None)
        inside = apply(callee, built, place, frame, label, sources, shared)
        name = frame.flow.name
    else:
        times = built.pop(table.repeat, None)
        name = frame.name(label or callee, place if label else None)
        frame.expansion.containers[name] = Container("repeat")
        walk_units(table.repeat, times, row.unit(built, name, frame, sources), frame, place.value_at(table.repeat))
    frame.keep(label, inside)
    after = frame.flow.tensor
    for key in ("from", "share"):
        if key in cells:
            nominal[key] = ", ".join(labels_of(cells[key])) or None
    frame.expansion.traces.append(Trace(tuple(cells), name, callee, nominal, built, id(table), before, after))
