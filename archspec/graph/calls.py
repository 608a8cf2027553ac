"""Operators and blocks: what a call of one puts into the network."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from archspec import dims, ops
from archspec.errors import ArchspecError, SpecError, did_you_mean
from archspec.graph.frame import BodyFrame, bind_lets, evaluated
from archspec.graph.network import INPUT, Container, Trace
from archspec.language.document import Block, Call, Document, Step, Use
from archspec.language.expression import Scope
from archspec.language.rules import arguments


def walk_call(step: Call, frame: BodyFrame) -> None:
    """An operator or a block by its name."""
    args = frame.values(step.args)
    before = frame.flow.tensor
    apply(step.name, args, step, frame)
    if not frame.path:  # a step of the network itself, not of a block
        after = frame.flow
        traces = frame.expansion.traces
        traces.append(Trace(tuple(args), after.name, step.name, step.args, args, None, before, after.tensor))


def walk_use(step: Use, frame: BodyFrame) -> None:
    """An operator or a block whose name is an expression."""
    callee, document = step.use.evaluate(frame.scope), frame.expansion.document
    if callee not in document.blocks and not (isinstance(callee, str) and ops.find(callee)):
        hint = did_you_mean(str(callee), [*ops.names(), *document.blocks]) or "; give the name of one"
        raise SpecError(f"use: '{callee}' is not an operator or a block{hint}", step.use.at)
    if callee in ops.joins():
        raise SpecError(f"use: '{callee}' takes branches: {callee}: [[…], […]]", step.use.at)
    args = frame.values(step.args)
    _check_arguments(document, callee, args, step)
    apply(callee, args, step, frame)


def _check_arguments(document: Document, callee: str, args: Mapping[str, Any], step: Step) -> None:
    allowed, required = arguments(document, callee)
    unknown = [name for name in args if name not in allowed]
    missing = [name for name in required if name not in args]
    if unknown:
        hint = did_you_mean(unknown[0], allowed) or (f"; it takes {', '.join(allowed)}" if allowed else "")
        raise SpecError(f"'{callee}' has no argument '{unknown[0]}'{hint}", step.key_at(f"with.{unknown[0]}"))
    if missing:
        raise SpecError(f"'{callee}' needs {' and '.join(map(repr, missing))}", step.at)


def apply(callee: str, args: Mapping[str, Any], step: Step, frame: BodyFrame, label: str | None = None) -> None:
    """Put an operator or the body of a block into the network, after what flows; `label` is its name, if not `as`."""
    label = label or step.as_
    name = frame.name(label or callee, step if label else None)
    block = frame.expansion.document.blocks.get(callee)
    if block is None:
        frame.expansion.add_node(callee, args, (frame.flow,), name, step, frame)
    else:
        _walk_block(callee, block, args, name, frame)
    frame.keep(step.as_)


def _walk_block(callee: str, block: Block, args: Mapping[str, Any], name: str, frame: BodyFrame) -> None:
    expansion = frame.expansion
    expansion.containers[name] = Container(callee, args)
    scope = expansion.globals.within({})
    inner = BodyFrame(expansion, scope, frame.flow, name, frame.block or name, frame.kind or callee, frame.depth + 1)
    inner.named[INPUT] = frame.flow
    inner.see_sizes()
    for arg, default in block.args.items():
        scope.values[arg] = args[arg] if arg in args else evaluated(default, scope)
    if callee not in expansion.uses:
        expansion.uses[callee] = ({**scope.values, **_own_defaults(block, scope)}, inner.flow.tensor)
    bind_lets(block.let, scope)
    expansion.walk(block.body, inner)
    frame.flow = inner.flow


def _own_defaults(block: Block, scope: Scope) -> dict[str, Any]:
    """The arguments of a block that have a default, at that, as far as it has a value here."""
    defaults: dict[str, Any] = {}
    inner = scope.within({})
    for arg, default in block.args.items():
        if not Block.is_required(default):
            with suppress(ArchspecError), dims.recording():
                defaults[arg] = inner.values[arg] = evaluated(default, inner)
    return defaults
