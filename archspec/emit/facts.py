"""What is known of a whole specification while its source is written: what blocks are called with, need and give.

What a block's class looks like depends on all its callers (is k ever two sizes?), and what a caller writes depends on
the block (does it need the height?). So the walk is made again until nothing new is found.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from archspec import code
from archspec.code import INT, NONE, RATIONAL, WORD, Code, Kind
from archspec.emit.expression import Reader
from archspec.emit.layer import function_code, settings
from archspec.emit.naming import Names, class_name, network_name
from archspec.emit.flow import mapped
from archspec.emit.scope import MARK, Scope, dimensions
from archspec.emit.statements import Assign, For, If, Keep, Lines, Put, Return, Statements, changed, inlined, pruned, targets, used
from archspec.errors import ArchspecError
from archspec.ops import Function
from archspec.spec.check import signature, words
from archspec.spec.document import Block, Document, Symbol

if TYPE_CHECKING:
    from archspec.emit.walk import Walk

TENSOR = frozenset({"tensor"})
MAX_WALKS = 40


@dataclass(frozen=True, slots=True)
class Param:
    """A parameter of a constructor or function; `default` is a text, None where there is no default."""

    name: str
    kind: Kind
    default: Any = ...
    keyword: bool = False
    doc: str | None = None


@dataclass(frozen=True, slots=True)
class Class:
    """A class of the source."""

    name: str
    doc: list[str]
    params: tuple[Param, ...]
    body: Statements
    forward: Statements | None
    inputs: tuple[str, ...] = ()
    outputs: int = 1


@dataclass(frozen=True, slots=True)
class Definition:
    """A function of the source: one formula."""

    name: str
    params: tuple[Param, ...]
    result: Any


@dataclass(slots=True)
class BlockFacts:
    """What is known of a block's class.

    Attributes:
        key: The block's name and the number of axes of what flows into it.
        name: The class.
        kinds: What each argument may be.
        values: Its values where they are few; None where they are not.
        whole: The arguments that must be whole numbers.
        sizes: By axis, the parameters for the sizes of what flows in.
        needed: The axes whose sizes the constructor needs.
        free: By symbol, the parameter it is handed over as.
        defaults: The arguments' defaults in the names of the constructor.
        shape: The shape it gives, in its own names; None for a size that only the module can tell.
        does: Whether it does anything.
    """

    key: tuple[str, int]
    name: str
    kinds: dict[str, Kind] = field(default_factory=dict)
    values: dict[str, tuple[Any, ...] | None] = field(default_factory=dict)
    args: dict[str, Code] = field(default_factory=dict)
    whole: set[str] = field(default_factory=set)
    sizes: dict[int, Code] = field(default_factory=dict)
    needed: tuple[int, ...] = ()
    free: dict[str, Code] = field(default_factory=dict)
    defaults: dict[str, Any] = field(default_factory=dict)
    shape: Any = ()
    does: Any = True

    def call(self, args: Mapping[str, Any], flow: tuple[Any, ...], symbol: Callable[[str], Any]) -> Code:
        """The code that makes the block's module."""
        sizes = tuple(flow[axis] for axis in self.needed)
        given = {str(self.args[arg]): value for arg, value in args.items() if arg in self.args}
        symbols = {str(name): symbol(text) for text, name in self.free.items()}
        return Code("call", (self.name, sizes, tuple({**given, **symbols}.items())), TENSOR)

    def known(
        self, args: Mapping[str, Any], flow: tuple[Any, ...], symbol: Callable[[str], Any], _: Lines
    ) -> dict[Code, Any]:
        """What the names of the block's constructor stand for in a call."""
        known = {name: flow[axis] for axis, name in self.sizes.items()}
        known |= {name: symbol(text) for text, name in self.free.items()}
        for arg, name in self.args.items():
            known[name] = args[arg] if arg in args else code.substituted(self.defaults.get(arg), known)
        return known


