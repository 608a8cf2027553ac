"""The walk over the bodies of a specification, which writes down what constructors and forwards do.

A body that is a chain of steps becomes an `nn.Sequential`; one with branches, or with steps that go back to an earlier
value, becomes a class with a forward of its own.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from archspec import code, ops
from archspec.code import INT, Code, Fork
from archspec.emit.expression import Reader
from archspec.emit.facts import Facts
from archspec.emit.flow import Either, mapped, sizes
from archspec.emit.layer import Layer, function_code, layers, module_code, settings
from archspec.emit.prose import safe
from archspec.emit.scope import Scope, channel, dimensions
from archspec.emit.statements import Assign, For, If, Keep, Lines, Put, Refuse, Return, Table, Unpack, targets
from archspec.errors import ArchspecError, SpecError
from archspec.graph.names import RESERVED, attribute
from archspec.ops import Function, Module
from archspec.spec.check import CALLEE, FLOWING, MAX_REPEAT, arguments, inner_bodies
from archspec.spec.document import Block, Body, Call, ConcatStep, From, Group, Join, Repeat, Rows, Step, Use, When
from archspec.spec.document import Table as TableStep
from archspec.spec.values import Value

TENSOR = frozenset({"tensor"})
_SEQUENTIAL_METHODS = frozenset({"append", "extend", "insert", "pop"})


@dataclass(slots=True)
class Frame:
    """One container being filled.

    Attributes:
        scope: The class whose constructor is being written.
        owner: The code of the container: self, self.residual, or a variable.
        env: The code of the names that the specification gives.
        flow: The shape of what flows.
        lines: The constructor's statements.
        forward: The forward's statements; None in an `nn.Sequential`, which has its own.
        x: The variable of what flows.
        pinned: The variables that may not be set again, of tensors and of sizes.
        worlds: By condition, how often each name was given in this container.
        named: The shape and the variable of every value that `from` can go back to.
        does: Whether anything happened since the container began.
    """

    scope: Scope
    owner: str
    env: dict[str, Any]
    flow: Any
    lines: Lines
    forward: Lines | None
    x: str = "x"
    pinned: frozenset[str] = frozenset()
    worlds: list[tuple[Any, dict[str, int]]] = field(default_factory=lambda: [(True, {})])
    named: dict[str, tuple[tuple[Any, ...], str]] = field(default_factory=dict)
    does: Any = False

    def inside(self, owner: str, forward: Lines | None, env: Mapping[str, Any] | None = None) -> "Frame":
        """A container in this one."""
        return Frame(
            self.scope, owner, {**self.env, **(env or {})}, self.flow, self.lines, forward, self.x, self.pinned,
            named=self.named,
        )  # fmt: skip

    def fork(self) -> "Frame":
        """The same container on one side of a condition."""
        forward = None if self.forward is None else Lines()
        return Frame(
            self.scope, self.owner, dict(self.env), self.flow, Lines(), forward, self.x, self.pinned,
            [(condition, dict(names)) for condition, names in self.worlds], dict(self.named),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a class that is a class of its own: what makes it, and what it gives.

    Attributes:
        made: The code that makes it.
        flow: The shape that flows out of it.
        does: Whether it does anything.
        inputs: The variables of the values that it takes beside what flows.
        given: The values that it gives beside what flows: by name, the shape and the variable outside.
    """

    made: Code
    flow: Any
    does: Any
    inputs: tuple[str, ...]
    given: dict[str, tuple[Any, str]]


