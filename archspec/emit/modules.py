"""Operators and blocks: what makes their modules, and how the forward calls them."""

from collections.abc import Mapping
from typing import Any

from archspec.emit import children, code
from archspec.emit.code import Code, Fork
from archspec.emit.conditions import conditional, settled
from archspec.emit.containers import add_module, told_size
from archspec.emit.finish import SELF
from archspec.emit.flow import Either, mapped
from archspec.emit.frame import Frame
from archspec.emit.layer import LayerCode, function_code, layers, module_code, settings
from archspec.emit.scope import channel
from archspec.emit.statements import codes
from archspec.errors import ArchspecError
from archspec.graph.names import attribute
from archspec.ops import Function


def apply(callee: str, args: Mapping[str, Any], label: str | None, frame: Frame) -> None:
    """Put an operator or a block behind what flows."""
    apply_as(children.child_name(label or callee, frame), callee, args, frame)
    keep_value(label, frame)


def apply_as(name: Any, callee: str, args: Mapping[str, Any], frame: Frame) -> None:
    """The same, under a name that is free in the container."""
    (_block if callee in frame.facts.document.blocks else _operator)(callee, args, name, frame)


def keep_value(label: str | None, frame: Frame) -> None:
    """A value that has a name, for the steps that go back to it."""
    if label is None:
        return
    if frame.forward is not None and frame.scope.from_uses[label]:
        frame.x = frame.set(frame.x, want=label)
    frame.named[label] = (frame.flow, frame.x)


def _operator(callee: str, args: Mapping[str, Any], name: Any, frame: Frame) -> None:
    found = layers(callee, args, (frame.flow,), frame.scope.whole, lambda size: frame.scope.pair(size, frame.lines))
    _layer(found, callee, name, frame)


def _layer(found: LayerCode | Fork[LayerCode], callee: str, name: Any, frame: Frame) -> None:
    label = name if isinstance(name, str) else callee
    if isinstance(found, Fork):
        conditional(
            found.condition,
            frame,
            lambda inner: _layer(found.then, callee, name, inner),
            lambda inner: _layer(found.otherwise, callee, name, inner),
            label,
        )
        return
    if found.weightless:
        name = children.single_name(name, frame)
    if isinstance(found.call, Function):
        _function(found.call, callee, name, frame)
    elif found.call.target != "torch.nn.Identity":
        _beside(found.call.before, callee, name, frame)
        made = frame.scope.shortened(module_code(found.call))
        if not found.weightless:
            frame.facts.weighted[callee] = frame.facts.weighted.get(callee, frozenset()) | {made.parts[0]}
        add_module(name, made, frame)
        _beside(found.call.after, callee, name, frame)
    frame.flow, frame.does = settled(found.shape, frame), True


def _beside(calls: tuple[Function, ...], callee: str, name: Any, frame: Frame) -> None:
    """The functions before or behind an operator's module."""
    for call in calls:
        kind = call.target.rpartition(".")[2]
        _function(call, kind, children.neighbour_name(name, callee, kind, frame), frame)


def _function(call: Function, kind: str, name: Any, frame: Frame) -> None:
    """A function of what flows: in a forward as it is, in a chain as a module that calls it."""
    if frame.forward is not None and not code.names(tuple(settings(call).values())):
        frame.flow_into(function_code(call, (frame.x,)))
    else:
        add_module(name, frame.scope.shortened(frame.facts.applied(kind, call)), frame)


def _block(callee: str, args: Mapping[str, Any], name: Any, frame: Frame) -> None:
    """A block's module, and the shape that it gives."""
    scope = frame.scope
    facts = frame.facts.block(callee, len(frame.flow), args)
    values = {arg: scope.whole(value) if arg in facts.whole else value for arg, value in args.items()}
    made: Any = scope.shortened(facts.call(values, frame.flow, scope.symbol))
    known = facts.known(values, frame.flow, scope.symbol)
    told = mapped(lambda size: _told(size, known), facts.shape)
    frame.does = code.either(frame.does, code.substituted(facts.does, known))
    if isinstance(told, Either):
        add_module(name, made, frame)
        frame.flow = _decided(told)
        return
    asked = [axis for axis, size in enumerate(told) if size is None or (axis == channel(len(told)) and _called(size))]
    module = made
    if asked and frame.owner == SELF and isinstance(name, str):
        add_module(name, made, frame)
        module = Code("attr", (SELF, attribute(name)))
    else:
        if asked:
            module = scope.module(callee)
            frame.lines.set(module, made)
        add_module(name, module, frame)
    shape = tuple(
        told_size(module, facts.key, axis, len(told), frame) if axis in asked else size
        for axis, size in enumerate(told)
    )
    frame.flow = settled(shape, frame)


def _told(size: Any, known: Mapping[Code, Any]) -> Any:
    """A size of a block in the names of its caller; None where the block's own walk did not know of such a call."""
    try:
        return None if size is None else code.substituted(size, known)
    except (TypeError, ArchspecError):
        return None


def _called(value: Any) -> bool:
    """Whether code calls a function: a size that a module had better tell."""
    return any(found.head in {"call", "if", "out"} for found in codes(value))


def _decided(flow: Any) -> Any:
    """One of two shapes, where the condition is known."""
    if not isinstance(flow, Either):
        return flow
    known = code.known_truth(flow.condition)
    if known is None:
        return Either(flow.condition, _decided(flow.then), _decided(flow.otherwise))
    return _decided(flow.then if known else flow.otherwise)
