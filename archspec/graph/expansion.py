"""The state of a walk over one specification: its nodes and containers, and the faults that were found.

A fault does not stop the walk: it is noted, what follows goes on from the best guess at the shape, and faults that
could come from that guess alone are not reported. So all the faults of a file come in one run.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from archspec import dims
from archspec.errors import ArchspecError, Mark, ShapeError, SpecError, SpecErrors
from archspec.graph.frame import BodyFrame, Flow
from archspec.graph.lookup import lookup
from archspec.graph.network import Container, Node, Trace
from archspec.graph.operators import checked_output, guessed_output, make_operator
from archspec.language.document import INPUT, Body, Document, Step
from archspec.language.expression import Expression, Scope
from archspec.language.rules import signature, words
from archspec.ops import Operator, Tensor

MAX_STEPS = 20_000
MAX_PARTS = 500


class ExpansionStoppedError(Exception):
    """Ends the walk; the reason is among the errors."""


@dataclass(frozen=True, slots=True)
class SavedWalk:
    """What a walk has found up to a place to which it may go back; of nodes, traces and errors, how many."""

    flow: Flow
    named: dict[str, Flow]
    containers: dict[str, Container]
    lengths: tuple[int, int, int]


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
        self.errors.extend(e if isinstance(e, SpecError) and e.at else SpecError(_sentence(e), at) for e in faults)
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
        key = (id(operator), tensors)
        try:
            known = self.outputs.get(key)
        except TypeError:  # an array has no hash
            return checked_output(operator, tensors)
        if known is None:
            known = self.outputs[key] = checked_output(operator, tensors)
        return known

    def tensors(self, node: Node) -> tuple[Tensor, ...]:
        """The shapes that flow into a node."""
        return self.taken[node.name]

    def checkpoint(self, frame: BodyFrame) -> SavedWalk:
        """What the walk has found so far."""
        lengths = (len(self.nodes), len(self.traces), len(self.errors))
        return SavedWalk(frame.flow, dict(frame.named), dict(self.containers), lengths)

    def go_back(self, to: SavedWalk, frame: BodyFrame) -> None:
        """Forget what the walk has found since."""
        frame.flow = to.flow
        frame.named.clear()
        frame.named.update(to.named)  # the mapping is shared by all parts of one body
        self.containers = to.containers
        nodes, traces, errors = to.lengths
        del self.nodes[nodes:], self.traces[traces:], self.errors[errors:]


def _sentence(error: ArchspecError) -> str:
    return error.message if isinstance(error, SpecError) else str(error)
