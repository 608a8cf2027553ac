"""The state of a walk over one specification: what flows in each body, the nodes so far, the faults that were found.

A fault does not stop the walk: it is noted, what follows goes on from the best guess at the shape, and faults that
could come from that guess alone are not reported. So all the faults of a file come in one run.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn, TypeVar

from pydantic import ValidationError

from archspec import dims, ops
from archspec.errors import ArchspecError, Mark, ShapeError, SpecError, SpecErrors, did_you_mean
from archspec.graph.binding import lookup
from archspec.graph.network import Container, Node, Trace
from archspec.language.document import INPUT, Body, Document, Step
from archspec.language.expression import Expression, Scope
from archspec.language.rules import (
    FLOWING,
    MAX_SIZE,
    block_inputs,
    field_faults,
    flow_sizes,
    label_of,
    signature,
    value_mark,
    words,
)
from archspec.language.values import MAX_PARTS as MAX_NAMES
from archspec.language.values import Value, evaluated
from archspec.ops import Operator, Tensor

V = TypeVar("V")

MAX_STEPS = 20_000
MAX_PARTS = 500


@dataclass(frozen=True, slots=True)
class Flow:
    """What flows: the node it comes from, and its shape; `guessed` once the shape is not certain."""

    name: str
    tensor: Tensor
    guessed: bool = False


@dataclass(slots=True)
class BodyFrame:
    """One body being walked.

    Attributes:
        expansion: The walk over the whole specification.
        scope: What the names of expressions stand for.
        flow: What flows into the next step.
        path: Where its nodes go in the tree of names.
        block: The path of the outermost block that it is a part of; None outside of blocks.
        kind: The name of that block.
        depth: How deep it is nested.
        named: The values that `from` can go back to, shared by all parts of the body.
        places: By the same names, where the step stands in the tree of names.
        root: Where the whole body stands in the tree of names.
        taken: How often each name was asked for under this path.
    """

    expansion: "Expansion"
    scope: Scope
    flow: Flow
    path: str
    block: str | None
    kind: str | None
    depth: int
    named: dict[str, Flow] = field(default_factory=dict)
    taken: dict[str, int] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    root: str = ""

    def inner(self, path: str, values: Mapping[str, Any] | None = None) -> "BodyFrame":
        """A part of the same body under another path: it sees the names, and adds to them."""
        scope = self.scope.within(values or {})
        depth = self.depth + 1
        return BodyFrame(
            self.expansion, scope, self.flow, path, self.block, self.kind, depth, self.named, {}, self.places, self.root
        )

    def part(self) -> "BodyFrame":
        """A part of the same body under the same path."""
        inner = self.inner(self.path)
        inner.taken = self.taken
        return inner

    def see_sizes(self) -> None:
        """Let expressions see the sizes of what flows."""
        values = self.scope.values
        for name in FLOWING:
            values.pop(name, None)
        values.update(flow_sizes(self.flow.tensor.shape))

    def values(self, args: Mapping[str, Value], callee: str = "") -> dict[str, Any]:
        """What arguments come to; of those that are values which a block takes, the names of these."""
        labels = block_inputs(self.expansion.document, callee)
        return {
            name: label_of(value) if name in labels else evaluated(value, self.scope) for name, value in args.items()
        }

    def value_of(self, label: str, key: str, at: Mark | None) -> Flow:
        """The value that has a name, or that a path leads to.

        Raises:
            SpecError: Nothing has it yet.
        """
        found = self.named.get(label)
        if found is None:
            raise SpecError(f"{key}: nothing before this is called '{label}'{did_you_mean(label, self.named)}", at)
        self.expansion.gone_back.setdefault(found.name, set()).add(self.root)
        return replace(found)  # a new value: a branch that only passes this on does something

    def name(self, wanted: str, step: Step | None) -> str:
        """The path of a name that is free here; `step` gave it by `as`, if it did."""
        local = self.local_name(wanted, step)
        return f"{self.path}/{local}" if self.path else local

    def local_name(self, wanted: str, step: Step | None = None) -> str:
        """A name that is free here: as it is, else with _2, _3, … behind it; `step` gave it by `as`, if it did."""
        count = self.taken.get(wanted, 0) + 1
        self.taken[wanted] = count
        if count == 1 and not (wanted in self.expansion.inputs and not self.path):
            return wanted
        if step:
            at = step.value_at("as")
            self.expansion.note(SpecError(f"as: the name '{wanted}' is already taken here; choose another", at), at)
        return self.local_name(f"{wanted}_{max(count, 2)}")

    def place_of(self, label: str, at: Mark | None) -> str:
        """Where the step stands whose weights are shared.

        Raises:
            SpecError: No operator or block before this is called so.
        """
        if label not in self.places:
            hint = did_you_mean(label, self.places)
            raise SpecError(f"share: no operator or block before this is called '{label}'{hint}", at)
        return self.places[label]

    def keep(self, label: str | None, inner: Mapping[str, Flow] | None = None) -> None:
        """Let `from` go back to what flows now, if it has a label; and to the values of the block's body."""
        if label:
            self.named[label] = self.flow
            self.named.update(inside(label, inner or {}))