class Walk:
    """Writes one class after another; `facts` are what the last walk found of the blocks."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.document = facts.document

    # -------------------------------------------------------------- steps

    def body(self, body: Body, frame: Frame) -> None:
        """The steps of a body, one after the other."""
        for step in body:
            try:
                self._step(step, frame)
            except SpecError:
                raise
            except ArchspecError as error:
                raise SpecError(str(error), step.at) from None

    def _step(self, step: Step, frame: Frame) -> None:
        """One step; once for each of two shapes where what flows has one or the other."""
        if not isinstance(frame.flow, Either):
            _WALKS[type(step)](self, step, frame)
            return
        flow = frame.flow

        def on(side: Any) -> Callable[[Frame], None]:
            def walk(inner: Frame) -> None:
                inner.flow = side
                self._step(step, inner)

            return walk

        self.conditional(flow.condition, frame, on(flow.then), on(flow.otherwise), "then")

    def reader(self, frame: Frame, flow: tuple[Any, ...] | None = None) -> Reader:
        """What the expressions of a container's steps become."""
        sizes = frame.flow if flow is None else flow

        def name(text: str) -> Any:
            if text in FLOWING:
                return _flowing(text, sizes)
            return frame.env[text] if text in frame.env else frame.scope.named(text)

        return Reader(name, lambda name, args: self.facts.function(name, args, frame.scope.symbol), frame.scope.whole)

    def _call(self, step: Call, frame: Frame) -> None:
        read = self.reader(frame)
        args = {name: read.value(value) for name, value in step.args.items()}
        self.apply(step.name, args, step.as_, frame)

    def _use(self, step: Use, frame: Frame) -> None:
        read = self.reader(frame)
        callee = read.expression(step.use)
        args = {name: read.value(value) for name, value in step.args.items()}
        known = (callee,) if isinstance(callee, str) else code.known_values(callee)
        if not known:
            raise SpecError(f"use: what '{step.use}' may name is not known when the source is written", step.use.at)
        self._alternatives(callee, tuple(known), args, step, frame)

    def _alternatives(
        self, callee: Any, known: tuple[str, ...], args: Mapping[str, Any], step: Use, frame: Frame
    ) -> None:
        first, *others = known
        if not others:
            self.apply(first, args, step.as_, frame)
            return
        self.conditional(
            code.compare(callee, "==", first),
            frame,
            lambda inner: self.apply(first, args, step.as_, inner),
            lambda inner: self._alternatives(callee, tuple(others), args, step, inner),
            step.as_ or first,
        )

    def apply(self, callee: str, args: Mapping[str, Any], label: str | None, frame: Frame) -> None:
        """Put an operator or a block behind what flows."""
        name = self.local(label or callee, frame)
        if callee in self.document.blocks:
            self._block(callee, args, name, frame)
        else:
            self._operator(callee, args, name, frame)
        self._remember(label, frame)

    def _remember(self, label: str | None, frame: Frame) -> None:
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
            frame.pinned |= _names(sizes(frame.flow))

    def _from(self, step: From, frame: Frame) -> None:
        if step.from_ not in frame.named:
            raise SpecError(f"from: nothing before this is called '{step.from_}'", step.value_at("from"))
        frame.flow, frame.x = frame.named[step.from_]
        frame.pinned |= {frame.x}
        frame.does = True

    def _group(self, step: Group, frame: Frame) -> None:
        if step.as_ is None:
            before = dict(frame.env)
            self._lets(step.let, frame)
            self.body(step.body, frame)
            frame.env = before
            return
        name = self.local(step.as_, frame)
        self.container(name, step.body, frame, step.let, step.as_)
        self._remember(step.as_, frame)

    def _lets(self, lets: Mapping[str, Value], frame: Frame) -> None:
        for name, value in lets.items():
            found = self.reader(frame).value(value)
            frame.env[name] = frame.scope.let(name, found, frame.lines)

    def _when(self, step: When, frame: Frame) -> None:
        condition = self.reader(frame).expression(step.when)
        self.conditional(
            condition,
            frame,
            lambda inner: self.body(step.then, inner),
            lambda inner: self.body(step.else_ or (), inner),
            next(_labels(step.then), "then"),
        )

    # -------------------------------------------------------------- conditions

    def conditional(
        self,
        condition: Any,
        frame: Frame,
        then: Callable[[Frame], None],
        otherwise: Callable[[Frame], None],
        label: str,
    ) -> None:
        """Steps on a condition, and others where it does not hold."""
        sure = code.sure_truth(condition)
        if sure is not None:
            (then if sure else otherwise)(frame)
            return
        if frame.forward is not None:
            self._settle(frame)
        frame.pinned |= _names(condition)
        sides = self._side(then, frame), self._side(otherwise, frame)
        if sides[0].flow is None and sides[1].flow is None:
            raise ArchspecError("neither side of a condition can be built")
        for side in sides:
            if side.forward is not None and side.x != frame.x:
                side.forward.add(Assign(frame.x, code.name(side.x, TENSOR)))
        self._merge_shapes(condition, frame, *sides)
        if frame.forward is not None and sides[0].forward is not None and sides[1].forward is not None:
            bodies = sides[0].forward.done(), sides[1].forward.done()
            if any(bodies):
                flag = frame.scope.flag(f"has_{label}", condition, frame.lines)
                frame.forward.add(If(flag, *bodies))
        frame.lines.add(If(condition, sides[0].lines.done(), sides[1].lines.done()))
        frame.worlds = _distinct(
            [(code.both(condition, world), names) for world, names in sides[0].worlds]
            + [(code.both(code.negation(condition), world), names) for world, names in sides[1].worlds],
            self.facts.repeated,
        )
        frame.named |= {**sides[1].named, **sides[0].named}
        done = code.choose(condition, sides[0].does, sides[1].does)
        frame.does = code.either(frame.does, _plain_choice(condition, sides[0].does, sides[1].does, done))

    def _side(self, steps: Callable[[Frame], None], frame: Frame) -> Frame:
        """One side of a condition; where it cannot be built, a constructor that says so."""
        side = frame.fork()
        try:
            steps(side)
        except ArchspecError as error:
            message = error.message if isinstance(error, SpecError) else str(error)
            side = frame.fork()
            side.flow = None
            side.lines.add(Refuse(True, (safe(message).replace("{", "(").replace("}", ")"),)))
        return side

    def _settle(self, frame: Frame) -> None:
        """What flows in a variable that may be set again."""
        if frame.x in frame.pinned:
            variable = frame.scope.tensor("x")
            assert frame.forward is not None
            frame.forward.add(Assign(variable, code.name(frame.x, TENSOR)))
            frame.x = variable

    def _merge_shapes(self, condition: Any, frame: Frame, a: Frame, b: Frame) -> None:
        if a.flow is None or b.flow is None or a.flow == b.flow:
            frame.flow = b.flow if a.flow is None else a.flow
            return
        if isinstance(a.flow, Either) or isinstance(b.flow, Either) or len(a.flow) != len(b.flow):
            frame.flow = Either(condition, a.flow, b.flow)
            return
        pairs = list(zip(a.flow, b.flow, strict=True))
        pinned = frame.pinned | a.pinned | b.pinned
        flow = []
        for axis, (one, other) in enumerate(pairs):
            if one == other:
                flow.append(one)
                continue
            later = frozenset().union(*(_names(pair) for pair in pairs[axis + 1 :]))
            variable = frame.scope.size(axis, len(pairs), pinned | later)
            for side, value in ((a, one), (b, other)):
                lines = frame.lines if not side.lines.made else side.lines
                if value != variable:
                    lines.add(Assign(str(variable), value))
            flow.append(variable)
        frame.flow = tuple(flow)

    # -------------------------------------------------------------- containers

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
        if self._chain(body, frame) and not self._shared(body, frame):
            owner = self._sequential(name, frame)
            inner = frame.inside(owner, None, env)
            self._lets(let, inner)
            self.body(body, inner)
            frame.flow = inner.flow
            frame.does = code.either(frame.does, inner.does)
            self._pass(name, frame)
            return
        part = self._nested(label, body, frame, let, env)
        frame.lines.add(self._placed(name, part.made, frame))
        self._hand(self._reached(name, frame) if frame.forward is not None else "", part, frame)
        frame.flow, frame.does = part.flow, code.either(frame.does, part.does)

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

    def _shared(self, body: Body, frame: Frame) -> tuple[list[str], list[str]] | None:
        """The values that a part takes from outside, and those that it gives; None where there are none of both."""
        inside = froms((body,))
        own = set(_all_names((body,)))
        taken = [name for name in inside if name in frame.named]
        outside = frame.scope.gone_back_to - inside
        given = [name for name in dict.fromkeys(_all_names((body,))) if outside[name] and name in own]
        return (taken, given) if taken or given else None

    def _sequential(self, name: Any, frame: Frame) -> str:
        """A new `nn.Sequential` in the container, and the code to reach it."""
        made = code.call("nn.Sequential", kind=TENSOR)
        if frame.owner == "self" and isinstance(name, str):
            frame.lines.add(Put("self", attribute(name), made))
            return f"self.{attribute(name)}"
        wanted = name if isinstance(name, str) else "unit" if name.head == "format" else "units"
        variable = frame.scope.column(wanted)
        frame.lines.add(Assign(variable, made, kept=True))
        frame.lines.add(self._placed(name, code.name(variable, TENSOR), frame))
        return variable

    def _placed(self, name: Any, value: Any, frame: Frame) -> Put:
        return Put(frame.owner, attribute(name) if isinstance(name, str) else name, value)

    def _put(self, name: Any, value: Any, frame: Frame, *more: str) -> None:
        """A module in the container, and its call in the forward."""
        frame.lines.add(self._placed(name, value, frame))
        self._pass(name, frame, *more)

    def _pass(self, name: Any, frame: Frame, *more: str) -> None:
        if frame.forward is None:
            return
        taken = tuple(code.name(x, TENSOR) for x in (frame.x, *more))
        self._flow_into(Code("call", (self._reached(name, frame), taken, ()), TENSOR), frame)

    def _reached(self, name: Any, frame: Frame) -> str:
        """The text that reaches a child in the forward."""
        if isinstance(name, str):
            return f"{frame.owner}.{attribute(name)}"
        kept = frame.scope.flag("name", name, frame.lines)
        return f"{frame.owner}.get_submodule({kept})"

    def _flow_into(self, value: Code, frame: Frame) -> None:
        assert frame.forward is not None
        if frame.x in frame.pinned:
            frame.x = frame.scope.tensor("x")
        frame.forward.add(Assign(frame.x, value))

    def _chain(self, body: Body, frame: Frame) -> bool:
        """Whether the steps of a body follow one another, each on the result of the last."""
        return all(self._in_chain(step, frame) for step in body)

    def _in_chain(self, step: Step, frame: Frame) -> bool:
        if isinstance(step, (Join, From)):
            return False
        if isinstance(step, When) or (isinstance(step, Group) and step.as_ is None):
            return all(self._chain(body, frame) for body in inner_bodies(step))
        if isinstance(step, (Call, Use, Group)) and (step.as_ or "") in _SEQUENTIAL_METHODS:
            return False
        return not any(self._shared(body, frame) or "input" in froms((body,)) for body in inner_bodies(step))

    def _nested(
        self, label: str, body: Body, frame: Frame, let: Mapping[str, Value], env: Mapping[str, Any] | None
    ) -> "Part":
        """A class of its own for the steps of a body."""
        taken, given = self._shared(body, frame) or ([], [])
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
                if _conditional(name, body):
                    scope.forward.add(Assign(scope.tensors_by_name[name], code.name("x", TENSOR)))
        self._lets(let, inner)
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

    def _read(self, module: Code, out: Any, axis: int, rank: int, frame: Frame) -> Code:
        """The variable of a size that a module tells."""
        key, number = out
        dimension = dimensions(rank)[axis]
        variable = frame.scope.size(axis, rank, frame.pinned)
        frame.lines.add(Assign(str(variable), Code("out", (module, f"out_{dimension}", key, number))))
        return variable

    # -------------------------------------------------------------- operators and blocks

    def _operator(self, callee: str, args: Mapping[str, Any], name: Any, frame: Frame) -> None:
        found = layers(callee, args, (frame.flow,), frame.scope.whole, lambda size: frame.scope.pair(size, frame.lines))
        self._layer(found, callee, name, frame)

    def _layer(self, found: Layer | Fork[Layer], callee: str, name: Any, frame: Frame) -> None:
        if isinstance(found, Fork):
            self.conditional(
                found.condition,
                frame,
                lambda inner: self._layer(found.then, callee, name, inner),  # type: ignore[arg-type]
                lambda inner: self._layer(found.otherwise, callee, name, inner),  # type: ignore[arg-type]
                f"{name if isinstance(name, str) else callee}",
            )
            return
        if isinstance(name, Code) and found.weightless:
            name = _last(name)
        call = found.call
        if isinstance(call, Function):
            self._function(call, callee, name, frame)
        elif call.target != "torch.nn.Identity":
            for function in call.before:
                before = f"{name if isinstance(name, str) else callee}_{function.target.rpartition('.')[2]}"
                self._function(function, function.target.rpartition(".")[2], before, frame)
            self._put(name, frame.scope.shortened(module_code(call)), frame)
        frame.flow = found.shape
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
        facts = self.facts.block(callee, rank, args, self)
        values = {arg: scope.whole(value) if arg in facts.whole else value for arg, value in args.items()}
        given = facts.call(values, frame.flow, scope.symbol)
        made: Any = scope.shortened(given)
        known = facts.known(values, frame.flow, scope.symbol, scope.lines)
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

    # -------------------------------------------------------------- joins

    def _join(self, step: Join, frame: Frame) -> None:
        label = step.as_ or step.operator
        self.local(label, frame)
        assert frame.forward is not None
        read = self.reader(frame)
        args = {"dim": read.expression(step.dim)} if isinstance(step, ConcatStep) else {}
        entry = frame.x
        frame.pinned |= _names(sizes(frame.flow))
        results = [
            (tensor, shape, does, branch)
            for branch, body in step.branches.items()
            for tensor, shape, does in [self._branch(branch, body, frame)]
            if does is not False
        ]
        if not results:
            raise ArchspecError(f"no branch of {step.operator} does anything; write [identity] to pass the input on")
        frame.flow = self._joined_shape(step.operator, args, [(shape, does) for _, shape, does, _ in results], frame)
        flags = [
            None if does is True else frame.scope.flag(f"has_{branch}", does, frame.lines)
            for _, _, does, branch in results
        ]
        tensors = [tensor for tensor, *_ in results]
        self._joined(step.operator, args, tensors, flags, entry, frame)
        frame.does = True
        self._remember(step.as_, frame)

    def _branch(self, branch: str, body: Body, frame: Frame) -> tuple[Any, tuple[Any, ...], Any]:
        """What a branch gives: the code of its tensor, its shape, and whether it does anything."""
        name = self.local(branch, frame)
        start, rest = _peeled(body)
        flow, x = frame.named[start] if start else (frame.flow, frame.x)
        inner = frame.inside(frame.owner, None)
        inner.flow, inner.x = flow, x
        inner.pinned = frame.pinned | _names(sizes(flow))
        inner.lines = Lines()
        tensor = code.name(x, TENSOR)
        reached = Code(
            "call", (f"{frame.owner}.{attribute(name)}" if isinstance(name, str) else "", (tensor,), ()), TENSOR
        )
        if self._chain(rest, frame) and not self._shared(rest, frame):
            holder = inner.inside("", None)
            holder.pinned = inner.pinned
            holder.lines = Lines()
            inner.lines = Lines()
            owner = self._sequential(name, inner)
            holder.owner = owner
            self.body(rest, holder)
            flow = holder.flow
            does = self._does(body, holder.does, frame, bool(start))
            if any(isinstance(s, Put) for s in _flat(holder.lines)):
                frame.lines.add(*inner.lines.made, *holder.lines.made)
                return reached, flow, does
            frame.lines.add(*holder.lines.made)
            return tensor, flow, does
        inner.lines = frame.lines
        part = self._nested(branch, rest, inner, {}, None)
        frame.lines.add(self._placed(name, part.made, frame))
        does = self._does(body, part.does, frame, bool(start))
        taken = tuple(code.name(v, TENSOR) for v in (x, *part.inputs))
        value = Code("call", (reached.parts[0], taken, ()), TENSOR)
        if part.given:
            assert frame.forward is not None
            result = frame.scope.tensor("x", {x})
            frame.forward.add(Unpack((result, *(variable for _, variable in part.given.values())), value))
            value = code.name(result, TENSOR)
            frame.named |= part.given
        return value, part.flow, does

    def _does(self, body: Body, done: Any, frame: Frame, went_back: bool) -> Any:
        """Whether a branch does anything, counting that it may go back to another value."""
        if not went_back:
            return done
        return code.either(*(self._goes_back(step, frame) for step in body), done)

    def _goes_back(self, step: Step, frame: Frame) -> Any:
        if isinstance(step, From):
            return True
        if not isinstance(step, When):
            return False
        condition = self.reader(frame).expression(step.when)
        sides = [code.either(*(self._goes_back(s, frame) for s in side or ())) for side in (step.then, step.else_)]
        return code.either(code.both(condition, sides[0]), code.both(code.negation(condition), sides[1]))

    def _joined_shape(self, operator: str, args: Any, results: list[tuple[Any, Any]], frame: Frame) -> tuple[Any, ...]:
        """The shape of a join, by the conditions on which its branches are there."""
        for index, (shape, does) in enumerate(results):
            if does is not True:
                with_it = [*results[:index], (shape, True), *results[index + 1 :]]
                without = [*results[:index], *results[index + 1 :]]
                if not without:
                    return tuple(shape)
                one = self._joined_shape(operator, args, with_it, frame)
                other = self._joined_shape(operator, args, without, frame)
                if len(one) != len(other):
                    raise ArchspecError("the branches that may be left out have another number of axes")
                return tuple(
                    a if operator != "concat" and a == b else code.choose(does, a, b)
                    for a, b in zip(one, other, strict=True)
                )
        if len(results) == 1:
            return tuple(results[0][0])
        shapes = tuple(shape for shape, _ in results)
        found = layers(operator, args, shapes, frame.scope.whole, lambda _: (0, 0), frame.scope.plainness)
        if isinstance(found, Fork):
            raise ArchspecError(f"how {operator} joins depends on {found.condition}")
        return found.shape

    def _joined(self, operator: str, args: Any, tensors: list[Any], flags: list[Any], entry: str, frame: Frame) -> None:
        """The statements of the forward that join what the branches give."""
        forward = frame.forward
        assert forward is not None
        join = _JOINS[operator](args)
        if not any(flag is not None for flag in flags):
            frame.x = frame.x if frame.x not in frame.pinned else frame.scope.tensor("x")
            forward.add(Assign(frame.x, join(tuple(tensors))))
            return
        used_later = {entry, *(str(n) for tensor in tensors for n in code.names(tensor))}
        if flags[0] is None and all(flag is not None for flag in flags[1:]) and operator != "concat":
            others = {str(n) for tensor in tensors[1:] for n in code.names(tensor)}
            if tensors[0].head == "name" and str(tensors[0]) not in frame.pinned | others:
                target = str(tensors[0])
            else:
                target = frame.scope.tensor("x", used_later | frame.pinned)
                forward.add(Assign(target, tensors[0]))
            for tensor, flag in zip(tensors[1:], flags[1:], strict=True):
                forward.add(If(flag, (Assign(target, join((code.name(target, TENSOR), tensor))),)))
            frame.x = target
            return
        listed = frame.scope.tensor("branches", used_later | frame.pinned)
        known = [t for t, flag in zip(tensors, flags, strict=True) if flag is None]
        ordered = len(known) == 1 and flags[0] is None
        forward.add(Assign(listed, Code("list", tuple(known) if ordered else ())))
        append = f"{listed}.append"
        from archspec.emit.statements import Do

        for index, (tensor, flag) in enumerate(zip(tensors, flags, strict=True)):
            if ordered and index == 0:
                continue
            do = Do(Code("call", (append, (tensor,), ()), TENSOR))
            forward.add(do if flag is None else If(flag, (do,)))
        frame.x = frame.x if frame.x not in frame.pinned else frame.scope.tensor("x", {listed})
        if operator == "concat":
            found = function_code(Function("torch.cat", args, "list"), (code.name(listed, TENSOR),))
            call = Code("call", (found.parts[0], (code.name(listed, TENSOR),), found.parts[2]), TENSOR)
            forward.add(Assign(frame.x, call))
            return
        first = Code("index", (code.name(listed, TENSOR), 0), TENSOR)
        rest = Code("text", (f"{listed}[1:]",), TENSOR)
        each = frame.scope.tensor("branch")
        forward.add(Assign(frame.x, first))
        step = join((code.name(frame.x, TENSOR), code.name(each, TENSOR)))
        forward.add(For((each,), rest, (Assign(frame.x, step),)))

    # -------------------------------------------------------------- repetitions and tables

    def _repeat(self, step: Repeat, frame: Frame) -> None:
        times = frame.scope.whole(self.reader(frame).expression(step.repeat))
        name = self.local(step.as_ or "repeat", frame)
        owner = self._sequential(name, frame)
        label = f"{step.as_ or 'repeat'}_unit"

        def unit(inner: Frame, number: Code) -> None:
            env = {step.index: number} if step.index else {}
            self.container(_unit(number), step.body, inner, {}, label, env)

        before = dict(frame.named)
        shared = self._shared(step.body, frame)
        self._times(times, step.index or "i", owner, frame, unit)
        if shared is None:
            self._pass(name, frame)
        else:
            self._through(name, shared, before, frame)
        self._remember(step.as_, frame)

    def _through(
        self, name: Any, shared: tuple[list[str], list[str]], before: Mapping[str, Any], frame: Frame
    ) -> None:
        """In a forward, what flows and the values it shares go through one unit after another."""
        assert frame.forward is not None
        self._settle(frame)
        taken, given = shared
        each = frame.scope.tensor("unit")
        inputs = tuple(code.name(before[n][1], TENSOR) for n in taken)
        value = Code("call", (each, (code.name(frame.x, TENSOR), *inputs), ()), TENSOR)
        names = tuple(frame.named[n][1] for n in given)
        step = Unpack((frame.x, *names), value) if names else Assign(frame.x, value)
        frame.forward.add(For((each,), Code("text", (self._reached(name, frame),), TENSOR), (step,)))

    def _times(self, times: Any, index: str, owner: str, frame: Frame, unit: Callable[[Frame, Any], None]) -> None:
        """Units one behind the other in a container."""
        inner = frame.inside(owner, None)
        if times == 1:
            unit(inner, 0)
            frame.flow, frame.does = inner.flow, True
            return
        values = range(times) if isinstance(times, int) else range(MAX_REPEAT + 1)
        number = code.name(frame.scope.counter(index), INT, values)
        entry = frame.flow
        inner.flow = self._carried(frame, inner)
        carried = inner.flow
        inner.lines = Lines()
        unit(inner, number)
        self._carry(inner, carried)
        body = inner.lines.done()
        frame.lines.add(For((str(number),), code.call("range", times), body))
        frame.scope.release(str(number))
        frame.flow = _after(body, entry, carried)
        some = True if isinstance(times, int) and times else code.compare(times, ">", 0)
        frame.does = code.either(frame.does, some if isinstance(times, Code) else bool(times))

    def _carried(self, frame: Frame, inner: Frame) -> tuple[Any, ...]:
        """The sizes of what flows in variables, set before the loop that changes them."""
        flow = []
        for axis, size in enumerate(frame.flow):
            later = _names(frame.flow[axis + 1 :])
            variable = frame.scope.size(axis, len(frame.flow), frame.pinned | later, current=size)
            if size != variable:
                frame.lines.add(Assign(str(variable), size))
            flow.append(variable)
        return tuple(flow)

    def _carry(self, inner: Frame, carried: tuple[Any, ...]) -> None:
        """At the end of a loop's body, the variables of the sizes get what flows out of it."""
        if not isinstance(inner.flow, tuple) or len(inner.flow) != len(carried):
            raise ArchspecError("what is repeated changes the number of axes, so that it cannot be repeated")
        changed = [(str(v), size) for v, size in zip(carried, inner.flow, strict=True) if v != size]
        depends = {v for i, (v, _) in enumerate(changed) for _, later in changed[i + 1 :] if v in _names(later)}
        if depends:
            raise ArchspecError(f"the sizes of what is repeated depend on each other ({', '.join(sorted(depends))})")
        inner.lines.add(*(Assign(variable, size) for variable, size in changed))

    def _table(self, step: TableStep, frame: Frame) -> None:
        table = step.table
        names = [column.name for column in table.columns]
        rows = [dict(zip(names, row, strict=True)) for row in table.rows]
        if len(rows) > 1 and frame.forward is None and self._uniform(table, rows):
            self._looped(table, rows, frame)
            return
        for row in rows:
            self._row(table, row, frame)

    def _uniform(self, table: Rows, rows: list[dict[str, Any]]) -> bool:
        """Whether one loop can go through the rows: all of one block or operator, named, and without gaps."""
        callees = {_callee(table, row) for row in rows}
        cells = [{k: v for k, v in row.items() if k not in CALLEE} for row in rows]
        return (
            len(callees) == 1
            and all(row.get("as") is not None for row in cells)
            and all(self._fillable(table, next(iter(callees)), column, rows) for column in cells[0] if column != "as")
        )

    def _fillable(self, table: Rows, callee: str, column: str, rows: list[dict[str, Any]]) -> bool:
        """Whether a column has a number in every row: its own, or the argument's default."""
        empty = any(row[column] is None for row in rows)
        built = any(other.name == column and other.built is not None for other in table.columns)
        if not empty:
            return True
        if callee not in self.document.blocks or built or column in table.after_first:
            return False
        return any(row[column] is not None for row in rows)

    def _looped(self, table: Rows, rows: list[dict[str, Any]], frame: Frame) -> None:
        """A loop over the rows of a table."""
        callee = _callee(table, rows[0])
        read = self.reader(frame)
        columns = [name for name in rows[0] if name not in CALLEE and name != "as"]
        columns = [name for name in columns if any(row[name] is not None for row in rows)]
        cells = {name: [self._filled(callee, name, row[name], read, frame) for row in rows] for name in columns}
        kinds = {name: {code.kind_of(value) for value in values} for name, values in cells.items()}
        if any(len(kind) > 1 and not kind <= {INT, code.NONE} for kind in kinds.values()):
            for row in rows:
                self._row(table, row, frame)
            return
        labels = [attribute(str(row["as"])) for row in rows]
        for label in labels:
            self.local(str(label), frame)
        scope = frame.scope
        variables = {
            name: code.name(scope.column(name), frozenset().union(*kinds[name]), _values(values))
            for name, values in cells.items()
        }
        label = code.name(scope.column("name"), code.WORD)
        order = {name: variables.get(name, label) for name in rows[0] if name == "as" or name in variables}
        header = tuple("as" if name == "as" else name for name in order)
        listed = tuple(tuple(labels[i] if name == "as" else cells[name][i] for name in order) for i in range(len(rows)))
        entry = frame.flow
        inner = frame.inside(frame.owner, None)
        inner.flow = self._carried(frame, inner)
        carried = inner.flow
        inner.lines = Lines()
        self._made_of_row(table, callee, variables, label, inner)
        self._carry(inner, carried)
        body = inner.lines.done()
        frame.lines.add(For(tuple(map(str, order.values())), Table(header, listed), body))
        for variable in order.values():
            scope.release(str(variable))
        frame.flow, frame.does = _after(body, entry, carried), True

    def _filled(self, callee: str, column: str, cell: Any, read: Reader, frame: Frame) -> Any:
        """A cell; where it is empty, the default of the argument, or None where that has to be computed."""
        if cell is not None:
            return read.value(cell)
        default = self.document.blocks[callee].args[column]
        found = self.facts.constant(default)
        return found

    def _row(self, table: Rows, row: dict[str, Any], frame: Frame) -> None:
        """One row of a table by itself."""
        callee = _callee(table, row)
        read = self.reader(frame)
        given = {k: v for k, v in row.items() if k not in CALLEE and k != "as"}
        nominal = {k: None if v is None else read.value(v) for k, v in given.items()}
        label = None if row.get("as") is None else str(row["as"])
        self._made_of_row(table, callee, nominal, label, frame)
        self._remember(label, frame)

    def _made_of_row(self, table: Rows, callee: str, nominal: Mapping[str, Any], label: Any, frame: Frame) -> None:
        """What a row is made of, once or several times; its numbers, or the variables of a loop over rows."""
        flow = self._entry(table, frame) if table.repeat else frame.flow
        built = self._built(table, nominal, frame, flow)
        if table.repeat is None:
            if isinstance(label, Code):
                self._applied_to_row(callee, built, label, frame)
            else:
                self.apply(callee, built, label, frame)
            return
        times = frame.scope.whole(built.pop(table.repeat))
        later = built
        if table.after_first:
            read = self.reader(frame, flow)
            second = {key: read.value(value) for key, value in table.after_first.items()}
            later = self._built(table, {**nominal, **second}, frame, flow)
            later.pop(table.repeat)
        name = label if isinstance(label, Code) else self.local(label or callee, frame)
        owner = self._sequential(name, frame)

        def unit(inner: Frame, number: Any) -> None:
            first = code.compare(number, "==", 0) if isinstance(number, Code) else True
            accepted = set(arguments(self.document, callee)[0])
            if set(built) & accepted != set(later) & accepted:
                raise ArchspecError("after_first gives an argument that the first repetition leaves at its default")
            args = {key: code.choose(first, built[key], later[key]) for key in built if key in accepted}
            self._applied_to_row(callee, args, _unit(number), inner)

        self._times(times, "i", owner, frame, unit)
        self._pass(name, frame)

    def _applied_to_row(self, callee: str, args: Mapping[str, Any], name: Any, frame: Frame) -> None:
        if callee in self.document.blocks:
            self._block(callee, args, name, frame)
        else:
            self._operator(callee, args, name, frame)

    def _entry(self, table: Rows, frame: Frame) -> tuple[Any, ...]:
        """The sizes that a row's expressions mean by in_channels: those before its first repetition."""
        values = [column.built for column in table.columns] + list(table.after_first.values())
        if not any(set(FLOWING) & set(expression.names) for expression in _expressions(tuple(values))):
            return frame.flow
        kept = []
        for axis, size in enumerate(frame.flow):
            variable = frame.scope.variable(f"in_{dimensions(len(frame.flow))[axis]}")
            frame.lines.add(Assign(variable, size))
            kept.append(code.name(variable))
        return tuple(kept)

    def _built(self, table: Rows, nominal: Mapping[str, Any], frame: Frame, flow: tuple[Any, ...]) -> dict[str, Any]:
        """What the header makes of the numbers of a row; empty cells are left out."""
        values = {key: value for key, value in nominal.items() if value is not None}
        headers = {column.name: column.built for column in table.columns}
        inner = frame.inside(frame.owner, None, values)
        read = self.reader(inner, flow)
        return {
            key: value if (header := headers.get(key)) is None else read.expression(header)
            for key, value in values.items()
        }

    # -------------------------------------------------------------- names

    def local(self, wanted: str, frame: Frame) -> Any:
        """A name that is free in a container, as `graph.expand` gives it; code where it depends on conditions."""
        found = [
            (world, _free(wanted, names, frame.owner == "self" and frame.scope.top)) for world, names in frame.worlds
        ]
        name: Any = found[-1][1]
        for world, text in reversed(found[:-1]):
            name = code.choose(world, text, name)
        return name


