"""What can be known of a specification without running it: every name is defined, every argument is known and given."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from itertools import islice
from keyword import iskeyword
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from archspec import ops
from archspec.errors import ArchspecError, Mark, SpecError, SpecErrors, did_you_mean
from archspec.language.document import (
    Block,
    Body,
    Call,
    Document,
    From,
    Group,
    Join,
    Letters,
    Lookup,
    Repeat,
    Rows,
    Step,
    Symbol,
    Table,
    Use,
    When,
)
from archspec.language.expression import BUILTINS, CONSTANTS, Expression, Scope, miscounted
from archspec.language.steps import STEP_KEYS
from archspec.language.values import NAME, SIGNATURE, Value
from archspec.writing import printable

FLOWING = ("in_channels", "in_height", "in_width")
"""The sizes of what flows into a step, by the names that expressions use."""

CALLEE = ("block", "operator")
"""The columns that say what a row of a table is made of."""


DEFINING = frozenset({"symbols", "functions", "lookups", "let", "blocks"})
"""The parts of a document that define names: nothing can be said of its names while one of them cannot be read."""

MAX_NESTING = 100
MAX_REPEAT = 10_000
MAX_COMPARISONS = 2_000_000


def check(document: Document) -> list[SpecError]:
    """The faults that a document shows without being expanded, in no particular order; no more than are shown."""
    return list(islice(_Checker(document).faults(), SpecErrors.shown + 1))


def words(document: Document) -> frozenset[str]:
    """The names that stand for themselves: words of fields, operators, blocks, choices, headers of lookups."""
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


def field_faults(callee: str, values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The fields of an operator that cannot have these values, each with the reason; fields without a value pass.

    >>> field_faults("conv2d", {"out_channels": 0})
    [('out_channels', 'must be at least 1 (got 0)')]
    """
    try:
        ops.operator(callee)(**values)
    except ValidationError as error:
        details = [detail for detail in error.errors(include_url=False) if detail["type"] != "missing"]
        return [(str(detail["loc"][0]), _reason(detail)) for detail in details]
    return []


def _reason(detail: ErrorDetails) -> str:
    error = detail.get("ctx", {}).get("error")
    return (
        str(error)
        if error
        else f"{detail['msg'][:1].lower()}{detail['msg'][1:]} (got {printable(detail['input'], 40)})"
    )


