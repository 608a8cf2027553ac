"""From a specification and the values of its symbols to a network, with the shapes inferred on the way.

A fault does not stop the walk: it is noted, what follows goes on from the best guess at the shape, and faults that
could come from that guess alone are not reported. So all the faults of a file come in one run.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn

from archspec import dims, ops
from archspec.errors import (
    ArchspecError,
    Mark,
    ShapeError,
    SpecError,
    SpecErrors,
    UndecidableError,
    did_you_mean,
)
from archspec.graph.binding import batch_size, bind
from archspec.graph.lookup import lookup
from archspec.graph.network import INPUT, Container, Network, Node, Trace
from archspec.graph.operators import checked_output, guessed_output, make_operator
from archspec.language.document import (
    Block,
    Body,
    Call,
    Document,
    From,
    Group,
    Join,
    Repeat,
    Step,
    TableRows,
    TableStep,
    Use,
    When,
)
from archspec.language.expression import Expression, Scope
from archspec.language.rules import (
    FLOWING,
    MAX_SIZE,
    arguments,
    channels_last,
    flow_sizes,
    repeat_fault,
    signature,
    value_mark,
    words,
)
from archspec.language.steps import CALLEE
from archspec.language.values import Value
from archspec.ops import Operator, Tensor

__all__ = ["MAX_DEPTH", "MAX_SIZE", "MAX_STEPS", "bind", "expand"]

MAX_STEPS = 20_000
MAX_DEPTH = 60


def expand(
    document: Document,
    bindings: Mapping[str, Any] | None = None,
    *,
    free: Iterable[str] = (),
    batch: Any = 1,
) -> Network:
    """The network of a specification.

    What free symbols leave open, such as a branch, is decided as their defaults decide it, and recorded among the
    network's conditions; within a `dims.recording(values)`, as these values do.

    Args:
        document: The specification.
        bindings: Values for symbols; the others are at their defaults. Numbers may be given as text, Fraction, Decimal
            or float; a float is read as its shortest decimal.
        free: Symbols to leave free; their sizes are SymPy expressions.
        batch: How many inputs at once.

    Raises:
        BindingError: A symbol that does not exist, or a value that it cannot have.
        SpecErrors: The network cannot be built; all faults are named.
    """
    free = tuple(free)
    decisive = dims.values_at_hand()
    if decisive is None:
        decisive = {name: document.symbols[name].default for name in free if name in document.symbols}
    with dims.recording(decisive) as conditions:
        values = bind(document, bindings or {}, free)
        walk = _Expansion(document, values)
        tensor, output = walk.run(batch_size(batch))
    choices = {name: symbol.choices for name, symbol in document.symbols.items() if symbol.choices}
    return Network(
        name=document.name,
        bindings=values,
        batch=tensor.shape[0],
        input=tensor,
        nodes=tuple(walk.nodes),
        output=output,
        conditions=tuple(condition for condition in conditions if not condition.holds_for(choices)),
        traces=tuple(walk.traces),
        uses=walk.uses,
        containers=walk.containers,
        document=document,
    )


@dataclass(frozen=True, slots=True)
class _Value:
    """What flows: the node it comes from, and its shape; `guessed` once the shape is not certain."""

    name: str
    tensor: Tensor
    guessed: bool = False


@dataclass(slots=True)
class _Frame:
    """One body being walked: its names, what flows, and where its nodes go in the tree of names."""

    scope: Scope
    flow: _Value
    path: str
    block: str | None
    kind: str | None
    depth: int
    named: dict[str, _Value] = field(default_factory=dict)
    taken: dict[str, int] = field(default_factory=dict)

    def inner(self, path: str, values: Mapping[str, Any] | None = None) -> "_Frame":
        """A part of the same body under another path: it sees the names, and adds to them."""
        return _Frame(
            self.scope.within(values or {}), self.flow, path, self.block, self.kind, self.depth + 1, self.named, {}
        )


@dataclass(frozen=True, slots=True)
class _WayBack:
    """What a walk has found up to a place to which it may go back; of nodes, traces and errors, how many."""

    flow: _Value
    named: dict[str, _Value]
    containers: dict[str, Container]
    lengths: tuple[int, int, int]


class _Expansion:
    """The walk over one specification."""

    def __init__(self, document: Document, values: Mapping[str, Any]) -> None:
        self.document = document
        self.nodes: list[Node] = []
        self.traces: list[Trace] = []
        self.containers: dict[str, Container] = {}
        self.errors: list[SpecError] = []
        self.steps = 0
        self.hint = ""  # said once, with the first shape that does not fit
        self.outputs: dict[Any, Tensor] = {}
        self.uses: dict[str, tuple[Mapping[str, Any], Tensor]] = {}
        self.globals = Scope(dict(values), words=words(document))
        self.globals.functions = {
            **{name: lookup(name, table) for name, table in document.lookups.items()},
            **dict(self._functions()),
        }

    def _functions(self) -> Iterator[tuple[str, Callable[..., Any]]]:
        for text, body in self.document.functions.items():
            name, parameters = signature(text)
            yield name, self._function(parameters, body)

    def _function(self, parameters: tuple[str, ...], body: Expression) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            return body.evaluate(self.globals.within(dict(zip(parameters, args, strict=True))))

        return call

    def run(self, batch: Any) -> tuple[Tensor, str]:
        """Walk the network's body: the shape of its input, and the name of the node whose result is its output."""
        document = self.document
        tensor = Tensor((batch, *(self._input_size(size) for size in document.input)))
        if self.errors:
            raise SpecErrors(self.errors)
        self.hint = channels_last(tensor.shape[1:])
        self._lets(document.let, self.globals)
        frame = _Frame(self.globals.within({}), _Value(INPUT, tensor), "", None, None, 0)
        frame.named[INPUT] = frame.flow
        with suppress(_StopError):
            self._body(document.network, frame)
        if self.errors:
            raise SpecErrors(self.errors)
        if not self.nodes:
            raise SpecErrors([SpecError("the network has no layers", document.key_at("network"))])
        return tensor, frame.flow.name

    def _input_size(self, size: Expression) -> Any:
        try:
            value = size.evaluate(self.globals)
        except SpecError as error:
            self.errors.append(error)
            return 1
        if dims.is_number(value) and not (isinstance(value, int) and 0 < value <= MAX_SIZE):
            self.errors.append(SpecError(f"a size of the input must be a whole number from 1 (got {value})", size.at))
        elif not dims.is_dim(value):
            self.errors.append(SpecError(f"a size of the input must be a number (got {value})", size.at))
        elif not dims.is_whole(value):
            self.errors.append(SpecError(f"a size of the input must be a whole number (got {value})", size.at))
        else:
            dims.at_least_one(value)
        return value

    # -------------------------------------------------------------- bodies and steps

    def _body(self, body: Body, frame: _Frame) -> None:
        if frame.depth > MAX_DEPTH:
            self._stop(f"blocks nested more than {MAX_DEPTH} deep", body[0].at if body else None)
        for step in body:
            self._count(step)
            self._sizes_in_scope(frame)
            try:
                _WALKS[type(step)](self, step, frame)
            except ArchspecError as error:
                self._fault(error, step.at, frame)

    def _count(self, step: Step) -> None:
        self.steps += 1
        if self.steps > MAX_STEPS:
            self._stop(f"the network has more than {MAX_STEPS:,} steps", step.at)

    def _stop(self, message: str, at: Mark | None) -> NoReturn:
        """End the walk: the network is larger than any network."""
        self.errors.append(SpecError(message, at))
        raise _StopError

    def _fault(self, error: ArchspecError, at: Mark | None, frame: _Frame) -> None:
        """Note a fault, unless it may come from a guess; what flows on is a guess from now on."""
        if not frame.flow.guessed:
            self._note(error, at)
        frame.flow = _Value(frame.flow.name, frame.flow.tensor, guessed=True)

    def _note(self, error: ArchspecError, at: Mark | None) -> None:
        faults = error.errors if isinstance(error, SpecErrors) else [error]
        self.errors.extend(e if isinstance(e, SpecError) and e.at else SpecError(_sentence(e), at) for e in faults)
        if len(self.errors) > SpecErrors.shown:
            raise _StopError

    def _sizes_in_scope(self, frame: _Frame) -> None:
        values = frame.scope.values
        for name in FLOWING:
            values.pop(name, None)
        values.update(flow_sizes(frame.flow.tensor.shape))

    def _call(self, step: Call, frame: _Frame) -> None:
        args = {name: self._value(value, frame.scope) for name, value in step.args.items()}
        before = frame.flow.tensor
        self._apply(step.name, args, step, frame)
        if not frame.path:  # a step of the network itself, not of a block
            after = frame.flow
            self.traces.append(Trace(tuple(args), after.name, step.name, step.args, args, None, before, after.tensor))

    def _use(self, step: Use, frame: _Frame) -> None:
        callee = step.use.evaluate(frame.scope)
        if callee not in self.document.blocks and not (isinstance(callee, str) and ops.find(callee)):
            hint = did_you_mean(str(callee), [*ops.names(), *self.document.blocks]) or "; give the name of one"
            raise SpecError(f"use: '{callee}' is not an operator or a block{hint}", step.use.at)
        if callee in ops.joins():
            raise SpecError(f"use: '{callee}' takes branches: {callee}: [[…], […]]", step.use.at)
        args = {name: self._value(value, frame.scope) for name, value in step.args.items()}
        self._check_arguments(callee, args, step)
        self._apply(callee, args, step, frame)

    def _check_arguments(self, callee: str, args: Mapping[str, Any], step: Step) -> None:
        allowed, required = arguments(self.document, callee)
        unknown = [name for name in args if name not in allowed]
        missing = [name for name in required if name not in args]
        if unknown:
            hint = did_you_mean(unknown[0], allowed) or (f"; it takes {', '.join(allowed)}" if allowed else "")
            raise SpecError(f"'{callee}' has no argument '{unknown[0]}'{hint}", step.key_at(f"with.{unknown[0]}"))
        if missing:
            raise SpecError(f"'{callee}' needs {' and '.join(map(repr, missing))}", step.at)

    def _apply(self, callee: str, args: Mapping[str, Any], step: Step, frame: _Frame, name: str | None = None) -> None:
        """Put an operator or the body of a block into the network, after what flows in the frame."""
        label = name or step.as_
        name = self._name(label or callee, frame, step if label else None)
        block = self.document.blocks.get(callee)
        if block is None:
            self._operator(callee, args, (frame.flow,), name, step, frame)
        else:
            self._block(callee, block, args, name, frame)
        if step.as_:
            frame.named[step.as_] = frame.flow

    def _block(self, callee: str, block: Block, args: Mapping[str, Any], name: str, frame: _Frame) -> None:
        self.containers[name] = Container(callee, args)
        scope = self.globals.within({})
        inner = _Frame(scope, frame.flow, name, frame.block or name, frame.kind or callee, frame.depth + 1)
        inner.named[INPUT] = frame.flow
        self._sizes_in_scope(inner)
        for arg, default in block.args.items():
            scope.values[arg] = args[arg] if arg in args else self._value(default, scope)
        if callee not in self.uses:
            self.uses[callee] = ({**scope.values, **self._own_defaults(block, scope)}, inner.flow.tensor)
        self._lets(block.let, scope)
        self._body(block.body, inner)
        frame.flow = inner.flow

    def _own_defaults(self, block: Block, scope: Scope) -> dict[str, Any]:
        """The arguments of a block that have a default, at that, as far as it has a value here."""
        defaults: dict[str, Any] = {}
        inner = scope.within({})
        for arg, default in block.args.items():
            if not Block.is_required(default):
                with suppress(ArchspecError), dims.recording():
                    defaults[arg] = inner.values[arg] = self._value(default, inner)
        return defaults

    def _group(self, step: Group, frame: _Frame) -> None:
        path = self._name(step.as_, frame, step) if step.as_ else frame.path
        inner = frame.inner(path)
        if step.as_:
            self.containers[path] = Container("group")
        else:
            inner.taken = frame.taken
        self._sizes_in_scope(inner)
        self._lets(step.let, inner.scope)
        self._body(step.body, inner)
        frame.flow = inner.flow
        if step.as_:
            frame.named[step.as_] = frame.flow

    def _when(self, step: When, frame: _Frame) -> None:
        chosen = self._condition(step.when, frame.scope)
        body = step.then if chosen else step.else_
        if body:
            inner = frame.inner(frame.path)
            inner.taken = frame.taken
            self._body(body, inner)
            frame.flow = inner.flow

    def _condition(self, condition: Expression, scope: Scope) -> bool:
        value = condition.evaluate(scope)
        if not isinstance(value, bool):
            raise SpecError(f"expected a condition, found {value}", condition.at)
        return value

    def _repeat(self, step: Repeat, frame: _Frame) -> None:
        times = step.repeat.evaluate(frame.scope)
        path = self._name(step.as_ or "repeat", frame, step if step.as_ else None)
        if step.index:
            times = dims.settled(times)
        self.containers[path] = Container("repeat")

        def walk(unit: int) -> None:
            self._count(step)
            inner = frame.inner(f"{path}/unit{unit + 1}", {step.index: unit} if step.index else None)
            self.containers[inner.path] = Container("unit")
            self._body(step.body, inner)
            frame.flow = inner.flow

        self._times("repeat", times, walk, frame, step.repeat.at)
        if step.as_:
            frame.named[step.as_] = frame.flow

    def _times(self, key: str, times: Any, walk: Callable[[int], None], frame: _Frame, at: Mark | None) -> None:
        """Walk each unit of a repeat; if their number is an expression, the first and one that stands for the others.

        Units are the same as soon as one gives the shape that it takes.
        """
        if not dims.is_symbolic(times):
            if fault := repeat_fault(key, times):
                raise SpecError(fault, at)
            for unit in range(times):
                walk(unit)
            return
        if not dims.is_whole(times):
            raise SpecError(f"{key} must be a whole number (got {times})", at)
        dims.at_least_one(times)
        walk(0)
        first, taken = len(self.nodes), frame.flow.tensor
        back = self._way_back(frame)
        with dims.recording() as conditions:
            walk(1)
        if frame.flow.tensor == taken and frame.flow.guessed == back.flow.guessed:
            for condition in conditions:
                dims.record(condition)
            self.nodes[first:] = [replace(node, times=node.times * (times - 1)) for node in self.nodes[first:]]
            return
        shapes = f"the next takes {taken} and gives {frame.flow.tensor}"
        self._go_back(back, frame)
        try:
            units = dims.settled(times)
        except UndecidableError:
            raise UndecidableError(f"the units of this {key} differ: {shapes}; bind {times}") from None
        for unit in range(1, units):
            walk(unit)

    def _way_back(self, frame: _Frame) -> "_WayBack":
        """What the walk has found so far."""
        lengths = (len(self.nodes), len(self.traces), len(self.errors))
        return _WayBack(frame.flow, dict(frame.named), dict(self.containers), lengths)

    def _go_back(self, back: "_WayBack", frame: _Frame) -> None:
        """Forget what the walk has found since."""
        frame.flow = back.flow
        frame.named.clear()
        frame.named.update(back.named)  # the mapping is shared by all parts of one body
        self.containers = back.containers
        nodes, traces, errors = back.lengths
        del self.nodes[nodes:], self.traces[traces:], self.errors[errors:]

    def _from(self, step: From, frame: _Frame) -> None:
        found = frame.named.get(step.from_)
        if found is None:
            raise SpecError(f"from: nothing before this is called '{step.from_}'", step.value_at("from"))
        frame.flow = replace(found)  # a new value: a branch that only passes this on does something

    def _join(self, step: Join, frame: _Frame) -> None:
        results = []
        path = f"{frame.path}/" if frame.path else ""
        name = self._name(step.as_ or step.operator, frame, step if step.as_ else None)
        for branch, body in step.branches.items():
            inner = frame.inner(path + self._local(branch, frame))
            self.containers[inner.path] = Container("branch")
            self._body(body, inner)
            if inner.flow is not frame.flow:
                results.append(inner.flow)
        if not results:
            raise SpecError(
                f"no branch of {step.operator} does anything; write [identity] to pass the input on", step.at
            )
        if len(results) == 1:
            frame.flow = results[0]
        else:
            args = {name: self._value(value, frame.scope) for name, value in step.args.items()}
            self._operator(step.operator, args, tuple(results), name, step, frame)
        if step.as_:
            frame.named[step.as_] = frame.flow

    def _table(self, step: TableStep, frame: _Frame) -> None:
        table = step.table
        names = tuple(column.name for column in table.columns)
        for number, row in enumerate(table.rows):
            cells = dict(zip(names, row, strict=True))
            marks = {f"{key}:": mark for key, cell in cells.items() if (mark := value_mark(cell))}
            place = Step().placed(table.key_at(f"rows[{number}]"), marks)
            self._count(place)
            self._sizes_in_scope(frame)
            try:
                self._row(table, cells, place, frame)
            except ArchspecError as error:
                self._fault(error, place.at, frame)

    def _row(self, table: TableRows, cells: dict[str, Value | None], place: Step, frame: _Frame) -> None:
        given = {k: v for k, v in cells.items() if k not in CALLEE and k != "as"}
        callee = next((str(cells[key]) for key in CALLEE if key in cells), table.block or "")
        nominal = {k: None if v is None else self._value(v, frame.scope) for k, v in given.items()}
        built = self._built(table, nominal, frame.scope)
        label = None if cells.get("as") is None else str(cells["as"])
        before = frame.flow.tensor
        if table.repeat is None:
            self._apply(callee, built, place, frame, label)
            name = frame.flow.name
        else:
            times = built.pop(table.repeat, None)
            name = self._name(label or callee, frame, place if label else None)
            self.containers[name] = Container("repeat")
            walk = self._unit(table, callee, built, nominal, name, place, frame)
            self._times(table.repeat, times, walk, frame, place.value_at(table.repeat))
        if label is not None:
            frame.named[label] = frame.flow
        self.traces.append(Trace(tuple(cells), name, callee, nominal, built, id(table), before, frame.flow.tensor))

    def _unit(
        self,
        table: TableRows,
        callee: str,
        built: dict[str, Any],
        nominal: Mapping[str, Any],
        name: str,
        place: Step,
        frame: _Frame,
    ) -> Callable[[int], None]:
        """What puts a unit of a row into the network, by its number from 0."""
        args = built

        def walk(unit: int) -> None:
            nonlocal args
            if unit == 1:
                later = {key: self._value(value, frame.scope) for key, value in table.after_first.items()}
                args = self._built(table, {**nominal, **later}, frame.scope)
                args.pop(table.repeat or "", None)
            inner = frame.inner(name)
            self._sizes_in_scope(inner)
            self._count(place)
            self._apply(callee, args, place, inner, f"unit{unit + 1}")
            frame.flow = inner.flow

        return walk

    def _built(self, table: TableRows, nominal: Mapping[str, Any], scope: Scope) -> dict[str, Any]:
        """What the header makes of the numbers of a row; empty cells are left out."""
        values = {key: value for key, value in nominal.items() if value is not None}
        headers = {column.name: column.built for column in table.columns}
        inner = scope.within(values)
        return {
            key: value if (header := headers.get(key)) is None else header.evaluate(inner)
            for key, value in values.items()
        }

    # -------------------------------------------------------------- operators

    def _operator(
        self,
        callee: str,
        args: Mapping[str, Any],
        inputs: tuple[_Value, ...],
        name: str,
        step: Step,
        frame: _Frame,
    ) -> None:
        tensors = tuple([value.tensor for value in inputs])
        guessed = any(value.guessed for value in inputs)
        operator = make_operator(callee, args, name, step)
        try:
            output = self._output(operator, tensors)
        except ShapeError as error:
            if not guessed:
                hint = f" ({self.hint})" if self.hint else ""
                self._note(SpecError(f"{name}: {error}{hint}", step.at), step.at)
                self.hint = ""
            output, guessed = guessed_output(operator, tensors, guessed)
        sources = tuple([value.name for value in inputs])
        self.nodes.append(Node(name, operator, sources, output, frame.block or name, frame.kind or callee, step.at))
        frame.flow = _Value(name, output, guessed)

    def _output(self, operator: Operator, tensors: tuple[Tensor, ...]) -> Tensor:
        """The shape of the result, all facts checked; worked out once for one operator on one shape."""
        key = (id(operator), tensors)
        try:
            known = self.outputs.get(key)
        except TypeError:  # an array has no hash
            return checked_output(operator, tensors)
        if known is None:
            known = self.outputs[key] = checked_output(operator, tensors)
        return known

    # -------------------------------------------------------------- names and values

    def _name(self, local: str, frame: _Frame, named: Step | None) -> str:
        local = self._local(local, frame, named)
        return f"{frame.path}/{local}" if frame.path else local

    def _local(self, local: str, frame: _Frame, named: Step | None = None) -> str:
        """A name that is free in this frame: as it is, else with _2, _3, … behind it; `named` gave it by `as`."""
        count = frame.taken.get(local, 0) + 1
        frame.taken[local] = count
        if count == 1 and not (local == INPUT and not frame.path):
            return local
        if named:
            at = named.value_at("as")
            self._note(SpecError(f"as: the name '{local}' is already taken here; choose another", at), at)
        return self._local(f"{local}_{max(count, 2)}", frame)

    def _value(self, value: Value, scope: Scope) -> Any:
        if isinstance(value, tuple):
            return tuple(self._value(part, scope) for part in value)
        return value.evaluate(scope)

    def _lets(self, lets: Mapping[str, Value], scope: Scope) -> None:
        for name, value in lets.items():
            scope.values[name] = self._value(value, scope)


_WALKS: Mapping[type[Step], Callable[[_Expansion, Any, _Frame], None]] = {
    Call: _Expansion._call,
    Use: _Expansion._use,
    Group: _Expansion._group,
    When: _Expansion._when,
    Repeat: _Expansion._repeat,
    From: _Expansion._from,
    TableStep: _Expansion._table,
    Join: _Expansion._join,
}


class _StopError(Exception):
    """Ends the walk; the reason is among the errors."""


def _sentence(error: ArchspecError) -> str:
    return error.message if isinstance(error, SpecError) else str(error)