# ------------------------------------------------------------------ parts of bodies


def _flowing(text: str, flow: tuple[Any, ...]) -> Any:
    if text == "in_channels":
        return flow[channel(len(flow))]
    if len(flow) != 4:
        raise ArchspecError(f"what flows in here is no image and has no {text[3:]}")
    return flow[2 if text == "in_height" else 3]


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


def _names(value: Any) -> frozenset[str]:
    return frozenset(str(name) for name in code.names(value))


def _callee(table: Rows, row: Mapping[str, Any]) -> str:
    return next((str(row[key]) for key in CALLEE if key in row), table.block or "")


def _unit(number: Any) -> Any:
    return Code("format", ("unit", number + 1), code.WORD) if isinstance(number, Code) else f"unit{number + 1}"


def _values(cells: list[Any]) -> tuple[Any, ...] | None:
    found: dict[Any, Any] = {}
    for cell in cells:
        known = (cell,) if not isinstance(cell, Code) else code.known_values(cell)
        if known is None or _names(cell if isinstance(cell, tuple) else ()):
            return None
        found |= {(type(value), value): value for value in known}
    return tuple(found.values())


def _after(body: Any, entry: tuple[Any, ...], carried: tuple[Any, ...]) -> tuple[Any, ...]:
    """The sizes behind a loop: those before it where the loop does not change them."""
    changed = targets(body)
    return tuple(variable if str(variable) in changed else size for size, variable in zip(entry, carried, strict=True))