def inside(label: str, found: Mapping[str, V]) -> dict[str, V]:
    """What is found in a block, by path from where the block is called by a label; not what is too far in."""
    return {f"{label}/{name}": each for name, each in found.items() if name.count("/") < MAX_NAMES - 1}


def bind_lets(lets: Mapping[str, Value], scope: Scope) -> None:
    """Give a scope the names of a `let`, each of which sees those above it."""
    for name, value in lets.items():
        scope.values[name] = evaluated(value, scope)


# ------------------------------------------------------------------ the walk


class ExpansionStoppedError(Exception):
    """Ends the walk; the reason is among the errors."""


class Expansion:
    """The walk over one specification.

    Args:
        document: The specification.
        values: The values of its symbols.
        walk: Walks the steps of a body; handed over, for it calls what calls it.
    """

    def __init__(self, document: Document, values: Mapping[str, Any], walk: Callable[[Body, BodyFrame], None]) -> None:
        self.document = document
        self.walk = walk
        self.nodes: list[Node] = []
        self.traces: list[Trace] = []
        self.containers: dict[str, Container] = {}
        self.errors: list[SpecError] = []
        self.steps = 0
        self.hint = ""  # said once, with the first shape that does not fit
        self.outputs: dict[Any, Tensor] = {}
        self.gone_back: dict[str, set[str]] = {}
        self.taken: dict[str, tuple[Tensor, ...]] = {}
        self.inputs = frozenset({INPUT, *document.shapes})
        self.uses: dict[str, tuple[Mapping[str, Any], Mapping[str, Tensor]]] = {}
        self.globals = Scope(dict(values), words=words(document))
        self.globals.functions = {
            **{name: lookup(name, table) for name, table in document.lookups.items()},
            **dict(self._function(*signature(text), body) for text, body in document.functions.items()),
        }

    def _function(self, name: str, parameters: tuple[str, ...], body: Expression) -> tuple[str, Callable[..., Any]]:
        def call(*args: Any) -> Any:
            return body.evaluate(self.globals.within(dict(zip(parameters, args, strict=True))))

        return name, call

    # -------------------------------------------------------------- faults

    def count(self, step: Step) -> None:
        """Count a step; the walk ends where there are too many."""
        self.steps += 1
        if self.steps > MAX_STEPS:
            self.stop(f"the network has more than {MAX_STEPS:,} steps", step.at)

    def stop(self, message: str, at: Mark | None) -> NoReturn:
        """End the walk: the network is larger than any network."""
        self.errors.append(SpecError(message, at))
        raise ExpansionStoppedError

    def fault(self, error: ArchspecError, at: Mark | None, frame: BodyFrame) -> None:
        """Note a fault, unless it may come from a guess; what flows on is a guess from now on."""
        if not frame.flow.guessed:
            self.note(error, at)
        frame.flow = Flow(frame.flow.name, frame.flow.tensor, guessed=True)

    def note(self, error: ArchspecError, at: Mark | None) -> None:
        """Note a fault with its place, or else with that of its step."""
        faults = error.errors if isinstance(error, SpecErrors) else [error]
        placed = (each if isinstance(each, SpecError) else SpecError(str(each), at) for each in faults)
        self.errors.extend(each if each.at else SpecError(each.message, at) for each in placed)
        if len(self.errors) > SpecErrors.shown:
            raise ExpansionStoppedError

    # -------------------------------------------------------------- nodes

    def add_node(
        self,
        callee: str,
        args: Mapping[str, Any],
        inputs: tuple[Flow, ...],
        name: str,
        step: Step,
        frame: BodyFrame,
    ) -> None:
        """Put an operator behind its inputs."""
        tensors = tuple([value.tensor for value in inputs])
        guessed = any(value.guessed for value in inputs)
        operator = make_operator(callee, args, name, step)
        try:
            output = self._output(operator, tensors)
        except ShapeError as error:
            if not guessed:
                hint = f" ({self.hint})" if self.hint else ""
                at = step.key_at(error.setting) if error.setting in args else step.at
                self.note(SpecError(f"{name}: {error}{hint}", at), step.at)
                self.hint = ""
            output, guessed = guessed_output(operator, tensors, guessed)
        if any(dims.parts(size) > MAX_PARTS for size in output.shape):
            self.stop(f"{name}: a size is an expression of more than {MAX_PARTS} parts; bind a symbol", step.at)
        sources = tuple([value.name for value in inputs])
        self.taken[name] = tensors
        self.nodes.append(Node(name, operator, sources, output, frame.block or name, frame.kind or callee, step.at))
        frame.flow = Flow(name, output, guessed)

    def _output(self, operator: Operator, tensors: tuple[Tensor, ...]) -> Tensor:
        """The shape of the result, all facts checked; worked out once for one operator on one shape."""
        return dims.remembered(self.outputs, (id(operator), tensors), lambda: checked_output(operator, tensors))

    def tensors(self, node: Node) -> tuple[Tensor, ...]:
        """The shapes that flow into a node."""
        return self.taken[node.name]

    def checkpoint(self, frame: BodyFrame) -> Callable[[], None]:
        """What lets the walk forget all that it finds from now on."""
        flow, named, containers = frame.flow, dict(frame.named), dict(self.containers)
        nodes, traces, errors = len(self.nodes), len(self.traces), len(self.errors)

        def go_back() -> None:
            frame.flow = flow
            frame.named.clear()
            frame.named.update(named)  # the mapping is shared by all parts of one body
            self.containers = containers
            del self.nodes[nodes:], self.traces[traces:], self.errors[errors:]

        return go_back


