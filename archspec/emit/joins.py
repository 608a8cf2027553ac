"""Branches, and the operators that join them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from archspec.emit import code
from archspec.emit.bodies import froms, peeled
from archspec.emit.code import Code, Fork
from archspec.emit.conditions import message
from archspec.emit.flow import Either, sizes
from archspec.emit.frame import TENSOR, Frame, variables
from archspec.emit.layer import function_code, layers
from archspec.emit.modules import Modules
from archspec.emit.statements import Assign, Do, For, If, Lines, Put, Refuse, Unpack, flat
from archspec.errors import ArchspecError
from archspec.language.check import inner_bodies
from archspec.language.document import Body, From, Join, Step, When
from archspec.ops import Function


class Joins(Modules):
    """The part of the walk that writes branches."""

    def _join(self, step: Join, frame: Frame) -> None:
        label = step.as_ or step.operator
        self.local(label, frame)
        forward = frame.written()
        read = self.reader(frame)
        args = {name: read.value(value) for name, value in step.args.items()}
        frame.pinned |= variables(sizes(frame.flow))
        results = [
            (tensor, shape, does, branch)
            for branch, body in step.branches.items()
            for tensor, shape, does in [self._branch(branch, body, frame)]
            if does is not False
        ]
        if not results:
            raise ArchspecError(f"no branch of {step.operator} does anything; write [identity] to pass the input on")
        if any(isinstance(shape, Either) for _, shape, _, _ in results):
            raise ArchspecError(f"a branch of {step.operator} has one of several numbers of axes")
        joined = self._joined(step.operator, args, [(shape, does) for _, shape, does, _ in results], frame)
        flags = [
            None if does is True else frame.scope.flag(f"has_{branch}", does, frame.lines)
            for _, _, does, branch in results
        ]
        call = joined.call and replace(joined.call, kwargs=self._kept(joined.call.kwargs, frame))
        join(call, [tensor for tensor, *_ in results], flags, frame, forward)
        frame.flow, frame.does = self.in_variables(joined.shape, frame), True
        self.remember(step.as_, frame)

    def _kept(self, settings: Mapping[str, Any], frame: Frame) -> dict[str, Any]:
        """Settings of a forward; those that the constructor works out are kept in attributes."""
        return {
            key: frame.scope.flag(key, value, frame.lines) if code.names(value) else value
            for key, value in settings.items()
        }

    def _branch(self, branch: str, body: Body, frame: Frame) -> tuple[Any, Any, Any]:
        """What a branch gives: the code of its tensor, its shape, and whether it does anything."""
        name = self.local(branch, frame)
        start, rest = peeled(body)
        inner = frame.inside(frame.owner, None)
        if start:
            inner.flow, inner.x = frame.named[start]
        inner.pinned = frame.pinned | variables(sizes(inner.flow))
        if self.chain(rest, frame) and not self.shared(rest, frame):
            return self._chained(name, body, rest, inner, frame)
        part = self.nested(branch, rest, inner, {}, None)
        frame.lines.add(self.placed(name, part.made, frame))
        taken = tuple(code.name(x, TENSOR) for x in (inner.x, *part.inputs))
        value = Code("call", (self.reached(name, frame), taken, ()), TENSOR)
        if part.given:
            result = frame.scope.tensor("x", {inner.x})
            frame.written().add(Unpack((result, *(variable for _, variable in part.given.values())), value))
            value = code.name(result, TENSOR)
            frame.named |= part.given
        return value, part.flow, self._does(body, part.does, frame)

    def _chained(self, name: Any, body: Body, rest: Body, inner: Frame, frame: Frame) -> tuple[Any, Any, Any]:
        """A branch of one step after another; without modules it is a value that is there already."""
        inner.lines = Lines()
        holder = inner.inside(self.sequential(name, inner), None)
        holder.pinned, holder.lines = inner.pinned, Lines()
        self.body(rest, holder)
        tensor = code.name(inner.x, TENSOR)
        if any(isinstance(statement, Put) for statement in flat(holder.lines.done())):
            frame.lines.add(*inner.lines.made)
            tensor = Code("call", (self.reached(name, frame), (tensor,), ()), TENSOR)
        frame.lines.add(*holder.lines.made)
        return tensor, holder.flow, self._does(body, holder.does, frame)

    def _does(self, body: Body, done: Any, frame: Frame) -> Any:
        """Whether a branch does anything, counting that it may go back to another value."""
        return code.either(*(self._goes_back(step, frame) for step in body), done)

    def _goes_back(self, step: Step, frame: Frame) -> Any:
        if isinstance(step, From):
            return True
        if not isinstance(step, When) or not froms(inner_bodies(step)):
            return False
        condition = self.reader(frame).expression(step.when)
        sides = [code.either(*(self._goes_back(s, frame) for s in side or ())) for side in (step.then, step.else_)]
        return code.either(code.both(condition, sides[0]), code.both(code.negation(condition), sides[1]))

    def _joined(self, operator: str, args: Any, results: list[tuple[Any, Any]], frame: Frame) -> "Joined":
        """The shape and the call of a join, by the conditions on which its branches are there."""
        for index, (shape, does) in enumerate(results):
            if does is True:
                continue
            without = [*results[:index], *results[index + 1 :]]
            if not without:
                return Joined(tuple(shape), None)
            with_it = [*results[:index], (shape, True), *results[index + 1 :]]
            one = self._possible(operator, args, with_it, frame, does)
            other = self._possible(operator, args, without, frame, code.negation(does))
            if one is None or other is None:
                found = one or other
                if found is None:
                    raise ArchspecError(f"the branches of {operator} cannot be joined, whichever are there")
                return found
            if len(one.shape) != len(other.shape):
                raise ArchspecError("the branches that may be left out have another number of axes")
            pairs = zip(one.shape, other.shape, strict=True)
            return Joined(tuple(code.choose(does, a, b) for a, b in pairs), one.call or other.call)
        if len(results) == 1:
            return Joined(tuple(results[0][0]), None)
        shapes = tuple(shape for shape, _ in results)
        layer = layers(operator, args, shapes, frame.scope.whole, lambda _: (0, 0), frame.scope.plainness)
        if isinstance(layer, Fork) or not isinstance(layer.call, Function):
            raise ArchspecError(f"how {operator} joins depends on a condition")
        return Joined(layer.shape, layer.call)

    def _possible(
        self, operator: str, args: Any, results: list[tuple[Any, Any]], frame: Frame, condition: Any
    ) -> "Joined | None":
        """A join; None where it cannot be, which the constructor then says."""
        try:
            return self._joined(operator, args, results, frame)
        except ArchspecError as error:
            frame.lines.add(Refuse(condition, (message(error),)))
            return None


@dataclass(frozen=True, slots=True)
class Joined:
    """What a join gives, and the function that joins; None where there is never more than one branch."""

    shape: tuple[Any, ...]
    call: Function | None


# ------------------------------------------------------------------ the forward


def join(call: Function | None, tensors: list[Any], flags: list[Any], frame: Frame, forward: Lines) -> None:
    """The statements that join what branches give; a branch with a flag is there only where the flag is true."""
    if call is None or not any(flag is not None for flag in flags):
        frame.x = frame.x if frame.x not in frame.pinned else frame.scope.tensor("x")
        forward.add(Assign(frame.x, tensors[0] if call is None else function_code(call, tuple(tensors))))
    elif call.takes == "fold" and flags[0] is None and None not in flags[1:]:
        _fold(call, tensors, flags, frame, forward)
    else:
        _list(call, tensors, flags, frame, forward)


def _fold(call: Function, tensors: list[Any], flags: list[Any], frame: Frame, forward: Lines) -> None:
    """The first branch, and behind it one `if` for each of the others."""
    others = _tensors(tensors[1:])
    target = str(tensors[0])
    if tensors[0].head != "name" or target in frame.pinned | others:
        target = frame.scope.tensor("x", others | _tensors(tensors) | frame.pinned)
        forward.add(Assign(target, tensors[0]))
    for tensor, flag in zip(tensors[1:], flags[1:], strict=True):
        forward.add(If(flag, (Assign(target, function_code(call, (code.name(target, TENSOR), tensor))),)))
    frame.x = target


def _list(call: Function, tensors: list[Any], flags: list[Any], frame: Frame, forward: Lines) -> None:
    """The branches that are there in a list, which is joined."""
    listed = code.name(frame.scope.tensor("branches", _tensors(tensors) | frame.pinned), TENSOR)
    begun = 1 if flags[0] is None else 0
    forward.add(Assign(str(listed), Code("list", tuple(tensors[:begun]))))
    for tensor, flag in list(zip(tensors, flags, strict=True))[begun:]:
        do = Do(Code("call", (f"{listed}.append", (tensor,), ()), TENSOR))
        forward.add(do if flag is None else If(flag, (do,)))
    frame.x = frame.x if frame.x not in frame.pinned else frame.scope.tensor("x", {str(listed)})
    if call.takes == "list":
        forward.add(Assign(frame.x, function_code(replace(call, takes="inputs"), (listed,))))
        return
    each = code.name(frame.scope.tensor("branch"), TENSOR)
    step = function_code(call, (code.name(frame.x, TENSOR), each))
    forward.add(Assign(frame.x, Code("index", (listed, 0), TENSOR)))
    forward.add(For((str(each),), Code("text", (f"{listed}[1:]",), TENSOR), (Assign(frame.x, step),)))


def _tensors(values: list[Any]) -> set[str]:
    return {str(name) for value in values for name in code.names(value)}
