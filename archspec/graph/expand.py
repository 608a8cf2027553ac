"""From a specification and the values of its symbols to a network, with the shapes inferred on the way."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any

from archspec import dims
from archspec.errors import ArchspecError, SpecError, SpecErrors
from archspec.graph.binding import batch_size, bind
from archspec.graph.calls import walk_call, walk_repeat, walk_table, walk_use
from archspec.graph.expansion import MAX_STEPS, BodyFrame, Expansion, ExpansionStoppedError, Flow, bind_lets
from archspec.graph.network import OUTPUT, Container, Network
from archspec.language.document import (
    Body,
    Call,
    Document,
    From,
    Group,
    Join,
    Repeat,
    Step,
    TableStep,
    Use,
    When,
)
from archspec.language.expression import Expression
from archspec.language.rules import MAX_SIZE, channels_last
from archspec.ops import Tensor

__all__ = ["MAX_DEPTH", "MAX_SIZE", "MAX_STEPS", "bind", "expand"]

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
        expansion = Expansion(document, values, walk_body)
        inputs, outputs = _run(expansion, batch_size(batch))
    choices = {name: symbol.choices for name, symbol in document.symbols.items() if symbol.choices}
    return Network(
        name=document.name,
        bindings=values,
        batch=next(iter(inputs.values())).shape[0],
        inputs=inputs,
        nodes=tuple(expansion.nodes),
        outputs=outputs,
        conditions=tuple(condition for condition in conditions if not condition.holds_for(choices)),
        traces=tuple(expansion.traces),
        containers=expansion.containers,
        gone_back={name: tuple(sorted(roots)) for name, roots in expansion.gone_back.items()},
        document=document,
    )


def first_use(document: Document, block: str) -> tuple[Mapping[str, Any], Mapping[str, Tensor]] | None:
    """What a block is given where it is used first, and the shapes that it takes there; None if nothing uses it.

    Raises:
        SpecErrors: The network cannot be built as far as that; faults behind it do not matter.
    """
    with dims.recording({}):
        expansion = Expansion(document, bind(document, {}, ()), walk_body)
        try:
            _run(expansion, 1)
        except SpecErrors:
            if block not in expansion.uses:
                raise
    return expansion.uses.get(block)


def _run(expansion: Expansion, batch: Any) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Walk the network's body: the shapes of its inputs, and of its outputs the nodes whose results they are."""
    document = expansion.document
    inputs = {
        name: Tensor((batch, *(_input_size(size, expansion) for size in sizes)))
        for name, sizes in document.shapes.items()
    }
    if expansion.errors:
        raise SpecErrors(expansion.errors)
    flows = [Flow(name, tensor) for name, tensor in inputs.items()]
    expansion.hint = channels_last(flows[0].tensor.shape[1:]) if len(flows) == 1 else ""
    bind_lets(document.let, expansion.globals)
    frame = BodyFrame(expansion, expansion.globals.within({}), flows[0], "", None, None, 0)
    frame.named.update((flow.name, flow) for flow in flows)
    with suppress(ExpansionStoppedError):
        walk_body(document.network, frame)
    if expansion.errors:
        raise SpecErrors(expansion.errors)
    if not expansion.nodes:
        raise SpecErrors([SpecError("the network has no layers", document.key_at("network"))])
    return inputs, _outputs(document, frame)


def _outputs(document: Document, frame: BodyFrame) -> dict[str, str]:
    """Of each output the node whose result it is; what flows at the end, where none are named."""
    found = {}
    for number, label in enumerate(document.outputs):
        at = document.places.get(f"outputs[{number}]") or document.key_at("outputs")
        try:
            found[label] = frame.value_of(label, "outputs", at).name
        except SpecError as error:
            raise SpecErrors([error]) from None
    return found or {OUTPUT: frame.flow.name}


def _input_size(size: Expression, expansion: Expansion) -> Any:
    try:
        value = size.evaluate(expansion.globals)
    except SpecError as error:
        expansion.errors.append(error)
        return 1
    if dims.is_number(value) and not (isinstance(value, int) and 0 < value <= MAX_SIZE):
        fault = f"a size of the input must be a whole number from 1 (got {value})"
    elif not dims.is_dim(value):
        fault = f"a size of the input must be a number (got {value})"
    elif not dims.is_whole(value):
        fault = f"a size of the input must be a whole number (got {value})"
    else:
        dims.at_least_one(value)
        return value
    expansion.errors.append(SpecError(fault, size.at))
    return value


# ------------------------------------------------------------------ bodies and steps


def walk_body(body: Body, frame: BodyFrame) -> None:
    """The steps of a body, one after the other."""
    expansion = frame.expansion
    if frame.depth > MAX_DEPTH:
        expansion.stop(f"blocks nested more than {MAX_DEPTH} deep", body[0].at if body else None)
    for step in body:
        expansion.count(step)
        frame.see_sizes()
        try:
            _WALKS[type(step)](step, frame)
        except ArchspecError as error:
            expansion.fault(error, step.at, frame)


def _walk_group(step: Group, frame: BodyFrame) -> None:
    if step.as_:
        inner = frame.inner(frame.name(step.as_, step))
        frame.expansion.containers[inner.path] = Container("group")
    else:
        inner = frame.part()
    inner.see_sizes()
    bind_lets(step.let, inner.scope)
    walk_body(step.body, inner)
    frame.flow = inner.flow
    frame.keep(step.as_)


def _walk_when(step: When, frame: BodyFrame) -> None:
    value = step.when.evaluate(frame.scope)
    if not isinstance(value, bool):
        raise SpecError(f"expected a condition, found {value}", step.when.at)
    body = step.then if value else step.else_
    if body:
        inner = frame.part()
        walk_body(body, inner)
        frame.flow = inner.flow


def _walk_from(step: From, frame: BodyFrame) -> None:
    frame.flow = frame.value_of(step.from_, "from", step.value_at("from"))


def _walk_join(step: Join, frame: BodyFrame) -> None:
    results = []
    path = f"{frame.path}/" if frame.path else ""
    name = frame.name(step.as_ or step.operator, step if step.as_ else None)
    for branch, body in step.branches.items():
        inner = frame.inner(path + frame.local_name(branch))
        frame.expansion.containers[inner.path] = Container("branch")
        walk_body(body, inner)
        if inner.flow is not frame.flow:
            results.append(inner.flow)
    if not results:
        raise SpecError(f"no branch of {step.operator} does anything; write [identity] to pass the input on", step.at)
    if len(results) == 1:
        frame.flow = results[0]
    else:
        frame.expansion.add_node(step.operator, frame.values(step.args), tuple(results), name, step, frame)
    frame.keep(step.as_)


_WALKS: Mapping[type[Step], Callable[[Any, BodyFrame], None]] = {
    Call: walk_call,
    Use: walk_use,
    Group: _walk_group,
    When: _walk_when,
    Repeat: walk_repeat,
    From: _walk_from,
    TableStep: walk_table,
    Join: _walk_join,
}