class _Checker:
    def __init__(self, document: Document) -> None:
        self.document = document
        self.words = words(document)
        self.arity = dict(self._arities())
        self.globals = {*document.symbols, *self.words}
        self.comparisons = MAX_COMPARISONS
        self.reserved = {*ops.words(), *CONSTANTS, *BUILTINS, *FLOWING, "input", "required"}

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
        if not 1 <= len(document.input) <= 4:
            yield SpecError(
                f"input: expected from 1 to 4 sizes, such as [3, 224, 224], found {len(document.input)}",
                document.value_at("input"),
            )
        headers = {c for lookup in document.lookups.values() if not lookup.broken for c in lookup.columns}
        for size in document.input:
            yield from self._expression(size, {*document.symbols, *headers & self.words})
        yield from self._lets(document.let, self.globals)
        known = {*self.globals, *document.let}
        for name, block in document.blocks.items():
            if not block.broken:
                yield from self._block(name, block, known)
        yield from self._body(document.network, {*known, *FLOWING})
        yield from self._froms(document.network)
        yield from self._cycles()

    def _suggest(self, word: str, known: Iterable[str]) -> str:
        """A suggestion, while there is time for suggestions: a hostile file could ask for millions of comparisons."""
        candidates = list(known)
        self.comparisons -= len(word) * sum(map(len, candidates))
        return did_you_mean(word, candidates) if self.comparisons >= 0 else ""

    # -------------------------------------------------------------- names

    def _clashes(self) -> Iterator[SpecError]:
        document = self.document
        for name in document.symbols:
            yield from self._taken(name, document.key_at(f"symbols.{name}"))
        yield from self._taken_lets(document)
        for name, block in document.blocks.items():
            if name in ops.registered():
                yield SpecError(
                    f"'{name}' is an operator; give the block another name", document.key_at(f"blocks.{name}")
                )
            elif name in document.symbols:
                yield SpecError(f"'{name}' is a symbol; give the block another name", document.key_at(f"blocks.{name}"))
            for arg in () if block.broken else block.args:
                yield from self._taken(arg, block.key_at(f"args.{arg}"))
            yield from self._taken_lets(block)
        defined = set(BUILTINS)
        for part, texts in (("lookups", document.lookups), ("functions", document.functions)):
            for text in texts:
                at = document.key_at(f"{part}.{text}")
                name, parameters = (text, ()) if part == "lookups" else signature(text)
                if name in defined:
                    yield SpecError(f"the function '{name}' is already defined; choose another name", at)
                else:
                    yield from self._taken(name, at)
                defined.add(name)
                for parameter in parameters:
                    yield from self._taken(parameter, at)

    def _taken_lets(self, holder: Document | Block | Group) -> Iterator[SpecError]:
        for name in () if holder.broken else holder.let:
            at = holder.key_at(f"let.{name}")
            yield from self._taken(name, at)
            if holder is self.document and name in self.document.symbols:
                yield SpecError(f"let: '{name}' is a symbol; choose another name", at)

    def _taken(self, name: str, at: Mark | None) -> Iterator[SpecError]:
        """The fault of a name that could not be used in an expression, or would change what a word there means."""
        if name in self.reserved or iskeyword(name):
            yield SpecError(f"the name '{name}' is taken by the language; choose another", at)

    def _functions(self) -> Iterator[SpecError]:
        later = dict(self.arity)
        self.arity = {name: later.pop(name) for name in self.document.lookups if name in later}
        nesting = dict.fromkeys(self.arity, 1)
        for text, body in self.document.functions.items():
            name, parameters = signature(text)
            for called in body.called:
                if called in later:
                    yield SpecError(
                        f"'{called}' is defined only after '{name}'; a function uses those before it",
                        body.mark_of(called),
                    )
            nesting[name] = body.depth + max((nesting.get(called, 0) for called in body.called), default=0)
            if nesting[name] > MAX_NESTING:
                yield SpecError(f"'{name}' nests functions more than {MAX_NESTING} deep", body.at)
                return
            known = {**self.arity, **later}
            yield from self._expression(body, {*self.globals, *parameters}, known)
            if name in later:
                self.arity[name] = later.pop(name)

    def _lets(self, lets: dict[str, Value], known: AbstractSet[str]) -> Iterator[SpecError]:
        names = set(known)
        for name, value in lets.items():
            yield from self._value(value, names)
            names.add(name)

    def _value(self, value: Value, known: AbstractSet[str]) -> Iterator[SpecError]:
        for expression in _expressions(value):
            yield from self._expression(expression, known)

    def _expression(
        self, expression: Expression, known: AbstractSet[str], arity: dict[str, int] | None = None
    ) -> Iterator[SpecError]:
        functions = self.arity if arity is None else arity
        for name in expression.names:
            if name not in known and not (self.words <= known and ops.find(name)):
                if name in functions:
                    hint = "; call it with its arguments"
                elif name in FLOWING:
                    hint = "; blocks and steps know it, and can hand it on as an argument"
                else:
                    hint = self._suggest(name, known - self.words) or self._suggest(name, known & self.words)
                yield SpecError(f"undefined name '{name}'{hint}", expression.mark_of(name))
        for name, (_, count) in expression.called.items():
            if name not in functions:
                hint = self._suggest(name, [*functions, *BUILTINS])
                yield SpecError(f"undefined function '{name}'{hint}", expression.mark_of(name))
            elif fault := miscounted(name, count, functions[name], functions[name]):
                yield SpecError(fault, expression.mark_of(name))

    def _constants(self, args: Mapping[str, Value | None]) -> Iterator[tuple[str, Any, SpecError | None]]:
        """What the arguments that depend on nothing come to: a value, or the fault that keeps them from having one."""
        scope = Scope({}, words=self.words)
        for name, value in args.items():
            parts = list(_expressions(value))
            if all(part.constant or not (part.called or set(part.names) - ops.words()) for part in parts):
                try:
                    yield name, _evaluated(value, scope), None
                except SpecError as error:
                    yield name, None, error

    # -------------------------------------------------------------- blocks and bodies

    def _block(self, name: str, block: Block, known: set[str]) -> Iterator[SpecError]:
        seen = {*known, *FLOWING}
        for arg, value in block.args.items():
            if not Block.is_required(value):
                yield from self._value(value, seen)
            seen.add(arg)
        for letters in block.letters.values():
            if not letters.broken:
                yield from self._letters(letters, block)
        yield from self._lets(block.let, seen)
        if not block.body:
            yield SpecError(
                f"the body of block '{name}' is empty; write [identity] for one that does nothing",
                block.key_at("body"),
            )
        yield from self._body(block.body, seen | set(block.let))
        yield from self._froms(block.body)

    def _letters(self, letters: Letters, block: Block) -> Iterator[SpecError]:
        known = [*block.args, *self.document.symbols, *FLOWING]
        for name in letters.names:
            if name not in known:
                hint = self._suggest(name, known) or f"; it has {', '.join(known)}"
                yield SpecError(f"letters: nothing here is called '{name}'{hint}", letters.key_at(f"names.{name}"))

    def _body(self, body: Body, known: set[str]) -> Iterator[SpecError]:
        for step in body:
            if not step.broken and not isinstance(step, From):  # `_froms` sees those with their whole body
                yield from _CHECKS[type(step)](self, step, known)

    def _froms(self, body: Body) -> Iterator[SpecError]:
        """The steps of a body that go on from a name which nothing in it has."""
        names = {"input", *_names(body)}
        for step in _steps(body):
            if isinstance(step, From) and step.from_ not in names:
                hint = self._suggest(step.from_, names) or f"; its names are {', '.join(sorted(names)[:20])}"
                yield SpecError(f"from: nothing in this body is called '{step.from_}'{hint}", step.value_at("from"))

    def _call(self, step: Call, known: set[str]) -> Iterator[SpecError]:
        for value in step.args.values():
            yield from self._value(value, known)
        yield from self._called(step.name, step.args, step)

    def _use(self, step: Use, known: set[str]) -> Iterator[SpecError]:
        yield from self._expression(step.use, known)
        for value in step.args.values():
            yield from self._value(value, known)

    def _group(self, step: Group, known: set[str]) -> Iterator[SpecError]:
        yield from self._taken_lets(step)
        yield from self._lets(step.let, known)
        yield from self._inner(step.body, "body", step, known | set(step.let))

    def _when(self, step: When, known: set[str]) -> Iterator[SpecError]:
        yield from self._expression(step.when, known)
        for _, value, fault in self._constants({"when": step.when}):
            if fault:
                yield fault
            elif not isinstance(value, bool):
                yield SpecError(f"expected a condition, found {value}", step.when.at)
        yield from self._inner(step.then, "then", step, known)
        yield from self._body(step.else_ or (), known)

    def _repeat(self, step: Repeat, known: set[str]) -> Iterator[SpecError]:
        yield from self._expression(step.repeat, known)
        for _, value, fault in self._constants({"repeat": step.repeat}):
            reason = None if fault else repeat_fault("repeat", value)
            if fault or reason:
                yield fault or SpecError(str(reason), step.repeat.at)
        if step.index:
            yield from self._taken(step.index, step.value_at("index"))
        yield from self._inner(step.body, "body", step, known | ({step.index} if step.index else set()))

    def _join(self, step: Join, known: set[str]) -> Iterator[SpecError]:
        if not step.branches:
            yield SpecError(f"{step.operator} needs branches", step.at)
        for value in step.args.values():
            yield from self._value(value, known)
        if ops.find(step.operator):
            yield from self._given(step.operator, step.args, step)
        else:
            yield from self._unknown(step.operator, step.at)
        for number, (name, branch) in enumerate(step.branches.items()):
            if not branch:
                at = step.places.get(f"{step.operator}[{number}]") or step.key_at(f"{step.operator}.{name}")
                yield SpecError(f"{name} of {step.operator} is empty; write [identity] to pass the input on", at)
            yield from self._body(branch, known)

    def _inner(self, body: Body, key: str, step: Step, known: set[str]) -> Iterator[SpecError]:
        if not body:
            yield SpecError(f"{key}: is empty; write [identity] to pass the input on", step.key_at(key))
        yield from self._body(body, known)

    def _called(
        self, callee: str, args: Mapping[str, Value], step: Step, at: Mark | None = None
    ) -> Iterator[SpecError]:
        block = self.document.blocks.get(callee)
        operator = ops.find(callee) if block is None else None
        if operator is not None and operator.arity == "many":
            yield SpecError(f"'{callee}' takes branches: {callee}: [[…], […]]", step.at)
        elif block is None and operator is None:
            yield from self._unknown(callee, at or step.key_at(callee))
        elif block is None or not block.broken:
            yield from self._given(callee, args, step)

    def _unknown(self, callee: str, at: Mark | None) -> Iterator[SpecError]:
        suggestion = self._suggest(callee, [*ops.registered(), *self.document.blocks, *STEP_KEYS])
        yield SpecError(f"unknown operator or block '{printable(callee, 80)}'{suggestion}", at)

    def _given(self, callee: str, args: Mapping[str, Value], step: Step) -> Iterator[SpecError]:
        """The arguments that an operator or a block does not have, or needs; and those that it cannot take."""
        allowed, required = arguments(self.document, callee)
        missing = [name for name in required if name not in args]
        for name in args:
            if name not in allowed:
                meant = did_you_mean(name, missing) or did_you_mean(name, allowed)
                missing = [other for other in missing if f"'{other}'" not in meant]
                takes = meant or (f"; it takes {', '.join(allowed)}" if allowed else "; it takes none")
                yield SpecError(f"'{callee}' has no argument '{name}'{takes}", step.key_at(name))
        if missing:
            yield SpecError(f"'{callee}' needs {' and '.join(map(repr, missing))}", step.at)
        if callee in ops.registered():
            yield from self._fields(callee, {name: args[name] for name in args if name in allowed}, step)

    def _fields(self, callee: str, args: Mapping[str, Value], step: Step) -> Iterator[SpecError]:
        """The arguments of an operator that depend on nothing and cannot be what they are."""
        values = {}
        for name, value, fault in self._constants(args):
            if fault:
                yield fault
            else:
                values[name] = value
        for name, reason in field_faults(callee, values):
            yield SpecError(f"{callee}: {name} {reason}", value_mark(args.get(name)) or step.key_at(name))

    def _table(self, step: Table, known: set[str]) -> Iterator[SpecError]:
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

    def _header(self, table: Rows, columns: list[str], known: set[str]) -> Iterator[SpecError]:
        for number, column in enumerate(table.columns):
            if column.name in columns[:number]:
                yield SpecError(f"the column '{column.name}' stands here twice", column.at)
            if column.built is not None:
                yield from self._expression(column.built, known | set(columns))
        if table.repeat is not None and table.repeat not in columns:
            hint = self._suggest(table.repeat, columns)
            yield SpecError(f"repeat: there is no column '{table.repeat}'{hint}", table.value_at("repeat"))
        for name, value in table.after_first.items():
            if name not in columns:
                hint = self._suggest(name, columns)
                at = table.key_at(f"after_first.{name}")
                yield SpecError(f"after_first: there is no column '{name}'{hint}", at)
            yield from self._value(value, known)

    def _row(
        self, table: Rows, columns: list[str], row: tuple[Value | None, ...], at: Mark | None, known: set[str]
    ) -> Iterator[SpecError]:
        if len(row) != len(columns):
            yield SpecError(f"the row has {len(row)} cells, the header {len(columns)}: {', '.join(columns)}", at)
            return
        cells = dict(zip(columns, row, strict=True))
        callee = next((cells.pop(key) for key in CALLEE if key in cells), table.block)
        if callee is None:
            yield SpecError("block: the cell is empty; it says what the row is made of", at)
            return
        label = cells.pop("as", None)
        if label is not None and not NAME.match(str(label)):
            yield SpecError(f"as: expected a name, found '{printable(label, 40)}'", value_mark(label) or at)
        if table.repeat is not None and table.repeat in columns:
            times = cells.pop(table.repeat, None)
            if times is None:
                yield SpecError(f"{table.repeat}: the cell is empty; it says how often", at)
            yield from self._value(times, known)
        given = {key: value for key, value in cells.items() if value is not None}
        for value in given.values():
            yield from self._value(value, known)
        where = Step().placed(at, {key: mark for key, value in given.items() if (mark := value_mark(value))})
        built = {column.name: column.built for column in table.columns if column.built and column.name in given}
        yield from self._called(str(callee), {**given, **built}, where, value_mark(callee) if not table.block else None)

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


