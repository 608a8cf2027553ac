"""Repetitions, and the tables of a paper: loops in the constructor."""

from collections.abc import Callable, Mapping
from typing import Any

from archspec.emit import children, code
from archspec.emit.bodies import expressions
from archspec.emit.code import INT, Code
from archspec.emit.expression import Reader
from archspec.emit.frame import TENSOR, Frame, variables
from archspec.emit.joins import Joins
from archspec.emit.scope import dimensions
from archspec.emit.statements import Assign, For, Lines, Table, Unpack, targets
from archspec.errors import ArchspecError
from archspec.graph.names import attribute
from archspec.language.check import CALLEE, FLOWING, MAX_REPEAT, arguments
from archspec.language.document import Repeat, Rows
from archspec.language.document import Table as TableStep


class Tables(Joins):
    """The part of the walk that writes loops."""

    def _repeat(self, step: Repeat, frame: Frame) -> None:
        times = frame.scope.whole(self.reader(frame).expression(step.repeat))
        name = self.local(step.as_ or "repeat", frame)
        owner = self.sequential(name, frame)
        label = f"{step.as_ or 'repeat'}_unit"

        def unit(inner: Frame, number: Code) -> None:
            env = {step.index: number} if step.index else {}
            self.container(children.unit(number), step.body, inner, {}, label, env)

        before = dict(frame.named)
        shared = self.shared(step.body, frame)
        self._times(times, step.index or "i", owner, frame, unit)
        if shared is None:
            self._pass(name, frame)
        else:
            self._through(name, shared, before, frame)
        self.remember(step.as_, frame)

    def _through(self, name: Any, shared: tuple[list[str], list[str]], before: Mapping[str, Any], frame: Frame) -> None:
        """In a forward, what flows and the values it shares go through one unit after another."""
        self.settle(frame)
        taken, given = shared
        each = frame.scope.tensor("unit")
        inputs = tuple(code.name(before[n][1], TENSOR) for n in taken)
        value = Code("call", (each, (code.name(frame.x, TENSOR), *inputs), ()), TENSOR)
        names = tuple(frame.named[n][1] for n in given)
        step = Unpack((frame.x, *names), value) if names else Assign(frame.x, value)
        frame.written().add(For((each,), Code("text", (self.reached(name, frame),), TENSOR), (step,)))

    def _times(self, times: Any, index: str, owner: str, frame: Frame, unit: Callable[[Frame, Any], None]) -> None:
        """Units one behind the other in a container."""
        inner = frame.inside(owner, None)
        if times == 1:
            unit(inner, 0)
            frame.flow, frame.does = inner.flow, True
            return
        values = range(times) if isinstance(times, int) else range(MAX_REPEAT + 1)
        number = code.name(frame.scope.counter(index), INT, values)
        entry = frame.flow
        inner.flow = self._carried(frame)
        carried = inner.flow
        inner.lines = Lines()
        unit(inner, number)
        self._carry(inner, carried)
        body = inner.lines.done()
        frame.lines.add(For((str(number),), code.call("range", times), body))
        frame.scope.release(str(number))
        frame.flow = _after(body, entry, carried)
        some = True if isinstance(times, int) and times else code.compare(times, ">", 0)
        frame.does = code.either(frame.does, some if isinstance(times, Code) else bool(times))

    def _carried(self, frame: Frame) -> tuple[Any, ...]:
        """The sizes of what flows in variables, set before the loop that changes them."""
        flow = []
        for axis, size in enumerate(frame.flow):
            later = variables(frame.flow[axis + 1 :])
            variable = frame.scope.size(axis, len(frame.flow), frame.pinned | later, current=size)
            if size != variable:
                frame.lines.add(Assign(str(variable), size))
            flow.append(variable)
        return tuple(flow)

    def _carry(self, inner: Frame, carried: tuple[Any, ...]) -> None:
        """At the end of a loop's body, the variables of the sizes get what flows out of it."""
        if not isinstance(inner.flow, tuple) or len(inner.flow) != len(carried):
            raise ArchspecError("what is repeated changes the number of axes, so that it cannot be repeated")
        changed = [(str(v), size) for v, size in zip(carried, inner.flow, strict=True) if v != size]
        depends = {v for i, (v, _) in enumerate(changed) for _, later in changed[i + 1 :] if v in variables(later)}
        if depends:
            raise ArchspecError(f"the sizes of what is repeated depend on each other ({', '.join(sorted(depends))})")
        inner.lines.add(*(Assign(variable, size) for variable, size in changed))

    def _table(self, step: TableStep, frame: Frame) -> None:
        table = step.table
        names = [column.name for column in table.columns]
        rows = [dict(zip(names, row, strict=True)) for row in table.rows]
        if len(rows) > 1 and frame.forward is None and self._uniform(table, rows):
            self._looped(table, rows, frame)
            return
        for row in rows:
            self._row(table, row, frame)

    def _uniform(self, table: Rows, rows: list[dict[str, Any]]) -> bool:
        """Whether one loop can go through the rows: all of one block or operator, named, and without gaps."""
        callees = {_callee(table, row) for row in rows}
        cells = [{k: v for k, v in row.items() if k not in CALLEE} for row in rows]
        return (
            len(callees) == 1
            and all(row.get("as") is not None for row in cells)
            and not any(set(FLOWING) & set(e.names) for row in cells for e in expressions(tuple(row.values())))
            and all(self._fillable(table, next(iter(callees)), column, rows) for column in cells[0] if column != "as")
        )

    def _fillable(self, table: Rows, callee: str, column: str, rows: list[dict[str, Any]]) -> bool:
        """Whether a column has a number in every row: its own, or the argument's default."""
        empty = any(row[column] is None for row in rows)
        built = any(other.name == column and other.built is not None for other in table.columns)
        if not empty:
            return True
        if callee not in self.document.blocks or built or column in table.after_first:
            return False
        return any(row[column] is not None for row in rows)

    def _looped(self, table: Rows, rows: list[dict[str, Any]], frame: Frame) -> None:
        """A loop over the rows of a table."""
        callee = _callee(table, rows[0])
        read = self.reader(frame)
        columns = [name for name in rows[0] if name not in CALLEE and name != "as"]
        columns = [name for name in columns if any(row[name] is not None for row in rows)]
        cells = {name: [self._filled(callee, name, row[name], read) for row in rows] for name in columns}
        kinds = {name: {code.kind_of(value) for value in values} for name, values in cells.items()}
        if any(len(kind) > 1 and not kind <= {INT, code.NONE} for kind in kinds.values()):
            for row in rows:
                self._row(table, row, frame)
            return
        labels = [attribute(str(row["as"])) for row in rows]
        for label in labels:
            self.local(str(label), frame)
        scope = frame.scope
        loop = {
            name: code.name(scope.column(name), frozenset().union(*kinds[name]), _values(values))
            for name, values in cells.items()
        }
        named = code.name(scope.column("name"), code.WORD)
        order = {name: loop.get(name, named) for name in rows[0] if name == "as" or name in loop}
        header = tuple("as" if name == "as" else name for name in order)
        listed = tuple(tuple(labels[i] if name == "as" else cells[name][i] for name in order) for i in range(len(rows)))
        entry = frame.flow
        inner = frame.inside(frame.owner, None)
        inner.flow = self._carried(frame)
        carried = inner.flow
        inner.lines = Lines()
        self._made_of_row(table, callee, loop, named, self._entry(table, (), inner), inner)
        self._carry(inner, carried)
        body = inner.lines.done()
        frame.lines.add(For(tuple(map(str, order.values())), Table(header, listed), body))
        for variable in order.values():
            scope.release(str(variable))
        frame.flow, frame.does = _after(body, entry, carried), True

    def _filled(self, callee: str, column: str, cell: Any, read: Reader) -> Any:
        """A cell; where it is empty, the default of the argument, or None where that has to be computed."""
        if cell is not None:
            return read.value(cell)
        return self.facts.constant(self.document.blocks[callee].args[column])

    def _row(self, table: Rows, row: dict[str, Any], frame: Frame) -> None:
        """One row of a table by itself."""
        callee = _callee(table, row)
        flow = self._entry(table, tuple(row.values()), frame)
        read = self.reader(frame, flow)
        given = {k: v for k, v in row.items() if k not in CALLEE and k != "as"}
        nominal = {k: None if v is None else read.value(v) for k, v in given.items()}
        label = None if row.get("as") is None else str(row["as"])
        self._made_of_row(table, callee, nominal, label, flow, frame)
        self.remember(label, frame)

    def _made_of_row(
        self, table: Rows, callee: str, nominal: Mapping[str, Any], label: Any, flow: tuple[Any, ...], frame: Frame
    ) -> None:
        """What a row is made of, once or several times; its numbers, or the variables of a loop over rows."""
        built = self._built(table, nominal, frame, flow)
        if table.repeat is None:
            if isinstance(label, Code):
                self._applied_to_row(callee, built, label, frame)
            else:
                self.apply(callee, built, label, frame)
            return
        times = frame.scope.whole(built.pop(table.repeat))
        later = built
        if table.after_first:
            read = self.reader(frame, flow)
            second = {key: read.value(value) for key, value in table.after_first.items()}
            later = self._built(table, {**nominal, **second}, frame, flow)
            later.pop(table.repeat)
        name = label if isinstance(label, Code) else self.local(label or callee, frame)
        owner = self.sequential(name, frame)

        def unit(inner: Frame, number: Any) -> None:
            first = code.compare(number, "==", 0) if isinstance(number, Code) else True
            accepted = set(arguments(self.document, callee)[0])
            if set(built) & accepted != set(later) & accepted:
                raise ArchspecError("after_first gives an argument that the first repetition leaves at its default")
            args = {key: code.choose(first, built[key], later[key]) for key in built if key in accepted}
            self._applied_to_row(callee, args, children.unit(number), inner)

        self._times(times, "i", owner, frame, unit)
        self._pass(name, frame)

    def _applied_to_row(self, callee: str, args: Mapping[str, Any], name: Any, frame: Frame) -> None:
        if callee in self.document.blocks:
            self._block(callee, args, name, frame)
        else:
            self._operator(callee, args, name, frame)

    def _entry(self, table: Rows, cells: tuple[Any, ...], frame: Frame) -> tuple[Any, ...]:
        """The sizes that a row's expressions mean by in_channels: those before its first repetition."""
        values = (*(column.built for column in table.columns), *table.after_first.values(), *cells)
        if table.repeat is None or not any(set(FLOWING) & set(expression.names) for expression in expressions(values)):
            return tuple(frame.flow)
        kept = []
        for axis, size in enumerate(frame.flow):
            variable = frame.scope.variable(f"in_{dimensions(len(frame.flow))[axis]}")
            frame.lines.add(Assign(variable, size))
            kept.append(code.name(variable))
        return tuple(kept)

    def _built(self, table: Rows, nominal: Mapping[str, Any], frame: Frame, flow: tuple[Any, ...]) -> dict[str, Any]:
        """What the header makes of the numbers of a row; empty cells are left out."""
        values = {key: value for key, value in nominal.items() if value is not None}
        headers = {column.name: column.built for column in table.columns}
        inner = frame.inside(frame.owner, None, values)
        read = self.reader(inner, flow)
        return {
            key: value if (header := headers.get(key)) is None else read.expression(header)
            for key, value in values.items()
        }


def _callee(table: Rows, row: Mapping[str, Any]) -> str:
    return next((str(row[key]) for key in CALLEE if key in row), table.block or "")


def _values(cells: list[Any]) -> tuple[Any, ...] | None:
    found: dict[Any, Any] = {}
    for cell in cells:
        known = (cell,) if not isinstance(cell, Code) else code.known_values(cell)
        if known is None or variables(cell if isinstance(cell, tuple) else ()):
            return None
        found |= {(type(value), value): value for value in known}
    return tuple(found.values())


def _after(body: Any, entry: tuple[Any, ...], carried: tuple[Any, ...]) -> tuple[Any, ...]:
    """The sizes behind a loop: those before it where the loop does not change them."""
    changed = targets(body)
    return tuple(variable if str(variable) in changed else size for size, variable in zip(entry, carried, strict=True))
