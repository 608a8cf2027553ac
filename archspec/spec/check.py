"""What can be known of a specification without running it: every name is defined, every argument is known and given."""

from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress

from archspec import ops
from archspec.errors import ArchspecError, Mark, SpecError, did_you_mean
from archspec.spec.document import (
    SIGNATURE,
    Block,
    Body,
    Call,
    Document,
    From,
    Group,
    Join,
    Lookup,
    Repeat,
    Rows,
    Step,
    Symbol,
    Table,
    Use,
    Value,
    When,
)
from archspec.spec.expression import BUILTINS, CONSTANTS, Expression, undefined

FLOWING = ("in_channels", "in_height", "in_width")
"""The sizes of what flows into a step, by the names that expressions use."""

CALLEE = ("block", "operator")
"""The columns that say what a row of a table is made of."""


def check(document: Document) -> list[SpecError]:
    """The faults that a document shows without being expanded, in no particular order."""
    return list(_Checker(document).faults())


def words(document: Document) -> frozenset[str]:
    """The names that stand for themselves: words of operators' fields, operators, blocks, choices and lookup headers."""
    choices = (c for symbol in document.symbols.values() if not symbol.broken for c in (symbol.choices or ()))
    headers = (c for lookup in document.lookups.values() if not lookup.broken for c in lookup.columns)
    return frozenset(
        word for word in (*ops.words(), *ops.names(), *document.blocks, *choices, *headers) if isinstance(word, str)
    )


def signature(text: str) -> tuple[str, tuple[str, ...]]:
    """The name and the parameters of a function's signature.

    >>> signature("width(c, d)")
    ('width', ('c', 'd'))
    """
    found = SIGNATURE.match(text)
    if found is None:
        raise ArchspecError(f"'{text}' is not a signature such as 'width(c)'")
    return found[1], tuple(name.strip() for name in (found[2] or "").split(",") if name.strip())


def arguments(document: Document, callee: str) -> tuple[list[str], list[str]]:
    """All arguments of an operator or block, and those of them that must be given.

    Raises:
        UnknownNameError: There is no such operator or block.
    """
    block = document.blocks.get(callee)
    if block is not None:
        return list(block.args), [name for name, value in block.args.items() if Block.is_required(value)]
    fields = ops.operator(callee).model_fields
    return list(fields), [name for name, field in fields.items() if field.is_required()]


