"""What can be known of the steps of a body: each kind by what is its own, all by what they say of themselves."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from archspec import ops
from archspec.errors import Mark, SpecError
from archspec.language.document import Document
from archspec.language.names import DocumentNames
from archspec.language.rules import (
    any_inputs,
    argument_faults,
    arguments,
    block_inputs,
    field_faults,
    from_fault,
    label_of,
    labels_of,
    repeat_fault,
    value_mark,
    written_of,
)
from archspec.language.steps import (
    BESIDE,
    CALLEE,
    STEP_KEYS,
    Body,
    Call,
    Group,
    Join,
    Repeat,
    Step,
    TableRows,
    TableStep,
    Use,
    When,
    callee_of,
    within,
)
from archspec.language.synonyms import operator_meant
from archspec.language.values import NAME, Value
from archspec.writing import printable

BRANCHES = ("then", "else", "with", "body", "as", "from", "let")
"""Keys that stand beside others in a step: nobody misspells an operator so."""


class Steps:
    """The check of a document's bodies."""

    def __init__(self, document: Document, names: DocumentNames) -> None:
        self.document, self.names = document, names
        self._bodies: dict[int, tuple[Body, dict[str, list[str | None]]]] = {}
        self._paths: dict[tuple[str, str], str] = {}

    def faults(self, body: Body, known: set[str], inputs: tuple[str, ...] = ("input",)) -> Iterator[SpecError]:
        """The faults of a body of the network or of a block, whose steps see these names, and these inputs."""
        yield from self._body(body, known)
        for step in within(body):
            for label, at in self.sources(step):
                yield from self.label(label, body, inputs, "from", at)
            for label, at in self._shares(step):
                yield from self.label(label, body, (), "share", at)

    def sources(self, step: Step) -> Iterator[tuple[str, Mark | None]]:
        """The values that a step goes back to: those under `from`, and those that a block takes by name."""
        yield from step.sources()
        if isinstance(step, TableStep):
            yield from self._sources_of_rows(step.table)
        for name, value in self._taken(step).items():
            if label := label_of(value):
                yield label, value_mark(value) or step.key_at(name)

    def _taken(self, step: Step) -> dict[str, Value]:
        """The arguments of a call that are no expressions, but values that a block takes."""
        if not isinstance(step, (Call, Use)):
            return {}
        names = block_inputs(self.document, step.name) if isinstance(step, Call) else any_inputs(self.document)
        return {name: step.args[name] for name in names if name in step.args}

    def _shares(self, step: Step) -> Iterator[tuple[str, Mark | None]]:
        """The steps whose weights a step has."""
        if isinstance(step, (Call, Use)) and step.share:
            yield step.share, step.value_at("share")
        elif isinstance(step, TableStep):
            for cells in step.table.cells():
                yield from ((label, value_mark(cells["share"])) for label in labels_of(cells.get("share")))

    def _sources_of_rows(self, table: TableRows) -> Iterator[tuple[str, Mark | None]]:
        for cells in table.cells():
            for label in labels_of(cells.get("from")):
                yield label, value_mark(cells.get("from"))
            for name in block_inputs(self.document, callee_of(table, cells)):
                if cells.get(name) is not None and (found := label_of(cells[name])):
                    yield found, value_mark(cells[name])

    def label(self, label: str, body: Body, inputs: tuple[str, ...], key: str, at: Mark | None) -> Iterator[SpecError]:
        """The fault of a value that nothing in a body has; of a path, that of the part that is not there."""
        missing = self._missing(label, body, inputs, "in this body")
        if missing:
            yield SpecError(f"{key}: {missing}", at)

    def untaken(self, body: Body, inputs: Mapping[str, Mark | None]) -> Iterator[SpecError]:
        """The faults of inputs that no step of a body takes; where each is named."""
        asked = {label for step in within(body) for label, _ in self.sources(step)}
        for name, at in inputs.items():
            if name not in asked:
                yield SpecError(f"inputs: nothing takes '{name}'; a step takes it by 'from: {name}'", at)

    def _missing(self, label: str, body: Body, inputs: tuple[str, ...], where: str) -> str:
        """What a message says of a name, or path, of which a body knows nothing; nothing if it does."""
        first, _, rest = label.partition("/")
        if not rest and first in inputs:
            return ""
        calls = self._named(body)
        if first not in calls:
            labels = [*(() if rest else inputs), *calls]
            hint = self.names.suggest(first, labels) or f"; its names are {', '.join(sorted(labels)[:20])}"
            return f"nothing {where} is called '{first}'{hint if labels else ''}"
        if not rest or None in calls[first]:
            return ""
        blocks = [name for name in calls[first] if name in self.document.blocks]
        if not blocks:
            return f"'{first}' is no block that is called once; a path goes into one"
        found = [self._missing_in(str(name), rest) for name in blocks]
        return found[0] if all(found) else ""

    def _missing_in(self, block: str, path: str) -> str:
        """The same of a path inside a block; each is looked for once, for paths could branch."""
        if (block, path) not in self._paths:
            body = () if self.document.blocks[block].broken else self.document.blocks[block].body
            self._paths[block, path] = self._missing(path, body, (), f"in '{block}'") if body else ""
        return self._paths[block, path]

    def _named(self, body: Body) -> dict[str, list[str | None]]:
        """By the names of a body, what the steps are made of: a block or operator, "" for others, None if unknown."""
        known = self._bodies.get(id(body))
        if known is None:
            found: dict[str, list[str | None]] = {}
            for label, callee in self._calls(body):
                found.setdefault(label, []).append(callee)
            known = self._bodies[id(body)] = (body, {label: [*dict.fromkeys(made)] for label, made in found.items()})
        return known[1]

    def _calls(self, body: Body) -> Iterator[tuple[str, str | None]]:
        for step in within(body):
            if isinstance(step, TableStep):
                for cells in step.table.cells():
                    if "as" in cells:
                        yield str(cells["as"]), "" if step.table.repeat else callee_of(step.table, cells)
                continue
            callee = step.name if isinstance(step, Call) else ""
            yield from ((label, None if isinstance(step, Use) else callee) for label in step.labels())

    def _body(self, body: Body, known: set[str]) -> Iterator[SpecError]:
        for step in body:
            if step.broken:
                continue
            labels = self._taken(step).values()
            for value, more in step.values():
                if not any(value is label for label in labels):
                    yield from self.names.value(value, known | more if more else known)
            if type(step) in _OWN:
                yield from _OWN[type(step)](self, step, known)
            for part in step.parts():
                if not part.body and part.called:
                    yield SpecError(f"{part.called} is empty; write [identity] to pass the input on", part.at)
                yield from self._body(part.body, known | part.names if part.names else known)

    def _call(self, step: Call, _: set[str]) -> Iterator[SpecError]:
        yield from self._called(step.name, step.args, step, sources=step.from_)

    def _group(self, step: Group, _: set[str]) -> Iterator[SpecError]:
        for name in step.let:
            yield from self.names.taken(name, step.key_at(f"let.{name}"))

    def _when(self, step: When, _: set[str]) -> Iterator[SpecError]:
        for _name, value, fault in self.names.constants({"when": step.when}):
            if fault:
                yield fault
            elif not isinstance(value, bool):
                yield SpecError(f"expected a condition, found {value}", step.when.at)

    def _repeat(self, step: Repeat, _: set[str]) -> Iterator[SpecError]:
        for _name, value, fault in self.names.constants({"repeat": step.repeat}):
            reason = None if fault else repeat_fault("repeat", value)
            if fault or reason:
                yield fault or SpecError(str(reason), step.repeat.at)
        if step.index:
            yield from self.names.taken(step.index, step.value_at("index"))
        if step.index and step.shared:
            said = "units with the same weights are alike; leave out index, or shared"
            yield SpecError(said, step.value_at("shared"))

    def _join(self, step: Join, _: set[str]) -> Iterator[SpecError]:
        if not step.branches:
            yield SpecError(f"{step.operator} needs branches", step.at)
        if ops.find(step.operator):
            yield from self._given(step.operator, step.args, step)
        else:
            yield from self._unknown(step.operator, step.at)

    def _called(
        self,
        callee: str,
        args: Mapping[str, Value],
        step: Step,
        at: Mark | None = None,
        sources: tuple[str, ...] | None = None,
    ) -> Iterator[SpecError]:
        block = self.document.blocks.get(callee)
        operator = ops.find(callee) if block is None else None
        if operator is not None and operator.arity == "many" and not sources:
            yield SpecError(f"'{callee}' takes branches: {callee}: [[…], […]]", step.at)
        elif block is None and operator is None:
            yield from self._unknown(callee, at or step.key_at(callee))
        elif block is None or not block.broken:
            if sources and (fault := from_fault(self.document, callee, len(sources))):
                yield SpecError(fault, step.value_at("from"))
            yield from self._given(callee, args, step, sources)
            for name in block_inputs(self.document, callee):
                if name in args and label_of(args[name]) is None:
                    meant = "expected a name given by 'as', or a path of such names"
                    yield SpecError(f"{name}: {meant}, found {written_of(args[name])}", step.value_at(name))

    def _unknown(self, callee: str, at: Mark | None) -> Iterator[SpecError]:
        known = [*ops.registered(), *self.document.blocks]
        steps = [] if callee in BRANCHES else [key for key in STEP_KEYS if key not in BRANCHES]
        suggestion = (
            self.names.suggest(callee, list(self.document.blocks))
            or operator_meant(callee)
            or self.names.suggest(callee, [*known, *steps])
        )
        yield SpecError(f"unknown operator or block '{printable(callee, 80)}'{suggestion}", at)

    def _given(
        self, callee: str, args: Mapping[str, Value], step: Step, sources: tuple[str, ...] | None = None
    ) -> Iterator[SpecError]:
        """The arguments that an operator or a block does not have, or needs; and those that it cannot take."""
        for name, fault in argument_faults(self.document, callee, args, len(sources or ())):
            yield SpecError(fault, step.at if name is None else step.key_at(name))
        if callee in ops.registered():
            allowed, _ = arguments(self.document, callee)
            yield from self._fields(callee, {name: args[name] for name in args if name in allowed}, step)

    def _fields(self, callee: str, args: Mapping[str, Value], step: Step) -> Iterator[SpecError]:
        """The arguments of an operator that depend on nothing and cannot be what they are."""
        values = {}
        for name, value, fault in self.names.constants(args):
            if fault:
                yield fault
            else:
                values[name] = value
        for name, reason in field_faults(callee, values):
            yield SpecError(f"{callee}: {name} {reason}", value_mark(args.get(name)) or step.key_at(name))

    def _table(self, step: TableStep, known: set[str]) -> Iterator[SpecError]:
        table = step.table
        if table.broken or any(column.broken for column in table.columns):
            return
        columns = [column.name for column in table.columns]
        yield from self._header(table, columns, known)
        callees = [name for name in columns if name in CALLEE]
        if len(callees) + (table.block is not None) != 1:
            yield SpecError(
                "a table needs one column 'block' (or 'operator'), or a key 'block' for all rows",
                table.key_at("block" if table.block else "columns"),
            )
            return
        if not table.rows:
            yield SpecError("rows: the table has none", table.key_at("rows"))
        for number, row in enumerate(table.rows):
            yield from self._row(table, columns, row, table.key_at(f"rows[{number}]"), known)

    def _header(self, table: TableRows, columns: list[str], known: set[str]) -> Iterator[SpecError]:
        for number, column in enumerate(table.columns):
            if column.name in columns[:number]:
                yield SpecError(f"the column '{column.name}' stands here twice", column.at)
            if column.built is not None:
                yield from self.names.expression(column.built, known | set(columns))
        if table.repeat is not None and table.repeat not in columns:
            hint = self.names.suggest(table.repeat, columns)
            yield SpecError(f"repeat: there is no column '{table.repeat}'{hint}", table.value_at("repeat"))
        for name, value in table.after_first.items():
            if name not in columns:
                hint = self.names.suggest(name, columns)
                at = table.key_at(f"after_first.{name}")
                yield SpecError(f"after_first: there is no column '{name}'{hint}", at)
            yield from self.names.value(value, known | set(columns))

    def _beside(self, cells: Mapping[str, Value | None], table: TableRows, at: Mark | None) -> Iterator[SpecError]:
        """The cells that are names: what the row is called, what it takes, and whose weights it has."""
        label, source, share = cells["as"], cells["from"], cells["share"]
        if label is not None and not NAME.match(str(label)):
            yield SpecError(f"as: expected a name, found '{printable(label, 40)}'", value_mark(label) or at)
        parts = source if isinstance(source, tuple) else () if source is None else (source,)
        if len(labels_of(source)) < len(parts):
            yield SpecError(f"from: expected a name, or a list of them, found {written_of(source)}", at)
        if share is not None and label_of(share) is None:
            yield SpecError(f"share: expected a name, found {written_of(share)}", at)
        elif share is not None and table.repeat is not None:
            yield SpecError("share: a row of a table with 'repeat' cannot have the weights of another", at)

    def _row(
        self, table: TableRows, columns: list[str], row: tuple[Value | None, ...], at: Mark | None, known: set[str]
    ) -> Iterator[SpecError]:
        if len(row) != len(columns):
            yield SpecError(f"the row has {len(row)} cells, the header {len(columns)}: {', '.join(columns)}", at)
            return
        cells = dict(zip(columns, row, strict=True))
        callee = next((cells.pop(key) for key in CALLEE if key in cells), table.block)
        if callee is None:
            yield SpecError("block: the cell is empty; it says what the row is made of", at)
            return
        sources = labels_of(cells.get("from"))
        yield from self._beside({key: cells.pop(key, None) for key in BESIDE}, table, at)
        if table.repeat is not None and table.repeat in columns:
            times = cells.pop(table.repeat, None)
            if times is None:
                yield SpecError(f"{table.repeat}: the cell is empty; it says how often", at)
            yield from self.names.value(times, known)
        given = {key: value for key, value in cells.items() if value is not None}
        inputs = block_inputs(self.document, str(callee))
        for key, value in given.items():
            if key not in inputs:
                yield from self.names.value(value, known)
        where = Step().placed(at, {key: mark for key, value in given.items() if (mark := value_mark(value))})
        built = {column.name: column.built for column in table.columns if column.built and column.name in given}
        mark = value_mark(callee) if not table.block else None
        yield from self._called(str(callee), {**given, **built}, where, mark, sources)


_OWN: Mapping[type[Step], Callable[[Steps, Any, set[str]], Iterator[SpecError]]] = {
    Call: Steps._call,
    Group: Steps._group,
    When: Steps._when,
    Repeat: Steps._repeat,
    TableStep: Steps._table,
    Join: Steps._join,
}
"""What only one kind of step can be faulted for."""
