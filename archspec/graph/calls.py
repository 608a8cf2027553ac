"""Operators and blocks: what a call of one puts into the network."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from archspec import dims, ops
from archspec.errors import ArchspecError, Mark, SpecError, did_you_mean
from archspec.graph.frame import BodyFrame, Flow, bind_lets
from archspec.graph.network import Container, Trace
from archspec.graph.sharing import share
from archspec.language.document import INPUT, Block, Call, Document, Step, Use
from archspec.language.expression import Scope
from archspec.language.rules import arguments, block_inputs, from_fault
from archspec.language.values import MAX_PARTS, evaluated


def walk_call(step: Call, frame: BodyFrame) -> None:
    """An operator or a block by its name."""
    sources = sources_of(step, frame)
    before = frame.flow.tensor
    args = frame.values(step.args, step.name)
    apply(step.name, args, step, frame, sources=sources, shared=_shared(step))
    if not frame.path:  # a step of the network itself, not of a block
        after = frame.flow
        traces = frame.expansion.traces
        taken = {"from": ", ".join(step.from_)} if step.from_ else {}
        taken |= {"share": step.share} if step.share else {}
        nominal, built = {**step.args, **taken}, {**args, **taken}
        traces.append(Trace(tuple(built), after.name, step.name, nominal, built, None, before, after.tensor))


def walk_use(step: Use, frame: BodyFrame) -> None:
    """An operator or a block whose name is an expression."""
    callee, document = step.use.evaluate(frame.scope), frame.expansion.document
    if callee not in document.blocks and not (isinstance(callee, str) and ops.find(callee)):
        hint = did_you_mean(str(callee), [*ops.names(), *document.blocks]) or "; give the name of one"
        raise SpecError(f"use: '{callee}' is not an operator or a block{hint}", step.use.at)
    if callee in ops.joins() and not step.from_:
        raise SpecError(f"use: '{callee}' takes branches: {callee}: [[…], […]]", step.use.at)
    sources = sources_of(step, frame)
    if sources and (fault := from_fault(document, callee, len(sources))):
        raise SpecError(fault, step.value_at("from"))
    args = frame.values(step.args, callee)
    _check_arguments(document, callee, args, step, len(sources))
    apply(callee, args, step, frame, sources=sources, shared=_shared(step))


def _shared(step: Call | Use) -> tuple[str, Mark | None] | None:
    return None if step.share is None else (step.share, step.value_at("share"))


def sources_of(step: Call | Use, frame: BodyFrame) -> tuple[Flow, ...]:
    """The values that a call takes in place of what flows; its expressions see the sizes of the first."""
    found = tuple(frame.value_of(label, "from", at) for label, at in step.sources())
    if found:
        frame.flow = found[0]
        frame.see_sizes()
    return found


def _check_arguments(document: Document, callee: str, args: Mapping[str, Any], step: Step, sources: int) -> None:
    allowed, required = arguments(document, callee)
    by_from = block_inputs(document, callee)[: max(sources - 1, 0)]
    required = [name for name in required if name not in by_from]
    unknown = [name for name in args if name not in allowed]
    missing = [name for name in required if name not in args]
    if unknown:
        hint = did_you_mean(unknown[0], allowed) or (f"; it takes {', '.join(allowed)}" if allowed else "")
        raise SpecError(f"'{callee}' has no argument '{unknown[0]}'{hint}", step.key_at(f"with.{unknown[0]}"))
    if missing:
        raise SpecError(f"'{callee}' needs {' and '.join(map(repr, missing))}", step.at)


def apply(
    callee: str,
    args: Mapping[str, Any],
    step: Step,
    frame: BodyFrame,
    label: str | None = None,
    sources: tuple[Flow, ...] = (),
    shared: tuple[str, Mark | None] | None = None,
) -> Mapping[str, Flow]:
    """Put an operator or the body of a block into the network, after what flows.

    Args:
        callee: The operator or block.
        args: Its arguments; of a block's inputs, the names of the values.
        step: What calls it.
        frame: The body in which it is called.
        label: Its name, if that is not `as`.
        sources: What it takes: what flows, if nothing is given.
        shared: The name of the step whose weights it has, and where that is said.

    Returns:
        The values inside the block that `from` can go back to, by name.
    """
    label = label or step.as_
    name = frame.name(label or callee, step if label else None)
    first = len(frame.expansion.nodes)
    block = frame.expansion.document.blocks.get(callee)
    inside: Mapping[str, Flow] = {}
    if block is None:
        frame.expansion.add_node(callee, args, sources or (frame.flow,), name, step, frame)
    else:
        taken = {
            label: frame.value_of(args[label], label, step.value_at(label)) for label in block.inputs if label in args
        }
        taken |= dict(zip(block.inputs, sources[1:], strict=False))
        inside, places = _walk_block(callee, block, args, taken, name, frame)
        if label:
            near = ((inner, place) for inner, place in places.items() if inner.count("/") < MAX_PARTS - 1)
            frame.places.update((f"{label}/{inner}", place) for inner, place in near)
    if shared is not None:
        share(frame.expansion, first, name, frame.place_of(*shared), shared[1])
    if label:
        frame.places[label] = name
    frame.keep(step.as_, inside)
    return inside


def _walk_block(
    callee: str, block: Block, args: Mapping[str, Any], taken: Mapping[str, Flow], name: str, frame: BodyFrame
) -> tuple[Mapping[str, Flow], Mapping[str, str]]:
    """Walk the body of a block: the values inside it that have names, and where the steps of these names stand."""
    expansion = frame.expansion
    expansion.containers[name] = Container(callee, {key: args[key] for key in args if key not in block.inputs})
    scope = expansion.globals.within({})
    inner = BodyFrame(expansion, scope, frame.flow, name, frame.block or name, frame.kind or callee, frame.depth + 1)
    inner.root = name
    inner.named.update({INPUT: frame.flow, **taken})
    inner.see_sizes()
    for arg, default in block.args.items():
        scope.values[arg] = args[arg] if arg in args else evaluated(default, scope)
    if callee not in expansion.uses:
        tensors = {INPUT: inner.flow.tensor, **{label: flow.tensor for label, flow in taken.items()}}
        expansion.uses[callee] = ({**scope.values, **_own_defaults(block, scope)}, tensors)
    bind_lets(block.let, scope)
    expansion.walk(block.body, inner)
    frame.flow = inner.flow
    inside = {label: flow for label, flow in inner.named.items() if label != INPUT and label not in taken}
    return inside, inner.places


def _own_defaults(block: Block, scope: Scope) -> dict[str, Any]:
    """The arguments of a block that have a default, at that, as far as it has a value here."""
    defaults: dict[str, Any] = {}
    inner = scope.within({})
    for arg, default in block.args.items():
        if not Block.is_required(default):
            with suppress(ArchspecError), dims.recording():
                defaults[arg] = inner.values[arg] = evaluated(default, inner)
    return defaults