class _Checker:
    def __init__(self, document: Document) -> None:
        self.document = document
        self.words = words(document)
        self.arity = {name: count for name, count in self._arities()}
        self.globals = {*document.symbols, *self.words}

    def _arities(self) -> Iterator[tuple[str, int]]:
        for text in self.document.functions:
            name, parameters = signature(text)
            yield name, len(parameters)
        for name, lookup in self.document.lookups.items():
            if not lookup.broken:
                yield name, 1 if len(lookup.columns) == 2 else 2

    def faults(self) -> Iterator[SpecError]:
        document = self.document
        yield from self._clashes()
        for name, symbol in document.symbols.items():
            yield from _check_symbol(name, symbol)
        for lookup in document.lookups.values():
            yield from _check_lookup(lookup)
        yield from self._functions()
        for size in document.input:
            yield from self._expression(size, set(document.symbols))
        yield from self._lets(document.let, self.globals)
        known = {*self.globals, *document.let}
        for name, block in document.blocks.items():
            if not block.broken:
                yield from self._block(name, block, known)
        yield from self._body(document.network, {*known, *FLOWING})
        yield from self._cycles()

    # -------------------------------------------------------------- names

    def _clashes(self) -> Iterator[SpecError]:
        document = self.document
        fixed = {*ops.words(), *CONSTANTS, *FLOWING, "input", "required"}
        for name, symbol in document.symbols.items():
            if name in fixed or name in BUILTINS:
                yield SpecError(f"the name '{name}' is taken by the language; choose another", symbol.at)
        for name, block in document.blocks.items():
            if name in ops.registered():
                yield SpecError(f"'{name}' is an operator; give the block another name", block.at)
            elif name in document.symbols:
                yield SpecError(f"'{name}' is a symbol; give the block another name", block.at)
        for text, body in document.functions.items():
            name = signature(text)[0]
            if name in BUILTINS or name in document.lookups:
                yield SpecError(f"the function '{name}' is already defined; choose another name", body.at)
        for name, lookup in document.lookups.items():
            if name in BUILTINS:
                yield SpecError(f"the function '{name}' is already defined; choose another name", lookup.at)

    def _functions(self) -> Iterator[SpecError]:
        later = dict(self.arity)
        self.arity = {name: later.pop(name) for name in self.document.lookups if name in later}
        for text, body in self.document.functions.items():
            name, parameters = signature(text)
            for called in body.called:
                if called in later:
                    yield SpecError(
                        f"'{called}' is defined only after '{name}'; a function uses those before it", body.at
                    )
            known = {**self.arity, **later}
            yield from self._expression(body, {*self.globals, *parameters}, known)
            if name in later:
                self.arity[name] = later.pop(name)

    def _lets(self, lets: dict[str, Value], known: Collection[str]) -> Iterator[SpecError]:
        names = set(known)
        for name, value in lets.items():
            yield from self._value(value, names)
            names.add(name)

    def _value(self, value: Value, known: Collection[str]) -> Iterator[SpecError]:
        for expression in _expressions(value):
            yield from self._expression(expression, known)

    def _expression(
        self, expression: Expression, known: Collection[str], arity: dict[str, int] | None = None
    ) -> Iterator[SpecError]:
        functions = self.arity if arity is None else arity
        for name in expression.names:
            if name not in known:
                yield SpecError(undefined(name, dict.fromkeys(known), {}), expression.mark_of(name))
        for name, (_, count) in expression.called.items():
            if name not in functions:
                yield SpecError(undefined(name, functions, BUILTINS, "function"), expression.mark_of(name))
            elif count != functions[name]:
                wanted = functions[name]
                yield SpecError(f"'{name}' takes {wanted} arguments (got {count})", expression.mark_of(name))

    # -------------------------------------------------------------- blocks and bodies

    def _block(self, name: str, block: Block, known: set[str]) -> Iterator[SpecError]:
        seen = {*known, *FLOWING}
        for arg, value in block.args.items():
            if not Block.is_required(value):
                yield from self._value(value, seen)
            seen.add(arg)
        yield from self._lets(block.let, seen)
        if not block.body:
            yield SpecError(
                f"the body of block '{name}' is empty; write [identity] for one that does nothing", block.at
            )
        yield from self._body(block.body, seen | set(block.let))

    def _body(self, body: Body, known: set[str]) -> Iterator[SpecError]:
        for step in body:
            if not step.broken:
                yield from self._step(step, known)

    def _step(self, step: Step, known: set[str]) -> Iterator[SpecError]:  # noqa: C901  # one branch a kind
        if isinstance(step, Call):
            yield from self._call(step.name, step.args, step, known)
        elif isinstance(step, Use):
            yield from self._expression(step.use, known)
            for value in step.args.values():
                yield from self._value(value, known)
        elif isinstance(step, Group):
            yield from self._lets(step.let, known)
            yield from self._body(step.body, known | set(step.let))
        elif isinstance(step, When):
            yield from self._expression(step.when, known)
            yield from self._body(step.then, known)
            yield from self._body(step.else_ or (), known)
        elif isinstance(step, Repeat):
            yield from self._expression(step.repeat, known)
            yield from self._body(step.body, known | ({step.index} if step.index else set()))
        elif isinstance(step, Join):
            if not step.branches:
                yield SpecError(f"{step.operator} needs branches", step.at)
            for name, branch in step.branches.items():
                if not branch:
                    yield SpecError(
                        f"{name} of {step.operator} is empty; write [identity] to pass the input on", step.at
                    )
                yield from self._body(branch, known)
        elif isinstance(step, Table) and not step.table.broken:
            yield from self._table(step.table, known)
        elif isinstance(step, From):
            return

    def _call(
        self, callee: str, args: Iterable[str] | dict[str, Value], step: Step, known: set[str]
    ) -> Iterator[SpecError]:
        at: Mark | None = step.at
        if callee not in self.document.blocks and callee not in ops.registered():
            suggestion = did_you_mean(callee, [*ops.registered(), *self.document.blocks])
            yield SpecError(f"unknown operator or block '{callee}'{suggestion}", at)
            return
        if isinstance(args, dict):
            for value in args.values():
                yield from self._value(value, known)
        block = self.document.blocks.get(callee)
        if block is not None and block.broken:
            return
        yield from self._arguments(callee, list(args), step)

    def _arguments(self, callee: str, given: list[str], step: Step) -> Iterator[SpecError]:
        if callee in ops.registered() and ops.registered()[callee].arity == "many":
            yield SpecError(f"'{callee}' takes branches: {callee}: [[…], […]]", step.at)
            return
        allowed, required = arguments(self.document, callee)
        for name in given:
            if name not in allowed:
                takes = did_you_mean(name, allowed) or (
                    f"; it takes {', '.join(allowed)}" if allowed else "; it takes none"
                )
                yield SpecError(f"'{callee}' has no argument '{name}'{takes}", step.key_at(name))
        missing = [name for name in required if name not in given]
        if missing:
            yield SpecError(f"'{callee}' needs {' and '.join(repr(name) for name in missing)}", step.at)

    def _table(self, table: Rows, known: set[str]) -> Iterator[SpecError]:
        columns = [column.name for column in table.columns]
        for column in table.columns:
            if columns.count(column.name) > 1:
                yield SpecError(f"the column '{column.name}' stands here twice", column.at)
            if column.built is not None:
                yield from self._expression(column.built, known | set(columns))
        if table.repeat is not None and table.repeat not in columns:
            yield SpecError(
                f"repeat: there is no column '{table.repeat}'{did_you_mean(table.repeat, columns)}", table.at
            )
        callees = [index for index, name in enumerate(columns) if name in CALLEE]
        if len(callees) + (table.block is not None) != 1:
            yield SpecError("a table needs one column 'block' (or 'operator'), or a key 'block' for all rows", table.at)
            return
        for name in table.after_first:
            if name not in columns:
                yield SpecError(f"after_first: there is no column '{name}'{did_you_mean(name, columns)}", table.at)
        for value in table.after_first.values():
            yield from self._value(value, known)
        for row in table.rows:
            yield from self._row(table, columns, row, known)

    def _row(
        self, table: Rows, columns: list[str], row: tuple[Value | None, ...], known: set[str]
    ) -> Iterator[SpecError]:
        at = next((e.at for cell in row for e in _expressions(cell) if e.at), table.at)
        if len(row) != len(columns):
            yield SpecError(f"the row has {len(row)} cells, the header {len(columns)}: {', '.join(columns)}", at)
            return
        cells = dict(zip(columns, row, strict=True))
        name = next((str(cells.pop(key)) for key in CALLEE if key in cells), table.block)
        cells.pop("as", None)
        if table.repeat is not None:
            yield from self._value(cells.pop(table.repeat, None), known)
        given = {key: value for key, value in cells.items() if value is not None}
        where = Step().placed(at, {key: e.at for key, value in given.items() for e in _expressions(value) if e.at})
        yield from self._call(str(name), given, where, known)

    def _cycles(self) -> Iterator[SpecError]:
        calls = {name: set(_callees(body)) for name, body in self.document.bodies()}
        reached: set[str] = set()

        def visit(name: str, path: tuple[str, ...]) -> Iterator[SpecError]:
            if name in path:
                ring = " → ".join((*path[path.index(name) :], name))
                yield SpecError(f"blocks call each other in a circle: {ring}", self.document.blocks[name].at)
            elif name not in reached and len(path) < 200:
                for callee in sorted(calls.get(name, ())):
                    yield from visit(callee, (*path, name))
                reached.add(name)

        for name in self.document.blocks:
            yield from visit(name, ())