class Facts:
    """What is known of a specification, found by walk after walk."""

    def __init__(self, document: Document, bindings: Mapping[str, Any]) -> None:
        self.document, self.bindings = document, bindings
        self.words = words(document)
        self.local_names = frozenset(_local_names(document))
        self.repeated = frozenset(name for name, count in _counted_names(document).items() if count > 1)
        self.globals: dict[str, tuple[Kind, Any]] = {
            name: (_kind(symbol), _values(symbol)) for name, symbol in document.symbols.items()
        }
        self.globals |= {name: (INT, None) for name in document.let}
        self.whole_lets: set[tuple[Any, str]] = set()
        self.whole_args: dict[tuple[str, int], set[str]] = {}
        self.reads: dict[Any, set[int]] = {}
        self.function_kinds: dict[tuple[str, int], Kind] = {}
        self.previous: dict[tuple[str, int], BlockFacts] = {}
        self.classes: dict[Any, Class] = {}
        self.blocks: dict[tuple[str, int], BlockFacts] = {}
        self.definitions: dict[str, Definition] = {}
        self.lookups: dict[str, str] = {}
        self.applications: dict[Any, Class] = {}
        self._begin()

    def _begin(self) -> None:
        """Forget what a walk writes, keep what it found."""
        self.previous, self.blocks = self.blocks, {}
        self.classes, self.definitions, self.lookups, self.applications = {}, {}, {}, {}
        self.file = Names()
        self.file.taken |= {name for text in self.document.functions for name in [signature(text)[0]]}
        self.functions = {signature(text)[0]: Names().new(signature(text)[0]) for text in self.document.functions}
        self.file.taken |= set(self.functions.values())
        self.network = self.file.new(network_name(self.document))

    def walked(self, walk: Callable[["Facts"], None]) -> None:
        """Walk until nothing new is found.

        Raises:
            ArchspecError: There is no end to it.
        """
        for _ in range(MAX_WALKS):
            before = self._found()
            self._begin()
            walk(self)
            if self._found() == before:
                return
        raise ArchspecError("the source cannot be written: what its blocks need keeps changing")

    def _found(self) -> Any:
        return (
            {key: (f.kinds, f.values, f.needed, tuple(f.free), f.shape, f.does) for key, f in self.blocks.items()},
            {key: set(found) for key, found in self.whole_args.items()},
            set(self.whole_lets),
            {key: set(found) for key, found in self.reads.items()},
            dict(self.function_kinds),
            dict(self.globals),
        )

    def reserved(self) -> set[str]:
        """The names of the file, which no variable of a class may hide."""
        return {*self.functions.values(), *HELPERS}

    # -------------------------------------------------------------- blocks

    def block(self, callee: str, rank: int, args: Mapping[str, Any], walk: "Walk") -> BlockFacts:
        """What is known of a block, with the arguments of one more call."""
        key = (callee, rank)
        if key not in self.blocks:
            same = [other for other, known in self.blocks.items() if other[0] == callee]
            wanted = class_name(callee) + (dimensions(rank)[-1].capitalize() if same else "")
            facts = self.blocks[key] = BlockFacts(key, self.file.new(wanted))
            facts.whole = self.whole_args.setdefault(key, set())
            self._join_args(facts, args)
            self._write_block(facts, walk)
        else:
            self._join_args(self.blocks[key], args)
        return self.blocks[key]

    def _join_args(self, facts: BlockFacts, args: Mapping[str, Any]) -> None:
        for arg, default in self.document.blocks[facts.key[0]].args.items():
            if arg in args:
                value = args[arg]
            elif (constant := self.constant(default)) is not None:
                value = constant
            else:
                continue
            kind = INT if arg in facts.whole else code.kind_of(value)
            facts.kinds[arg] = facts.kinds.get(arg, frozenset()) | kind
            known = code.known_values(value) if isinstance(value, Code) else (value,)
            old = facts.values.get(arg, ())
            joined = None if known is None or old is None else tuple({(type(v), v): v for v in (*old, *known)}.values())
            facts.values[arg] = joined if joined is not None and len(joined) <= 64 else None

    def constant(self, default: Any) -> Any:
        """An argument's default that depends on nothing; None if it does, or if there is none."""
        if Block.is_required(default):
            return None
        read = Reader(self._constant_name, _no_function, lambda value: value)
        try:
            found = read.value(default)
        except KeyError:
            return None
        except ArchspecError:
            return None
        return None if isinstance(found, Code) else found

    def _constant_name(self, text: str) -> Any:
        if text in self.words and text not in self.globals:
            return text
        raise KeyError(text)

    def _write_block(self, facts: BlockFacts, walk: "Walk") -> None:
        from archspec.emit.walk import Frame, froms

        callee, rank = facts.key
        block = self.document.blocks[callee]
        scope = Scope(self, callee, facts.key, froms((block.body,)))
        sizes = {axis: f"in_{text}" for axis, text in enumerate(dimensions(rank)) if axis}
        facts.sizes = {axis: code.name(scope.names.new(text)) for axis, text in sizes.items()}
        flow = (code.name("batch"), *facts.sizes.values())
        explicit = not walk._chain(block.body, Frame(scope, "self", {}, flow, scope.lines, None))
        frame = Frame(scope, "self", {}, flow, scope.lines, scope.forward if explicit else None)
        frame.named["input"] = (flow, "x")
        if scope.gone_back_to["input"]:
            frame.pinned |= {"x"}
        known = self.previous.get(facts.key)
        for arg, default in block.args.items():
            self._arg(arg, default, facts, known, frame, walk)
        walk._lets(block.let, frame)
        walk.body(block.body, frame)
        if explicit:
            scope.forward.add(Return(code.name(frame.x, TENSOR)))
        order = list(self.globals)
        facts.free = dict(sorted(scope.symbols.items(), key=lambda item: order.index(item[0])))
        self._finish(facts, scope, frame.flow, explicit)
        own = {*facts.sizes.values(), *facts.args.values(), *facts.free.values()}
        facts.shape = mapped(lambda size: size if set(code.names(size)) <= own else None, frame.flow)
        facts.does = frame.does if set(code.names(frame.does)) <= own else True

    def _arg(
        self, arg: str, default: Any, facts: BlockFacts, known: BlockFacts | None, frame: Any, walk: "Walk"
    ) -> None:
        scope = frame.scope
        kind = (known or facts).kinds.get(arg, facts.kinds.get(arg, frozenset()))
        values = (known or facts).values.get(arg)
        variable = scope.names.new(arg)
        scope.origins[variable] = arg
        if not Block.is_required(default) and self.constant(default) is None:
            found = walk.reader(frame).value(default)
            if arg in facts.whole:
                found = scope.whole(found)
            facts.defaults[arg] = found
            kind, values = kind | code.kind_of(found), None
            condition = code.compare(code.name(variable), "is", None)
            frame.lines.add(If(condition, (Assign(variable, found, kept=True),)))
        elif not Block.is_required(default):
            facts.defaults[arg] = self.constant(default)
        facts.args[arg] = frame.env[arg] = code.name(variable, (kind - NONE) or INT, values)

    def _finish(self, facts: BlockFacts, scope: Scope, flow: tuple[Any, ...], explicit: bool) -> None:
        block = self.document.blocks[facts.key[0]]
        fixed = {str(n) for n in (*facts.sizes.values(), *facts.args.values(), *facts.free.values())}
        body = self._finished(scope, facts.key, flow, frozenset(fixed))
        uses = used(body)
        facts.needed = tuple(axis for axis, name in facts.sizes.items() if uses[str(name)])
        facts.free = {text: name for text, name in facts.free.items() if uses[str(name)]}
        params = [Param(str(facts.sizes[axis]), INT) for axis in facts.needed]
        required = [arg for arg, default in block.args.items() if Block.is_required(default)]
        params += [self._param(facts, arg) for arg in required]
        params += [self._param(facts, arg) for arg in block.args if arg not in required]
        params += [Param(str(name), name.kind, keyword=True) for name in facts.free.values()]
        doc = _documented(block)
        forward = scope.forward.done() if explicit else None
        self.classes[facts.key] = Class(facts.name, doc, tuple(params), body, forward)

    def _param(self, facts: BlockFacts, arg: str) -> Param:
        name = facts.args[arg]
        if arg not in facts.defaults:
            return Param(str(name), name.kind)
        constant = self.constant(self.document.blocks[facts.key[0]].args[arg])
        kind = name.kind | (NONE if constant is None else frozenset())
        return Param(str(name), kind, constant)

    def _finished(self, scope: Scope, key: Any, flow: Any, fixed: frozenset[str]) -> Statements:
        """The statements of a constructor, without what nothing uses."""
        for axis in sorted(self.reads.get(key, ())) if isinstance(flow, tuple) else ():
            scope.lines.add(Keep(f"out_{dimensions(len(flow))[axis]}", scope.flagged(flow[axis])))
        body = inlined(_joined(pruned(scope.lines.done())), fixed)
        body = _declared(_renamed(_joined(body), scope))
        for out in _outs(body):
            self.reads.setdefault(out[2], set()).add(out[3])
        return body

    # -------------------------------------------------------------- parts of blocks

    def nested(self, scope: Scope, flow: Any, inputs: tuple[str, ...], outputs: int) -> Code:
        """The class of a part of a block, and the code that makes it."""
        key = scope.key
        body = self._finished(scope, key, flow, scope.inherited | {str(name) for name in scope.passed})
        uses, own = used(body), targets(body)
        free = [name for name in uses if name not in own and name != "self"]
        sizes = [str(name) for name in scope.passed if str(name) in free]
        sizes += [name for name in free if name.startswith("in_") and name not in sizes]
        kinds = _kinds(body)
        params = [Param(name, INT) for name in sizes]
        params += [Param(name, kinds.get(name, INT)) for name in free if name not in sizes]
        name = self.file.new(class_name(scope.label))
        self.classes[key] = Class(
            name, [scope.described], tuple(params), body, scope.forward.done()
        )
        known = {str(n): value for n, value in scope.passed.items()}
        keywords = tuple((n, code.name(n, kinds.get(n, INT))) for n in free if n not in sizes)
        return Code("call", (name, tuple(known.get(n, code.name(n)) for n in sizes), keywords), TENSOR)

    def applied(self, kind: str, call: Function) -> Code:
        """The code that makes a module which applies a function; its class has what is not fixed as arguments."""
        given = settings(call)
        fixed = {key: value for key, value in given.items() if not code.names(value)}
        free = {key: value for key, value in given.items() if key not in fixed}
        key = (kind, call.target, tuple(sorted(fixed.items(), key=str)), tuple(free))
        if key not in self.applications:
            attributes = {k: Code("attr", (code.name("self"), k)) for k in free}
            shown = Function(call.target, {**fixed, **attributes}, call.takes)
            forward = (Return(function_code(shown, (code.name("x", TENSOR),))),)
            body = tuple(Keep(k, code.name(k, code.kind_of(value))) for k, value in free.items())
            params = tuple(Param(k, code.kind_of(value)) for k, value in free.items())
            doc = [_applied(kind, call)]
            self.applications[key] = Class(self.file.new(class_name(kind)), doc, params, body, forward)
        return Code("call", (self.applications[key].name, (), tuple(free.items())), TENSOR)

    def demand(self, scope: Scope, origin: str) -> None:
        """An argument or a name of `let` must be a whole number."""
        if not origin:
            return
        if isinstance(scope.key, tuple) and scope.key in self.whole_args and origin in self._args_of(scope.key):
            self.whole_args[scope.key].add(origin)
        else:
            self.whole_lets.add((scope.key, origin))

    def _args_of(self, key: tuple[str, int]) -> Mapping[str, Any]:
        return self.document.blocks[key[0]].args

    # -------------------------------------------------------------- functions and lookups

    def function(self, name: str, args: tuple[Any, ...], symbol: Callable[[str], Any]) -> Any:
        """A call of one of the specification's functions, or a look into one of its tables."""
        if name in self.document.lookups:
            return self._looked_up(name, args)
        for position, arg in enumerate(args):
            key = (name, position)
            self.function_kinds[key] = self.function_kinds.get(key, frozenset()) | code.kind_of(arg)
        definition, free = self._definition(name)
        symbols = tuple(symbol(text) for text in free)
        return Code("call", (definition.name, (*args, *symbols), ()), code.kind_of(definition.result))

    def _definition(self, name: str) -> tuple[Definition, tuple[str, ...]]:
        if name not in self.definitions:
            text, body = next((t, b) for t, b in self.document.functions.items() if signature(t)[0] == name)
            parameters = signature(text)[1]
            names = Names(self.reserved())
            known = {
                p: code.name(names.new(p), self.function_kinds.get((name, i), INT)) for i, p in enumerate(parameters)
            }
            free: dict[str, Code] = {}

            def symbol(text: str) -> Code:
                if text not in free:
                    free[text] = code.name(names.new(text), *self.globals[text])
                return free[text]

            def named(text: str) -> Any:
                if text in known:
                    return known[text]
                if text in self.globals:
                    return symbol(text)
                if text in self.words:
                    return text
                raise KeyError(text)

            whole = lambda v: v if code.kind_of(v) == INT or not isinstance(v, Code) else code.call("whole", v)  # noqa: E731
            result = Reader(named, lambda f, args: self.function(f, args, symbol), whole).expression(body)
            params = tuple(Param(str(n), n.kind) for n in (*known.values(), *free.values()))
            self.definitions[name] = Definition(self.functions[name], params, result)
            self._free = getattr(self, "_free", {})
            self._free[name] = tuple(free)
        return self.definitions[name], self._free[name]

    def _looked_up(self, name: str, args: tuple[Any, ...]) -> Any:
        lookup = self.document.lookups[name]
        if name not in self.lookups:
            self.lookups[name] = self.file.new(name.upper())
        constant = Code("text", (self.lookups[name],))
        columns = [args[1]] if len(args) > 1 and not isinstance(args[1], Code) else list(lookup.columns[1:])
        cells = [row[lookup.columns.index(column)] for row in lookup.rows for column in columns]
        kind = frozenset().union(*map(code.kind_of, cells))
        found = Code("index", (constant, args[0]), kind)
        return found if len(lookup.columns) == 2 else Code("index", (found, args[1]), kind)


