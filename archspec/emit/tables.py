"""The tables of a paper: a loop over the rows where one can go through them, else a line for each row."""

from collections.abc import Mapping
from dataclasses import replace
from functools import reduce
from typing import Any

from archspec.emit import children, code
from archspec.emit.code import INT, WORD, Code
from archspec.emit.containers import sequential
from archspec.emit.facts import merged_values
from archspec.emit.frame import Frame
from archspec.emit.loops import loop, repeated, through_each
from archspec.emit.modules import Asked, apply, apply_as, read_args, taken
from archspec.errors import ArchspecError
from archspec.graph.names import attribute
from archspec.language.document import TableRows, TableStep
from archspec.language.rules import FLOWING, arguments, expressions, label_of, labels_of
from archspec.language.steps import BESIDE, CALLEE, callee_of

Row = Mapping[str, Any]


def write_table(step: TableStep, frame: Frame) -> None:
    """The rows of a table."""
    table = step.table
    rows = [dict(zip((column.name for column in table.columns), row, strict=True)) for row in table.rows]
    one_loop = len(rows) > 1 and frame.forward is None and _uniform(table, rows, frame)
    cells = _cells(callee_of(table, rows[0]), rows, frame) if one_loop else None
    if cells is not None:
        _looped(table, callee_of(table, rows[0]), cells, frame)
        return
    for row in rows:
        _row(table, row, frame)


def _uniform(table: TableRows, rows: list[dict[str, Any]], frame: Frame) -> bool:
    """Whether one loop can go through the rows: all of one block or operator, named, and without gaps."""
    callees = {callee_of(table, row) for row in rows}
    cells = [{k: v for k, v in row.items() if k not in CALLEE} for row in rows]
    return (
        len(callees) == 1
        and all(row.get("as") is not None for row in cells)
        and not any(set(FLOWING) & set(e.names) for row in cells for e in expressions(tuple(row.values())))
        and all(_fillable(table, next(iter(callees)), column, rows, frame) for column in cells[0] if column != "as")
    )


def _fillable(table: TableRows, callee: str, column: str, rows: list[dict[str, Any]], frame: Frame) -> bool:
    """Whether a column has a number in every row: its own, or the argument's default."""
    if all(row[column] is not None for row in rows):
        return True
    built = any(other.name == column and other.built is not None for other in table.columns)
    if callee not in frame.facts.document.blocks or built or column in table.after_first:
        return False
    return any(row[column] is not None for row in rows)


def _cells(callee: str, rows: list[dict[str, Any]], frame: Frame) -> dict[str, list[Any]] | None:
    """By column, the code of its cells; None where those of one column are of several kinds.

    An empty cell has the default of the argument, or None where that has to be computed.
    """
    cells: dict[str, list[Any]] = {}
    for name in rows[0]:
        found = [row[name] for row in rows]
        if name == "as":
            cells[name] = [attribute(str(label)) for label in found]
        elif name not in CALLEE and any(cell is not None for cell in found):
            default = None if None not in found else frame.facts.document.blocks[callee].args[name]
            cells[name] = [frame.facts.constant(default) if cell is None else frame.read(cell) for cell in found]
            kinds = {code.kind_of(value) for value in cells[name]}
            if len(kinds) > 1 and not kinds <= {INT, code.NONE}:
                return None
    return cells


def _looped(table: TableRows, callee: str, cells: dict[str, list[Any]], frame: Frame) -> None:
    """A loop over the rows of a table."""
    for label in cells["as"]:
        children.child_name(label, frame)
    variables = {name: _variable(name, values, frame) for name, values in cells.items()}
    inner = frame.inside(frame.owner)

    def rounds() -> None:
        loops = {name: value for name, value in variables.items() if name != "as"}
        _made_of_row(table, Asked(callee, loops), variables["as"], _entry(table, (), inner), inner)

    rows = tuple(zip(*cells.values(), strict=True))
    loop(tuple(map(str, variables.values())), rows, inner, frame, rounds)
    frame.does = code.either(frame.does, inner.does)


def _variable(name: str, cells: list[Any], frame: Frame) -> Code:
    """The variable of a column."""
    if name == "as":
        return frame.scope.new("name", WORD)
    values = reduce(merged_values, map(code.known_values, cells))
    return frame.scope.new(name, frozenset().union(*map(code.kind_of, cells)), values)


def _row(table: TableRows, row: Row, frame: Frame) -> None:
    """One row of a table by itself."""
    callee = callee_of(table, dict(row))
    given = {k: v for k, v in row.items() if k not in (*CALLEE, *BESIDE) and v is not None}
    values = taken(callee, labels_of(row.get("from")), given, frame)
    flow = _entry(table, tuple(row.values()), frame)
    nominal = Asked(callee, read_args(callee, given, frame, flow), values)
    label = None if row.get("as") is None else str(row["as"])
    _made_of_row(table, nominal, label, flow, frame, label_of(row.get("share")))
    frame.keep(label)


def _made_of_row(
    table: TableRows, nominal: Asked, label: Any, flow: tuple[Any, ...], frame: Frame, share: str | None = None
) -> None:
    """What a row is made of, once or several times; its numbers, or the variables of a loop over rows."""
    callee, built = nominal.callee, _built(table, nominal.args, frame, flow)
    if table.repeat is None:
        asked = replace(nominal, args=built)
        if isinstance(label, Code):
            apply_as(label, asked, frame)
        else:
            apply(asked, label, frame, share)
        return
    times = frame.scope.whole(built.pop(table.repeat))
    second = {key: frame.read(value, flow, nominal.args) for key, value in table.after_first.items()}
    later = _built(table, {**nominal.args, **second}, frame, flow)
    later.pop(table.repeat)
    name = label if isinstance(label, Code) else children.child_name(label or callee, frame)

    def unit(inner: Frame, number: Any) -> None:
        first = code.compare(number, "==", 0) if isinstance(number, Code) else True
        accepted = set(arguments(frame.facts.document, callee)[0])
        if set(built) & accepted != set(later) & accepted:
            raise ArchspecError("after_first gives an argument that the first repetition leaves at its default")
        args = {key: code.choose(first, built[key], later[key]) for key in built if key in accepted}
        apply_as(children.unit_name(number), replace(nominal, args=args), inner)

    if nominal.values and callee not in frame.facts.document.blocks:
        raise ArchspecError(f"{callee} joins several values and cannot be repeated")
    repeated(times, "i", sequential(name, frame), frame, unit)
    through_each(name, nominal.tensors, frame)


def _entry(table: TableRows, cells: tuple[Any, ...], frame: Frame) -> tuple[Any, ...]:
    """The sizes that a row's expressions mean by in_channels: those before its first repetition."""
    values = (*(column.built for column in table.columns), *table.after_first.values(), *cells)
    if table.repeat is None or not any(set(FLOWING) & set(expression.names) for expression in expressions(values)):
        return tuple(frame.flow)
    return frame.variable_sizes(frame.flow, prefix="in_")


def _built(table: TableRows, nominal: Row, frame: Frame, flow: tuple[Any, ...]) -> dict[str, Any]:
    """What the header makes of the numbers of a row."""
    headers = {column.name: column.built for column in table.columns}
    return {
        key: value if (header := headers.get(key)) is None else frame.read(header, flow, nominal)
        for key, value in nominal.items()
    }