def _callees(body: Body) -> Iterator[str]:
    """The names that a body calls, at any depth."""
    for step in body:
        if step.broken:
            continue
        if isinstance(step, Call):
            yield step.name
        elif isinstance(step, Table) and not step.table.broken:
            yield from _table_callees(step.table)
        for inner in inner_bodies(step):
            yield from _callees(inner)


def _table_callees(table: Rows) -> Iterator[str]:
    names = [column.name for column in table.columns]
    if table.block is not None:
        yield table.block
    for row in table.rows:
        with suppress(ValueError):
            yield from (str(cell) for name, cell in zip(names, row, strict=True) if name in CALLEE)


def inner_bodies(step: Step) -> tuple[Body, ...]:
    """The bodies that stand inside a step."""
    if isinstance(step, (Group, Repeat)):
        return (step.body,)
    if isinstance(step, When):
        return (step.then, step.else_ or ())
    if isinstance(step, Join):
        return tuple(step.branches.values())
    return ()


def _expressions(value: Value | None) -> Iterator[Expression]:
    if isinstance(value, Expression):
        yield value
    elif value is not None:
        for part in value:
            yield from _expressions(part)


def _check_symbol(name: str, symbol: Symbol) -> Iterator[SpecError]:
    if symbol.broken:
        return
    if symbol.range is not None and symbol.choices is not None:
        yield SpecError(f"symbol '{name}' has a range and choices; give one of them", symbol.at)
    limits = (symbol.default, *(symbol.range or ()), *(symbol.choices or ()))
    if len({isinstance(limit, str) for limit in limits}) > 1:
        yield SpecError(f"symbol '{name}' mixes words and numbers", symbol.at)
        return
    if symbol.word and symbol.choices is None:
        yield SpecError(f"symbol '{name}' is a word ('{symbol.default}'); list its choices", symbol.key_at("default"))
        return
    if symbol.range is not None and not symbol.word and symbol.range[0] > symbol.range[1]:
        yield SpecError(f"symbol '{name}': the range is empty, {symbol.range[0]} is above {symbol.range[1]}", symbol.at)
        return
    fault = value_fault(symbol, symbol.default)
    if fault:
        yield SpecError(f"default {fault}", symbol.key_at("default"))