_CHECKS: Mapping[type[Step], Callable[[_Checker, Any, set[str]], Iterator[SpecError]]] = {
    Call: _Checker._call,
    Use: _Checker._use,
    Group: _Checker._group,
    When: _Checker._when,
    Repeat: _Checker._repeat,
    Table: _Checker._table,
    Join: _Checker._join,
}


def repeat_fault(name: str, times: object) -> str | None:
    """Why something cannot be done that often; None if it can."""
    if type(times) is int and 0 <= times <= MAX_REPEAT:
        return None
    return f"{name} must be a whole number from 0 to {MAX_REPEAT:,} (got {printable(times, 40)})"


def _steps(body: Body) -> Iterator[Step]:
    """The steps of a body, at any depth."""
    for step in body:
        if not step.broken:
            yield step
            for inner in inner_bodies(step):
                yield from _steps(inner)


def _names(body: Body) -> Iterator[str]:
    """What the steps of a body, and the rows of its tables, are called by `as`."""
    for step in _steps(body):
        if step.as_:
            yield step.as_
        if isinstance(step, Table) and not step.table.broken:
            yield from (str(cells["as"]) for cells in _cells(step.table) if "as" in cells)


def _callees(body: Body) -> Iterator[str]:
    """The names that a body calls, at any depth."""
    for step in _steps(body):
        if isinstance(step, Call):
            yield step.name
        elif isinstance(step, Table) and not step.table.broken:
            if step.table.block is not None:
                yield step.table.block
            yield from (str(cells[key]) for cells in _cells(step.table) for key in CALLEE if key in cells)