HELPERS = frozenset(
    {"ceil_div", "exact_div", "log2", "make_divisible", "pair", "round_half_up", "whole", "floor", "ceil"}
)
"""The names of the functions that come with a source which needs them."""


def _no_function(name: str, _: Any) -> Any:
    raise KeyError(name)


def _kind(symbol: Symbol) -> Kind:
    return WORD if symbol.word else INT if symbol.integer else RATIONAL


def _values(symbol: Symbol) -> Any:
    if symbol.choices is not None:
        return symbol.choices
    if not symbol.integer:
        return None
    least, most = symbol.range or (1, 10**12)
    return range(int(least), int(most) + 1)


def _applied(kind: str, call: Function) -> str:
    """What a module does that applies a function: as the operator says it, else by the function's name."""
    from archspec import ops

    known = ops.registered().get(kind)
    doc = (known.__doc__ or "").partition("\n")[0].partition(":")[0].rstrip(".") if known else ""
    return f"{doc}." if doc else f"`{call.target}` as a module."


def _documented(block: Block) -> list[str]:
    from archspec.emit.prose import block_prose

    return block_prose(block)


def _local_names(document: Document) -> set[str]:
    return {name for name, _ in _counted_names(document).items()}


def _counted_names(document: Document) -> Counter[str]:
    """What nodes may be called, and in how many places of one body; the highest count over all bodies."""
    from archspec.emit.walk import _labels, _steps
    from archspec.spec.document import Join, Repeat
    from archspec.spec.document import Table as TableStep
    from archspec.spec.document import Use

    found: Counter[str] = Counter()
    for _, body in document.bodies():
        names = Counter(_labels(body))
        for step in _steps((body,)):
            if isinstance(step, Join):
                names.update(list(step.branches))
            elif isinstance(step, Repeat) and not step.as_:
                names["repeat"] += 1
            elif isinstance(step, Use) and not step.as_:
                names.update([*document.blocks, *_operator_names()])
            elif isinstance(step, TableStep):
                columns = [column.name for column in step.table.columns]
                for row in step.table.rows:
                    cells = dict(zip(columns, row, strict=True))
                    callee = cells.get("block", cells.get("operator", step.table.block))
                    names[str(cells.get("as") or callee)] += 1
        for name in list(names):
            base, _, number = name.rpartition("_")
            if number.isdigit() and base in names:
                names[base] += 1
                names[name] += 1
        found |= names
    return found


