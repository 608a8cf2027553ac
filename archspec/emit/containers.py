"""Parts of a class: an `nn.Sequential` for a chain of steps, a class of its own for any other."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from archspec.emit import code
from archspec.emit.bodies import conditional_value, froms, names_given
from archspec.emit.code import Code
from archspec.emit.conditions import Conditions
from archspec.emit.flow import Either, mapped, sizes
from archspec.emit.frame import TENSOR, Frame, Part, variables
from archspec.emit.scope import Scope, dimensions
from archspec.emit.statements import Assign, Put, Return, Unpack
from archspec.errors import ArchspecError
from archspec.graph.names import attribute
from archspec.language.check import inner_bodies
from archspec.language.document import Body, Call, From, Group, Join, Step, Use, When
from archspec.language.values import Value

_SEQUENTIAL_METHODS = frozenset({"append", "extend", "insert", "pop"})


class Containers(Conditions):
    """The part of the walk that goes into containers."""

    def container(
        self,
        name: Any,
        body: Body,
        frame: Frame,
        let: Mapping[str, Value],
        label: str,
        env: Mapping[str, Any] | None = None,
    ) -> None:
        """The steps of a body in a module of their own."""
        if self.chain(body, frame) and not self.shared(body, frame):
            owner = self.sequential(name, frame)
            inner = frame.inside(owner, None, env)
            self.lets(let, inner)
            self.body(body, inner)
            frame.flow = inner.flow
            frame.does = code.either(frame.does, inner.does)
            self._pass(name, frame)
            return
        part = self.nested(label, body, frame, let, env)
        frame.lines.add(self.placed(name, part.made, frame))
        self._hand(self.reached(name, frame) if frame.forward is not None else "", part, frame)
        frame.flow, frame.does = part.flow, code.either(frame.does, part.does)

    def lets(self, lets: Mapping[str, Value], frame: Frame) -> None:
        """The names that a `let` gives."""
        for name, value in lets.items():
            found = self.reader(frame).value(value)
            frame.env[name] = frame.scope.let(name, found, frame.lines)

    def _hand(self, reached: str, part: "Part", frame: Frame) -> None:
        """In a forward, what flows and the values it shares go through a part, and those that it gives come out."""
        frame.named |= part.given
        if frame.forward is None:
            return
        taken = tuple(code.name(x, TENSOR) for x in (frame.x, *part.inputs))
        value = Code("call", (reached, taken, ()), TENSOR)
        if frame.x in frame.pinned:
            frame.x = frame.scope.tensor("x")
        names = tuple(variable for _, variable in part.given.values())
        frame.forward.add(Unpack((frame.x, *names), value) if names else Assign(frame.x, value))

    def shared(self, body: Body, frame: Frame) -> tuple[list[str], list[str]] | None:
        """The values that a part takes from outside, and those that it gives; None where there are none of both."""
        inside = froms((body,))
        own = set(names_given((body,)))
        taken = [name for name in inside if name in frame.named]
        outside = frame.scope.gone_back_to - inside
        given = [name for name in dict.fromkeys(names_given((body,))) if outside[name] and name in own]
        return (taken, given) if taken or given else None

    def sequential(self, name: Any, frame: Frame) -> str:
        """A new `nn.Sequential` in the container, and the code to reach it."""
        made = code.call("nn.Sequential", kind=TENSOR)
        if frame.owner == "self" and isinstance(name, str):
            frame.lines.add(Put("self", attribute(name), made))
            return f"self.{attribute(name)}"
        wanted = name if isinstance(name, str) else "unit" if name.head == "format" else "units"
        variable = frame.scope.column(wanted)
        frame.lines.add(Assign(variable, made, kept=True))
        frame.lines.add(self.placed(name, code.name(variable, TENSOR), frame))
        return variable

    def placed(self, name: Any, value: Any, frame: Frame) -> Put:
        """The statement that gives the container a child."""
        return Put(frame.owner, attribute(name) if isinstance(name, str) else name, value)

    def _put(self, name: Any, value: Any, frame: Frame) -> None:
        """A module in the container, and its call in the forward."""
        frame.lines.add(self.placed(name, value, frame))
        self._pass(name, frame)

    def _pass(self, name: Any, frame: Frame) -> None:
        if frame.forward is None:
            return
        taken = (code.name(frame.x, TENSOR),)
        self._flow_into(Code("call", (self.reached(name, frame), taken, ()), TENSOR), frame)

    def reached(self, name: Any, frame: Frame) -> str:
        """The text that reaches a child in the forward."""
        if isinstance(name, str):
            return f"{frame.owner}.{attribute(name)}"
        kept = frame.scope.flag("name", name, frame.lines)
        return f"{frame.owner}.get_submodule({kept})"

    def _flow_into(self, value: Code, frame: Frame) -> None:
        if frame.x in frame.pinned:
            frame.x = frame.scope.tensor("x")
        frame.written().add(Assign(frame.x, value))

    def chain(self, body: Body, frame: Frame) -> bool:
        """Whether the steps of a body follow one another, each on the result of the last."""
        return all(self._in_chain(step, frame) for step in body)

    def _in_chain(self, step: Step, frame: Frame) -> bool:
        if isinstance(step, (Join, From)):
            return False
        if isinstance(step, When) or (isinstance(step, Group) and step.as_ is None):
            return all(self.chain(body, frame) for body in inner_bodies(step))
        if isinstance(step, (Call, Use, Group)) and (step.as_ or "") in _SEQUENTIAL_METHODS:
            return False
        return not any(self._outward(body, frame) for body in inner_bodies(step))

    def _outward(self, body: Body, frame: Frame) -> bool:
        """Whether a part goes back to a value from outside it, or gives one."""
        return self.shared(body, frame) is not None or bool(set(froms((body,))) - set(names_given((body,))))

    def nested(
        self, label: str, body: Body, frame: Frame, let: Mapping[str, Value], env: Mapping[str, Any] | None
    ) -> "Part":
        """A class of its own for the steps of a body."""
        taken, given = self.shared(body, frame) or ([], [])
        inside = froms((body,))
        scope = frame.scope.inner(label, inside + Counter(given))
        flow = tuple(scope.entry(size, axis, len(frame.flow)) for axis, size in enumerate(frame.flow))
        inner = Frame(scope, "self", {**frame.env, **(env or {})}, flow, scope.lines, scope.forward)
        for name in taken:
            variable = scope.tensors_by_name[name] = scope.tensor(name)
            inner.named[name] = (frame.named[name][0], variable)
            inner.pinned |= {variable}
        inputs = tuple(inner.named[name][1] for name in taken)
        for name in given:
            if name not in taken:
                scope.tensors_by_name[name] = scope.tensor(name)
                if conditional_value(name, body):
                    scope.forward.add(Assign(scope.tensors_by_name[name], code.name("x", TENSOR)))
        self.lets(let, inner)
        self.body(body, inner)
        results = tuple(code.name(x, TENSOR) for x in (inner.x, *(scope.tensors_by_name[name] for name in given)))
        scope.forward.add(Return(Code("several", results, TENSOR) if given else results[0]))
        made = self.facts.nested(scope, inner.flow, inputs, len(results))
        outer = {}
        for name in given:
            shape = mapped(scope.outside, inner.named[name][0])
            if any(size is None for size in sizes(shape)):
                raise ArchspecError(f"the shape of '{name}' cannot be told outside '{label}'; give it less depth")
            variable = frame.scope.tensors_by_name.get(name) or frame.scope.tensor(name)
            frame.scope.tensors_by_name[name] = variable
            outer[name] = (shape, variable)
        flow, made = self._told_outside(inner.flow, scope, made, label, frame)
        does = scope.outside(inner.does)
        return Part(made, flow, True if does is None else does, tuple(frame.named[name][1] for name in taken), outer)

    def _told_outside(self, flow: Any, scope: Scope, made: Code, label: str, frame: Frame) -> tuple[Any, Code]:
        """The shape that a part gives, in the names outside it, or as its module tells it."""
        known = mapped(scope.outside, flow)
        if not any(size is None for size in sizes(known)):
            return known, made
        if isinstance(known, Either):
            raise ArchspecError(f"what '{label}' gives has one of several ranks, which cannot be told outside it")
        variable = frame.scope.module(label)
        frame.lines.add(Assign(variable, made))
        module = code.name(variable, TENSOR)
        told = [
            self._read(module, (scope.key, axis), axis, len(known), frame) if size is None else size
            for axis, size in enumerate(known)
        ]
        return tuple(told), module

    def in_variables(self, shape: tuple[Any, ...], frame: Frame) -> tuple[Any, ...]:
        """A shape with a variable for every size that depends on a condition."""
        flow = list(shape)
        for axis, size in enumerate(shape):
            if isinstance(size, Code) and size.head == "if":
                later = variables(tuple(flow[axis + 1 :]))
                flow[axis] = frame.scope.size(axis, len(flow), frame.pinned | later)
                frame.lines.add(Assign(str(flow[axis]), size))
        return tuple(flow)

    def _read(self, module: Code, out: Any, axis: int, rank: int, frame: Frame) -> Code:
        """The variable of a size that a module tells."""
        key, number = out
        dimension = dimensions(rank)[axis]
        variable = frame.scope.size(axis, rank, frame.pinned)
        frame.lines.add(Assign(str(variable), Code("out", (module, f"out_{dimension}", key, number))))
        return variable