def _last(name: Any) -> str:
    """Of the names that a module without weights may have, the last: its name says nothing to a state dict."""
    while isinstance(name, Code):
        name = max(name.parts[1:], key=lambda part: len(str(part)))
    return str(name)


def _free(wanted: str, names: dict[str, int], top: bool) -> str:
    count = names.get(wanted, 0) + 1
    names[wanted] = count
    if count == 1 and not (wanted == "input" and top):
        return wanted
    return _free(f"{wanted}_{max(count, 2)}", names, top)


def _distinct(worlds: list[tuple[Any, dict[str, int]]], repeated: frozenset[str]) -> list[tuple[Any, dict[str, int]]]:
    """The worlds that differ in a name that comes again; those that do not are one."""
    found: dict[Any, tuple[Any, dict[str, int]]] = {}
    for condition, names in worlds:
        key = tuple(sorted((name, count) for name, count in names.items() if name in repeated))
        known = found.get(key)
        found[key] = (condition, names) if known is None else (code.either(known[0], condition), {**names, **known[1]})
    if len(found) == 1:
        return [(True, names) for _, names in found.values()]
    if len(found) > 16:
        raise ArchspecError("the names of steps depend on too many conditions; name them by `as`")
    return list(found.values())


def _plain_choice(condition: Any, a: Any, b: Any, done: Any) -> Any:
    if isinstance(a, bool) and isinstance(b, bool):
        return done
    return code.either(code.both(condition, a), code.both(code.negation(condition), b))