def _operator_names() -> list[str]:
    from archspec import ops

    return ops.names()


def _joined(body: Statements) -> Statements:
    """The statements with a module put in its place at once where it was in a variable only to be put there."""
    counts = used(body)
    return _joined_body(body, counts)


def _joined_body(body: Statements, counts: Counter[str]) -> Statements:
    made: list[Any] = []
    for statement in body:
        match statement:
            case If(condition, then, otherwise):
                made.append(If(condition, _joined_body(then, counts), _joined_body(otherwise, counts)))
                continue
            case Put(owner, name, Code(head="name", parts=(variable,))) if made:
                last = made[-1]
                if isinstance(last, Assign) and last.target == variable and counts[str(variable)] == 1:
                    made[-1] = Put(owner, name, last.value)
                    continue
        if hasattr(statement, "body"):
            statement = replace(statement, body=_joined_body(statement.body, counts))  # noqa: PLW2901
        made.append(statement)
    return tuple(made)


def _renamed(body: Statements, scope: Scope) -> Statements:
    """The statements with names for the variables of modules that are asked for their sizes."""
    known: dict[str, str] = {}
    for name in [*targets(body), *used(body)]:
        kind = name.partition(MARK)[0]
        if MARK in name and kind not in known:
            known[kind] = scope.names.new(kind)

    def named(name: str) -> str:
        return known[name.partition(MARK)[0]] if MARK in name else name

    def change(value: Any) -> Any:
        return code.substituted(value, {n: code.name(named(str(n)), n.kind) for n in code.names(value) if MARK in str(n)})

    return _renamed_body(changed(body, change, lambda _: True), named)