def value_fault(symbol: Symbol, value: object) -> str | None:
    """Why a symbol cannot have a value; None if it can."""
    if symbol.choices is not None and value not in symbol.choices:
        return f"must be one of {', '.join(map(str, symbol.choices))} (got {value})"
    if symbol.word:
        return None
    if isinstance(value, str):
        return f"must be a number (got {value})"
    if symbol.integer and not isinstance(value, int):
        return f"must be a whole number (got {value})"
    if symbol.range is not None and not symbol.range[0] <= value <= symbol.range[1]:
        return f"must be from {symbol.range[0]} to {symbol.range[1]} (got {value})"
    if symbol.range is None and symbol.choices is None and value <= 0:  # type: ignore[operator]
        return f"must be greater than 0 (got {value}); give the symbol a range that holds it"
    return None


def _check_lookup(lookup: Lookup) -> Iterator[SpecError]:
    if lookup.broken:
        return
    if len(lookup.columns) < 2:
        yield SpecError("a lookup needs a column to look in and one to find", lookup.at)
    if len(set(lookup.columns)) != len(lookup.columns):
        yield SpecError("a column of the lookup stands twice in its header", lookup.at)
    keys = [row[0] for row in lookup.rows if row]
    if len(set(keys)) != len(keys):
        yield SpecError("two rows of the lookup begin with the same number", lookup.at)
    for number, row in enumerate(lookup.rows, 1):
        if len(row) != len(lookup.columns):
            yield SpecError(f"row {number} has {len(row)} cells, the header {len(lookup.columns)}", lookup.at)