def _labels(body: Body) -> Iterator[str]:
    """What the steps of a body are called."""
    for step in body:
        if isinstance(step, Call):
            yield step.as_ or step.name
        elif isinstance(step, Join):
            yield step.as_ or step.operator
        elif step.as_:
            yield step.as_
        for inner in inner_bodies(step):
            yield from _labels(inner)


def _steps(bodies: tuple[Body, ...]) -> Iterator[Step]:
    for body in bodies:
        for step in body:
            yield step
            yield from _steps(inner_bodies(step))


def froms(bodies: tuple[Body, ...]) -> Counter[str]:
    """The names that steps go back to, and how often."""
    return Counter(step.from_ for step in _steps(bodies) if isinstance(step, From))


def _conditional(name: str, body: Body) -> bool:
    """Whether a value of a body is only there on a condition."""
    return name not in {step.as_ for step in body}


def _decided(flow: Any) -> Any:
    """One of two shapes, where the condition is known."""
    if not isinstance(flow, Either):
        return flow
    known = code.known_truth(flow.condition)
    if known is None:
        return Either(flow.condition, _decided(flow.then), _decided(flow.otherwise))
    return _decided(flow.then if known else flow.otherwise)


def _all_names(bodies: tuple[Body, ...]) -> Iterator[str]:
    for step in _steps(bodies):
        if step.as_:
            yield step.as_
        if isinstance(step, TableStep):
            names = [column.name for column in step.table.columns]
            yield from (str(row[names.index("as")]) for row in step.table.rows if "as" in names)


