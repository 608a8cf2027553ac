"""Repetitions: loops in the constructor, and in a forward where values are shared with what is repeated.

The tables of a paper are a loop over the rows where one can go through them, else a line for each row.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from functools import reduce
from typing import Any

from archspec.emit import code, naming
from archspec.emit.code import INT, WORD, Code
from archspec.emit.containers import call_child, child_code, container, sequential, shared_values
from archspec.emit.facts import merged_values
from archspec.emit.frame import UNTOLD, Either, Frame, Named, call_module
from archspec.emit.modules import Asked, apply, apply_as, read_args, taken
from archspec.emit.statements import Assign, For, Lines, Refuse, targets
from archspec.errors import ArchspecError
from archspec.graph.names import attribute
from archspec.language.document import Repeat, TableRows, TableStep
from archspec.language.rules import FLOWING, MAX_REPEAT, arguments, expressions, label_of, labels_of
from archspec.language.steps import BESIDE, CALLEE, callee_of


def write_repeat(step: Repeat, frame: Frame) -> None:
    """Steps several times over, each time in a module of their own."""
    times = frame.scope.whole(frame.read(step.repeat))
    name = naming.child_name(step.as_ or "repeat", frame)
    owner = sequential(name, frame)
    label = f"{step.as_ or 'repeat'}_unit"

    def unit(inner: Frame, number: Any) -> None:
        inner.env |= {step.index: number} if step.index else {}
        container(naming.unit_name(number), step.body, inner, label)

    before, handed = dict(frame.named), shared_values(step.body, frame)
    if step.shared:
        _again(name, times, any(handed), lambda: repeated(1, "i", owner, frame, unit), frame)
    else:
        repeated(times, step.index or "i", owner, frame, unit)
        if any(handed):
            _through(name, handed, before, frame, surely=_any(times) is True)
        else:
            call_child(name, frame)
    frame.keep(step.as_)


def _any(times: Any) -> Any:
    """Whether there is a unit at all."""
    return times > 0 if isinstance(times, int) else code.compare(times, ">", 0)


def _again(name: Any, times: Any, hands: bool, unit: Callable[[], None], frame: Frame) -> None:
    """In a forward, what flows goes through the one unit so often.

    Raises:
        ArchspecError: A unit goes back to a value from outside it, or gives another number of axes than it takes.
    """
    if hands:
        raise ArchspecError("shared: a unit goes back to a value from outside it, or gives one")
    entry, did = frame.flow, frame.does
    unit()
    frame.does = code.either(did, code.both(_any(times), frame.does))
    if isinstance(entry, Either) or isinstance(frame.flow, Either) or len(frame.flow) != len(entry):
        raise ArchspecError("shared: a unit gives another number of axes than it takes")
    pairs = [(a, b) for a, b in zip(entry[1:], frame.flow[1:], strict=True) if a != b]
    if pairs:  # written in another way, and the same in a network that there is
        differs = code.either(*(code.compare(a, "!=", b) for a, b in pairs))
        frame.lines.add(Refuse(differs, ("a unit that is shared must give the shape that it takes",)))
    frame.flow = entry
    often = frame.scope.flag("times", times, frame.lines) if code.names(times) else times
    _each("round", code.call("range", often), child_code(name, frame), frame)


def _through(
    name: Any, handed: tuple[list[str], list[str]], before: Mapping[str, Named], frame: Frame, *, surely: bool
) -> None:
    """In a forward, what flows and the values it shares go through one unit after another.

    Where there may be no unit, a value of theirs stands for what flows, until there is one: nobody asks for it.
    """
    taken, given = handed
    given = [label for label in given if label in frame.named and frame.named[label] != before.get(label)]
    entry = {label: before[label][1] for label in taken}
    for label in given:
        if label in before:  # the units hand it on to each other
            entry[label] = frame.named[label][1]
            frame.written().set(entry[label], before[label][1])
        elif not surely:
            frame.written().set(frame.named[label][1], frame.x)
    changed = tuple(str(frame.named[label][1]) for label in given)
    _each("unit", child_code(name, frame), None, frame, tuple(entry[label] for label in taken), changed)


def through_each(name: Any, more: tuple[Code, ...], frame: Frame) -> None:
    """In a forward, what flows goes through one unit after another, and the same other values into each."""
    if more:
        _each("unit", child_code(name, frame), None, frame, more)
    else:
        call_child(name, frame)


def _each(
    want: str,
    over: Code,
    module: Code | None,
    frame: Frame,
    more: tuple[Code, ...] = (),
    changed: tuple[str, ...] = (),
) -> None:
    """In a forward, a loop in which what flows goes through the one module of all rounds, or through each of several.

    With it go `more` values in, and values for the `changed` variables out.
    """
    each = frame.scope.tensor(None, want)
    flowing = frame.set(frame.x, near=frame.x)
    step = Assign((str(flowing), *changed), call_module(each if module is None else module, flowing, *more))
    frame.written().add(For((str(each),), over, (step,)))
    frame.x = flowing


def repeated(times: Any, index: str, owner: Code, frame: Frame, unit: Callable[[Frame, Any], None]) -> None:
    """Units one behind the other in a container."""
    inner = frame.inside(owner)
    if times == 1:
        unit(inner, 0)
        frame.flow, frame.does = inner.flow, code.either(frame.does, inner.does)
    if times in {0, 1}:  # no unit, not even one that could not be made
        return
    values = range(times) if isinstance(times, int) else range(MAX_REPEAT + 1)
    number = frame.scope.new(index, INT, values)
    loop((str(number),), code.call("range", times), inner, frame, lambda: unit(inner, number))
    frame.does = code.either(frame.does, code.both(_any(times), inner.does))


def loop(names: tuple[str, ...], over: Any, inner: Frame, frame: Frame, rounds: Callable[[], None]) -> None:
    """A loop in the constructor; `rounds` writes one round into `inner`, from one shape to another of its kind."""
    entry, known = frame.flow, dict(frame.named)
    if isinstance(entry, Either):
        raise ArchspecError("what is repeated has one of several numbers of axes")
    carried = inner.flow = frame.variable_sizes(entry)
    inner.lines = Lines()
    rounds()
    if not isinstance(inner.flow, tuple) or len(inner.flow) != len(carried):
        raise ArchspecError("what is repeated changes the number of axes, so that it cannot be repeated")
    _hold(inner, known, code.variables(carried))
    _carry(inner, carried)
    body = inner.lines.done()
    changed = targets(body)
    if isinstance(over, Code) and code.names(over):  # there may be no round
        given = (shape for name, (shape, _) in inner.named.items() if known.get(name, ((), None))[0] != shape)
        own = {size for shape in given for size in code.names(shape) if str(size) in changed and size not in carried}
        for size in sorted(own, key=str):
            frame.lines.set(size, 1)  # of a value that nobody has then
    frame.lines.add(For(names, over, body))
    inner.does = _any_round(inner.does, names, over, changed)
    frame.flow = tuple(
        variable if str(variable) in changed else size for size, variable in zip(entry, carried, strict=True)
    )


def _any_round(does: Any, names: tuple[str, ...], over: Any, changed: Collection[str]) -> Any:
    """Whether any round does something, by whether one of them does; the names of a round have its values."""
    sure = code.sure_truth(does)
    if sure is not None:
        return sure
    if isinstance(over, tuple):
        rows = (dict(zip(map(code.name, names), row, strict=True)) for row in over)
        does = code.either(*(code.substituted(does, row) for row in rows))
    return UNTOLD if code.variables(does) & {*names, *changed} else does


def _hold(inner: Frame, known: Mapping[str, Named], carried: frozenset[str]) -> None:
    """Before the sizes change for the next round, those of the values that a later step goes back to are kept."""
    for name, (shape, tensor) in inner.named.items():
        if known.get(name) != (shape, tensor) and isinstance(shape, tuple) and code.variables(shape) & carried:
            inner.named[name] = (inner.variable_sizes(shape, lambda size: code.variables(size) & carried), tensor)


def _carry(inner: Frame, carried: tuple[Code, ...]) -> None:
    """At the end of a loop's body, the variables of the sizes get what flows out of it."""
    changed = [(axis, v, size) for axis, (v, size) in enumerate(zip(carried, inner.flow, strict=True)) if v != size]
    for number, (axis, variable, size) in enumerate(changed):
        if any(str(before) in code.variables(size) for _, before, _ in changed[:number]):
            changed[number] = (axis, variable, inner.scope.size(axis, len(carried), size, inner.lines))
    for _, variable, size in changed:
        inner.lines.set(variable, size)


# ------------------------------------------------------------------ tables


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
        naming.child_name(label, frame)
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
    name = label if isinstance(label, Code) else naming.child_name(label or callee, frame)

    def unit(inner: Frame, number: Any) -> None:
        first = code.compare(number, "==", 0) if isinstance(number, Code) else True
        accepted = set(arguments(frame.facts.document, callee)[0])
        if set(built) & accepted != set(later) & accepted:
            raise ArchspecError("after_first gives an argument that the first repetition leaves at its default")
        args = {key: code.choose(first, built[key], later[key]) for key in built if key in accepted}
        apply_as(naming.unit_name(number), replace(nominal, args=args), inner)

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