# ------------------------------------------------------------------ operators, each made once


MAX_OPERATORS = 4096


def make_operator(callee: str, args: Mapping[str, Any], name: str, step: Step) -> Operator:
    """An operator with its fields checked; one that was made before is the same object.

    Args:
        callee: The operator's name.
        args: Its fields.
        name: The name of the node, for messages.
        step: Where the arguments stand.

    Raises:
        SpecErrors: Fields cannot have their values.
    """

    def made() -> tuple[Operator, tuple[Any, ...]]:
        with dims.recording() as conditions:
            operator = _operator(callee, args, name, step)
        return operator, tuple(conditions)

    key = (callee, tuple([(field, _typed(value)) for field, value in args.items()]))
    if len(_operators) >= MAX_OPERATORS:
        _operators.clear()
    operator, taken = dims.remembered(_operators, key, made)
    for condition in taken:
        dims.record(condition)
    return operator


_operators: dict[Any, tuple[Operator, tuple[Any, ...]]] = {}
"""Operators made before, by name and fields, each with the conditions under which its fields can have their values:
they never change, and most come in every expansion."""


def _typed(value: Any) -> Any:
    """A key for a value that tells 1 from true."""
    return tuple(map(_typed, value)) if type(value) is tuple else (type(value), value)


def _operator(callee: str, args: Mapping[str, Any], name: str, step: Step) -> Operator:
    try:
        return ops.operator(callee)(**args)
    except ValidationError:
        values = getattr(step, "args", {})
        raise SpecErrors(
            SpecError(f"{name}: {key} {reason}", value_mark(values.get(key)) or step.value_at(key))
            for key, reason in field_faults(callee, args)
        ) from None


def checked_output(operator: Operator, tensors: tuple[Tensor, ...]) -> Tensor:
    """The shape of the result; refuses weights that do not fit, and sizes beyond all networks."""
    output = operator.output(*tensors)
    operator.weights(*tensors)
    for size in output.shape:
        if type(size) is int and not 0 < size <= MAX_SIZE:
            raise ShapeError(f"the result {output} has a size that is not from 1 to {MAX_SIZE}")
        dims.at_least_one(size)
    return output


def guessed_output(operator: Operator, tensors: tuple[Tensor, ...], guessed: bool) -> tuple[Tensor, bool]:
    """The shape to go on with after a fault: certain if only the weights do not fit, else that of the first input."""
    try:
        return operator.output(*tensors), guessed
    except ArchspecError:
        return tensors[0], True