def _cells(table: Rows) -> Iterator[dict[str, Value | None]]:
    """The rows of a table that have as many cells as the header, by column."""
    names = [column.name for column in table.columns if not column.broken]
    yield from (dict(zip(names, row, strict=True)) for row in table.rows if len(row) == len(names))


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


def _evaluated(value: Value, scope: Scope) -> Any:
    if isinstance(value, tuple):
        return tuple(_evaluated(part, scope) for part in value)
    return value.evaluate(scope)


def value_mark(value: Value | None) -> Mark | None:
    """Where a value, or the first part of a list, stands in the text."""
    return next((expression.at for expression in _expressions(value) if expression.at), None)


def _check_symbol(name: str, symbol: Symbol) -> Iterator[SpecError]:
    if symbol.broken:
        return
    if symbol.range is not None and symbol.choices is not None:
        yield SpecError(f"symbol '{name}' has a range and choices; give one of them", symbol.key_at("choices"))
    limits = (symbol.default, *(symbol.range or ()), *(symbol.choices or ()))
    if len({isinstance(limit, str) for limit in limits}) > 1:
        yield SpecError(f"symbol '{name}' mixes words and numbers", symbol.at)
        return
    if symbol.word and symbol.choices is None:
        yield SpecError(f"symbol '{name}' is a word ('{symbol.default}'); list its choices", symbol.value_at("default"))
        return
    if symbol.range is not None and not symbol.word and symbol.range[0] > symbol.range[1]:
        yield SpecError(
            f"symbol '{name}': the range is empty, {symbol.range[0]} is above {symbol.range[1]}",
            symbol.value_at("range"),
        )
        return
    fault = value_fault(symbol, symbol.default)
    if fault:
        yield SpecError(f"default {fault}", symbol.value_at("default"))