def _renamed_body(body: Statements, named: Callable[[str], str]) -> Statements:
    done: list[Any] = []
    for statement in body:
        match statement:
            case Assign(target):
                done.append(replace(statement, target=named(target)))
            case If(condition, then, otherwise):
                done.append(If(condition, _renamed_body(then, named), _renamed_body(otherwise, named)))
            case For():
                done.append(replace(statement, body=_renamed_body(statement.body, named)))
            case _:
                done.append(statement)
    return tuple(done)


def _declared(body: Statements) -> Statements:
    """The statements with the type of a child that is one of several classes said where it is made first."""
    from archspec.emit.statements import flat

    made: dict[str, set[Any]] = {}
    for statement in flat(body):
        match statement:
            case Put("self", str() as name, Code() as value):
                made.setdefault(name, set()).add(value.parts[0])
    several = {name for name, classes in made.items() if len(classes) > 1}
    return _declared_body(body, several)


def _declared_body(body: Statements, several: set[str]) -> Statements:
    done: list[Any] = []
    for statement in body:
        match statement:
            case Put("self", str() as name) if name in several:
                several.remove(name)
                done.append(replace(statement, declared=True))
            case If(condition, then, otherwise):
                done.append(If(condition, _declared_body(then, several), _declared_body(otherwise, several)))
            case For():
                done.append(replace(statement, body=_declared_body(statement.body, several)))
            case _:
                done.append(statement)
    return tuple(done)


def _outs(body: Statements) -> list[tuple[Any, ...]]:
    from archspec.emit.statements import flat, parts

    found = []

    def search(value: Any) -> None:
        if isinstance(value, tuple):
            for part in value:
                search(part)
        elif isinstance(value, Code):
            if value.head == "out":
                found.append(value.parts)
            search(value.parts)

    for statement in flat(body):
        for part in parts(statement):
            search(part)
    return found


def _kinds(body: Statements) -> dict[str, Kind]:
    """The kinds of the variables in statements."""
    from archspec.emit.statements import _all_names, flat, parts

    return {str(n): n.kind for statement in flat(body) for part in parts(statement) for n in _all_names(part)}


__all__ = ["Class", "Definition", "Facts", "Fraction", "Param"]