def _peeled(body: Body) -> tuple[str | None, Body]:
    """The value that a branch begins at, if it goes back to one first of all, and the steps behind that."""
    if not body:
        return None, body
    if isinstance(body[0], From):
        return body[0].from_, body[1:]
    if not all(isinstance(step, When) for step in body):
        return None, body
    starts, steps = [], []
    for number, step in enumerate(body):
        assert isinstance(step, When)
        sides = [_peeled(side) for side in (step.then, step.else_ or ()) if side]
        starts += [start for start, _ in sides]
        if number < len(body) - 1 and any(rest for _, rest in sides):
            return None, body
        rests = [rest for _, rest in sides]
        if any(rests):
            other = rests[1] if len(rests) > 1 else ()
            steps.append(step.model_copy(update={"then": rests[0], "else_": other or None}))
    if len(set(starts)) != 1 or starts[0] is None:
        return None, body
    return starts[0], tuple(steps)


def _expressions(value: Any) -> Iterator[Any]:
    if isinstance(value, tuple):
        for part in value:
            yield from _expressions(part)
    elif value is not None:
        yield value


def _flat(lines: Lines) -> Iterator[Any]:
    from archspec.emit.statements import flat

    return flat(lines.done())


_JOINS: Mapping[str, Callable[[Any], Callable[[tuple[Any, ...]], Code]]] = {
    "concat": lambda args: lambda tensors: function_code(Function("torch.cat", args, "list"), tensors),
    "add": lambda _: lambda tensors: function_code(Function("torch.add", {}, "fold"), tensors),
    "mul": lambda _: lambda tensors: function_code(Function("torch.mul", {}, "fold"), tensors),
}

_WALKS: Mapping[type[Step], Callable[[Walk, Any, Frame], None]] = {
    Call: Walk._call,
    Use: Walk._use,
    Group: Walk._group,
    When: Walk._when,
    Repeat: Walk._repeat,
    From: Walk._from,
    TableStep: Walk._table,
    **dict.fromkeys(Join.__subclasses__(), Walk._join),
}

__all__ = ["RESERVED", "Block", "Frame", "Keep", "Module", "Unpack", "Walk", "ops"]