def value_fault(symbol: Symbol, value: Any) -> str | None:
    """Why a symbol cannot have a value; None if it can."""
    if symbol.choices is not None:
        return None if value in symbol.choices else f"must be one of {_listed(symbol.choices)} (got {value})"
    if isinstance(value, str):
        return None if symbol.word else f"must be a number (got {value})"
    if symbol.integer and not isinstance(value, int):
        return f"must be a whole number (got {value})"
    if symbol.range is None:
        return None if value > 0 else f"must be greater than 0 (got {value}); give the symbol a range that holds it"
    least, most = symbol.range
    return None if least <= value <= most else f"must be from {least} to {most} (got {value})"


def _listed(values: Iterable[Any]) -> str:
    return ", ".join(map(str, values))


def _check_lookup(lookup: Lookup) -> Iterator[SpecError]:
    if lookup.broken:
        return
    if len(lookup.columns) < 2:
        yield SpecError("a lookup needs a column to look in and one to find", lookup.key_at("columns"))
    if len(set(lookup.columns)) != len(lookup.columns):
        yield SpecError("a column of the lookup stands twice in its header", lookup.key_at("columns"))
    if not lookup.rows:
        yield SpecError("a lookup needs rows", lookup.key_at("rows"))
    seen: set[Any] = set()
    for number, row in enumerate(lookup.rows):
        at = lookup.key_at(f"rows[{number}]")
        if len(row) != len(lookup.columns):
            yield SpecError(f"the row has {len(row)} cells, the header {len(lookup.columns)}", at)
        if row and row[0] in seen:
            yield SpecError(f"a second row of the lookup begins with {row[0]}", at)
        seen.update(row[:1])
