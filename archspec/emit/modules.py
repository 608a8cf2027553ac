"""Operators and blocks: what makes their modules, and how the forward calls them."""

from collections.abc import Mapping
from typing import Any

from archspec.emit import children, code
from archspec.emit.code import Code, Fork
from archspec.emit.containers import Containers
from archspec.emit.flow import Either, mapped, sizes
from archspec.emit.frame import TENSOR, Frame, variables
from archspec.emit.layer import Layer, function_code, layers, module_code, settings
from archspec.emit.scope import channel
from archspec.emit.statements import Assign
from archspec.errors import ArchspecError
from archspec.graph.names import attribute
from archspec.ops import Function


class Modules(Containers):
    """The part of the walk that writes operators and blocks."""

    def apply(self, callee: str, args: Mapping[str, Any], label: str | None, frame: Frame) -> None:
        """Put an operator or a block behind what flows."""
        name = self.local(label or callee, frame)
        if callee in self.document.blocks:
            self._block(callee, args, name, frame)
        else:
            self._operator(callee, args, name, frame)
        self.remember(label, frame)

    def remember(self, label: str | None, frame: Frame) -> None:
        """A value that has a name, for the steps that go back to it."""
        if label is None:
            return
        variable = frame.x
        if frame.forward is not None and frame.scope.gone_back_to[label]:
            variable = frame.scope.tensors_by_name.setdefault(label, "") or frame.scope.tensor(label)
            frame.scope.tensors_by_name[label] = variable
            frame.forward.add(Assign(variable, code.name(frame.x, TENSOR)))
        frame.named[label] = (frame.flow, variable)
        if frame.scope.gone_back_to[label]:
            frame.pinned |= variables(sizes(frame.flow))

    def _operator(self, callee: str, args: Mapping[str, Any], name: Any, frame: Frame) -> None:
        found = layers(callee, args, (frame.flow,), frame.scope.whole, lambda size: frame.scope.pair(size, frame.lines))
        self._layer(found, callee, name, frame)

    def _layer(self, found: Layer | Fork[Layer], callee: str, name: Any, frame: Frame) -> None:
        if isinstance(found, Fork):
            self.conditional(
                found.condition,
                frame,
                lambda inner: self._layer(found.then, callee, name, inner),
                lambda inner: self._layer(found.otherwise, callee, name, inner),
                f"{name if isinstance(name, str) else callee}",
            )
            return
        if isinstance(name, Code) and found.weightless:
            name = children.last(name)
        call = found.call
        if isinstance(call, Function):
            self._function(call, callee, name, frame)
        elif call.target != "torch.nn.Identity":
            for function in call.before:
                before = f"{name if isinstance(name, str) else callee}_{function.target.rpartition('.')[2]}"
                self._function(function, function.target.rpartition(".")[2], before, frame)
            made = frame.scope.shortened(module_code(call))
            if not found.weightless:
                known = self.facts.weighted.get(callee, frozenset())
                self.facts.weighted[callee] = known | {made.parts[0]}
            self._put(name, made, frame)
        frame.flow = self.in_variables(found.shape, frame)
        frame.does = True

    def _function(self, call: Function, kind: str, name: Any, frame: Frame) -> None:
        """A function of what flows: in a forward as it is, in a chain as a module that calls it."""
        if frame.forward is not None and not code.names(tuple(settings(call).values())):
            self._flow_into(function_code(call, (code.name(frame.x, TENSOR),)), frame)
        else:
            self._put(name, frame.scope.shortened(self.facts.applied(kind, call)), frame)

    def _block(self, callee: str, args: Mapping[str, Any], name: Any, frame: Frame) -> None:
        """A block's module, and the shape that it gives."""
        scope, rank = frame.scope, len(frame.flow)
        facts = self.facts.block(callee, rank, args, self.write_block)
        values = {arg: scope.whole(value) if arg in facts.whole else value for arg, value in args.items()}
        given = facts.call(values, frame.flow, scope.symbol)
        made: Any = scope.shortened(given)
        known = facts.known(values, frame.flow, scope.symbol)
        told = mapped(lambda size: _told(size, known), facts.shape)
        does = code.substituted(facts.does, known)
        if isinstance(told, Either):
            self._put(name, made, frame)
            frame.flow, frame.does = _decided(told), code.either(frame.does, does)
            return
        flow = list(told)
        read = [
            axis for axis, size in enumerate(flow) if size is None or (axis == channel(len(flow)) and _called(size))
        ]
        if read:
            static = frame.owner == "self" and isinstance(name, str)
            if static:
                self._put(name, made, frame)
                module = Code("attr", (code.name("self"), attribute(name)))
            else:
                variable = scope.module(callee)
                frame.lines.add(Assign(variable, made))
                module = code.name(variable, TENSOR)
                self._put(name, module, frame)
            for axis in read:
                flow[axis] = self._read(module, (facts.key, axis), axis, len(flow), frame)
        else:
            self._put(name, made, frame)
        frame.flow, frame.does = tuple(flow), code.either(frame.does, does)


def _told(size: Any, known: Mapping[Code, Any]) -> Any:
    """A size of a block in the names of its caller; None where the block's own walk did not know of such a call."""
    try:
        return None if size is None else code.substituted(size, known)
    except (TypeError, ArchspecError):
        return None


def _called(value: Any) -> bool:
    """Whether code calls a function: a size that a module had better tell."""
    if isinstance(value, tuple):
        return any(map(_called, value))
    return isinstance(value, Code) and (value.head in {"call", "if", "out"} or any(map(_called, value.parts)))


def _decided(flow: Any) -> Any:
    """One of two shapes, where the condition is known."""
    if not isinstance(flow, Either):
        return flow
    known = code.known_truth(flow.condition)
    if known is None:
        return Either(flow.condition, _decided(flow.then), _decided(flow.otherwise))
    return _decided(flow.then if known else flow.otherwise)
