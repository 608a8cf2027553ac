"""The tables of a paper: a loop over the rows where one can go through them, else a line for each row."""

from collections.abc import Mapping
from typing import Any

from archspec.emit import children, code
from archspec.emit.code import INT, WORD, Code
from archspec.emit.conditions import reader
from archspec.emit.containers import call_child, sequential
from archspec.emit.frame import Frame, variables
from archspec.emit.loops import loop, repeated, through_each
from archspec.emit.modules import NONE_TAKEN, Taken, apply, apply_as, keep_value, taken
from archspec.errors import ArchspecError
from archspec.graph.names import attribute
from archspec.language.document import TableRows, TableStep
from archspec.language.rules import FLOWING, arguments, block_inputs, expressions, label_of, labels_of
from archspec.language.steps import BESIDE, CALLEE, callee_of

Row = Mapping[str, Any]


def write_table(step: TableStep, frame: Frame) -> None:
    """The rows of a table."""
    names = [column.name for column in step.table.columns]
    rows = [dict(zip(names, row, strict=True)) for row in step.table.rows]
    if len(rows) < 2 or frame.forward is not None or not _uniform(step.table, rows, frame):
        for row in rows:
            _row(step.table, row, frame)
        return
    _looped(step.table, rows, frame)


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


def _looped(table: TableRows, rows: list[dict[str, Any]], frame: Frame) -> None:
    """A loop over the rows of a table."""
    callee = callee_of(table, rows[0])
    columns = [name for name in rows[0] if name not in (*CALLEE, "as") and any(row[name] is not None for row in rows)]
    cells = {name: [_filled(callee, name, row[name], frame) for row in rows] for name in columns}
    kinds = {name: {code.kind_of(value) for value in values} for name, values in cells.items()}
    if any(len(kind) > 1 and not kind <= {INT, code.NONE} for kind in kinds.values()):
        for row in rows:
            _row(table, row, frame)
        return
    cells["as"] = [attribute(str(row["as"])) for row in rows]
    for label in cells["as"]:
        children.child_name(label, frame)
    kinds["as"] = {WORD}
    variable = {
        name: frame.scope.new(
            "name" if name == "as" else name,
            frozenset().union(*kinds[name]),
            None if name == "as" else _values(cells[name]),
        )
        for name in rows[0]
        if name in cells
    }
    listed = tuple(tuple(cells[name][number] for name in variable) for number in range(len(rows)))
    loops = {name: value for name, value in variable.items() if name != "as"}
    inner = frame.inside(frame.owner)

    def rounds() -> None:
        _made_of_row(table, callee, loops, variable["as"], _entry(table, (), inner), inner)

    loop(tuple(map(str, variable.values())), listed, inner, frame, rounds)
    frame.does = True


def _filled(callee: str, column: str, cell: Any, frame: Frame) -> Any:
    """A cell; where it is empty, the default of the argument, or None where that has to be computed."""
    if cell is not None:
        return reader(frame).value(cell)
    return frame.facts.constant(frame.facts.document.blocks[callee].args[column])


def _row(table: TableRows, row: Row, frame: Frame) -> None:
    """One row of a table by itself."""
    callee = callee_of(table, dict(row))
    given = {k: v for k, v in row.items() if k not in (*CALLEE, *BESIDE) and v is not None}
    values = taken(callee, labels_of(row.get("from")), given, frame)
    flow = _entry(table, tuple(row.values()), frame)
    read, labels = reader(frame, flow), block_inputs(frame.facts.document, callee)
    nominal = {k: read.value(v) for k, v in given.items() if k not in labels}
    label = None if row.get("as") is None else str(row["as"])
    share = label_of(row.get("share"))
    _made_of_row(table, callee, nominal, label, flow, frame, values, share)
    keep_value(label, frame)


def _made_of_row(
    table: TableRows,
    callee: str,
    nominal: Row,
    label: Any,
    flow: tuple[Any, ...],
    frame: Frame,
    values: Taken = NONE_TAKEN,
    share: str | None = None,
) -> None:
    """What a row is made of, once or several times; its numbers, or the variables of a loop over rows."""
    built = _built(table, nominal, frame, flow)
    if table.repeat is None:
        if isinstance(label, Code):
            apply_as(label, callee, built, frame)
        else:
            apply(callee, built, label, frame, values, share)
        return
    times = frame.scope.whole(built.pop(table.repeat))
    later = built
    if table.after_first:
        read = reader(frame.inside(frame.owner, {k: v for k, v in nominal.items() if v is not None}), flow)
        second = {key: read.value(value) for key, value in table.after_first.items()}
        later = _built(table, {**nominal, **second}, frame, flow)
        later.pop(table.repeat)
    name = label if isinstance(label, Code) else children.child_name(label or callee, frame)

    def unit(inner: Frame, number: Any) -> None:
        first = code.compare(number, "==", 0) if isinstance(number, Code) else True
        accepted = set(arguments(frame.facts.document, callee)[0])
        if set(built) & accepted != set(later) & accepted:
            raise ArchspecError("after_first gives an argument that the first repetition leaves at its default")
        args = {key: code.choose(first, built[key], later[key]) for key in built if key in accepted}
        apply_as(children.unit_name(number), callee, args, inner, values)

    if values.more:
        raise ArchspecError(f"{callee} joins several values and cannot be repeated")
    repeated(times, "i", sequential(name, frame), frame, unit)
    more = tuple(x for _, x in values.named.values())
    if more:
        through_each(name, more, frame)
    else:
        call_child(name, frame)


def _entry(table: TableRows, cells: tuple[Any, ...], frame: Frame) -> tuple[Any, ...]:
    """The sizes that a row's expressions mean by in_channels: those before its first repetition."""
    values = (*(column.built for column in table.columns), *table.after_first.values(), *cells)
    if table.repeat is None or not any(set(FLOWING) & set(expression.names) for expression in expressions(values)):
        return tuple(frame.flow)
    return tuple(
        frame.scope.size(axis, len(frame.flow), size, frame.lines, "in_") for axis, size in enumerate(frame.flow)
    )


def _built(table: TableRows, nominal: Row, frame: Frame, flow: tuple[Any, ...]) -> dict[str, Any]:
    """What the header makes of the numbers of a row; empty cells are left out."""
    values = {key: value for key, value in nominal.items() if value is not None}
    headers = {column.name: column.built for column in table.columns}
    read = reader(frame.inside(frame.owner, values), flow)
    return {
        key: value if (header := headers.get(key)) is None else read.expression(header) for key, value in values.items()
    }


def _values(cells: list[Any]) -> tuple[Any, ...] | None:
    """The values of a column, where they are known."""
    found: dict[Any, Any] = {}
    for cell in cells:
        known = code.known_values(cell) if isinstance(cell, Code) else (cell,)
        if known is None or (isinstance(cell, tuple) and variables(cell)):
            return None
        found |= {(type(value), value): value for value in known}
    return tuple(found.values())
