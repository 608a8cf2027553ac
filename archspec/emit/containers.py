"""Parts of a class: an `nn.Sequential` for a chain of steps, a class of its own for any other."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from archspec.emit import code
from archspec.emit.bodies import given_by, labels, names_given, shares, takes
from archspec.emit.code import Code
from archspec.emit.conditions import reader
from archspec.emit.finish import SELF
from archspec.emit.flow import Either, mapped, sizes
from archspec.emit.frame import UNTOLD, Frame, Submodule, call_module
from archspec.emit.naming import identifier
from archspec.emit.scope import TENSOR, ClassScope
from archspec.emit.statements import Assign, Lines, Put, Return, flat
from archspec.errors import ArchspecError
from archspec.graph.names import attribute
from archspec.language.document import Body, Call, From, Group, Join, TableStep, Use, When
from archspec.language.steps import inner_bodies
from archspec.language.values import Value

_SEQUENTIAL_METHODS = frozenset({"append", "extend", "insert", "pop"})
"""The names by which a child of an `nn.Sequential` cannot be reached."""


def container(
    name: Any,
    body: Body,
    frame: Frame,
    label: str,
    let: Mapping[str, Value] | None = None,
    env: Mapping[str, Any] | None = None,
    *,
    repeated: bool = False,
) -> None:
    """The steps of a body in a module of their own, perhaps one of several rounds."""
    if inline(name, body, frame):
        inner = walk_inside(name, body, frame, let, env)
        frame.flow, frame.x, frame.does = inner.flow, inner.x, code.either(frame.does, inner.does)
        return
    if is_chain(body, frame) and not shared_values(body, frame):
        inner = frame.inside(sequential(name, frame), env)
        bind_lets(let or {}, inner)
        frame.facts.body(body, inner)
        frame.flow, frame.does = inner.flow, code.either(frame.does, inner.does)
        call_child(name, frame)
        return
    part = write_submodule(label, body, frame, let or {}, env, repeated=repeated)
    frame.lines.add(child_statement(name, part.made, frame))
    adopt(name, part, frame)
    if frame.forward is not None:
        _hand(name, part, frame)
    frame.named |= part.given
    frame.flow, frame.does = part.flow, code.either(frame.does, part.does)


def inline(name: Any, body: Body, frame: Frame) -> bool:
    """Whether the steps of a part stand in the forward around it: they share weights of its class, one by one."""
    if frame.forward is None or frame.owner != SELF or not isinstance(name, str):
        return False
    return (
        any(shares(step) for step in body)
        and all(shares(step) or _in_chain(step, frame) for step in body)
        and not shared_values(body, frame)
    )


def walk_inside(
    name: str,
    body: Body,
    frame: Frame,
    let: Mapping[str, Value] | None = None,
    env: Mapping[str, Any] | None = None,
    start: Frame | None = None,
) -> Frame:
    """A part of a container whose steps stand in the forward around it; without modules of its own it is no child."""
    shell = replace(frame if start is None else start, lines=Lines())
    inner = shell.inside(sequential(name, shell), env)
    inner.lines, inner.forward = Lines(), frame.forward
    bind_lets(let or {}, inner)
    frame.facts.body(body, inner)
    if any(isinstance(statement, Put) for statement in flat(inner.lines.done())):
        frame.lines.add(*shell.lines.made)
    frame.lines.add(*inner.lines.made)
    return inner


def adopt(name: Any, part: Submodule, frame: Frame) -> None:
    """Let steps share the weights of modules in a part."""
    if isinstance(name, str):
        frame.modules |= {label: made.inside(child_code(name, frame)) for label, made in part.modules.items()}


def _hand(name: Any, part: Submodule, frame: Frame) -> None:
    """In a forward, what flows and the values it shares go through a part, and those that it gives come out."""
    value = call_module(child_code(name, frame), frame.x, *(frame.named[taken][1] for taken in part.inputs))
    if not part.given:
        frame.flow_into(value)
        return
    frame.x = frame.scope.tensor(frame.x)
    frame.written().add(Assign((str(frame.x), *(str(variable) for _, variable in part.given.values())), value))


def bind_lets(given: Mapping[str, Value], frame: Frame) -> None:
    """The names that a `let` gives."""
    for name, value in given.items():
        frame.env[name] = frame.scope.let(name, reader(frame).value(value), frame.lines)


def shared_values(body: Body, frame: Frame) -> tuple[list[str], list[str]] | None:
    """The values that a part takes from outside, and those that it gives; None where there are none of both."""
    inside = frame.facts.froms((body,))
    taken = [name for name in inside if name in frame.named]
    given = given_by((body,), frame.scope.from_uses - inside)
    return (taken, given) if taken or given else None


# ------------------------------------------------------------------ children


def sequential(name: Any, frame: Frame) -> Code:
    """A new `nn.Sequential` in the container, and the code to reach it."""
    made = code.call("nn.Sequential", kind=TENSOR)
    if frame.owner == SELF and isinstance(name, str):
        frame.lines.add(child_statement(name, made, frame))
        return Code("attr", (SELF, attribute(name)))
    variable = frame.scope.module(name if isinstance(name, str) else "unit" if name.head == "format" else "units")
    frame.lines.set(variable, made, kept=True)
    frame.lines.add(child_statement(name, variable, frame))
    return variable


def child_statement(name: Any, value: Any, frame: Frame) -> Put:
    """The statement that gives the container a child."""
    return Put(frame.owner, _attribute(name), value)


def add_module(name: Any, value: Any, frame: Frame, more: tuple[Code, ...] = ()) -> None:
    """A module in the container, and its call in the forward, with more values than what flows."""
    frame.lines.add(child_statement(name, value, frame))
    call_child(name, frame, more)


def call_child(name: Any, frame: Frame, more: tuple[Code, ...] = ()) -> None:
    """In a forward, what flows goes through a child, and perhaps more values with it."""
    if frame.forward is not None:
        frame.flow_into(call_module(child_code(name, frame), frame.x, *more))


def child_code(name: Any, frame: Frame) -> Code:
    """The code that reaches a child in the forward."""
    if isinstance(name, str):
        return Code("attr", (frame.owner, attribute(name)), TENSOR)
    kept = frame.scope.flag("name", _attribute(name), frame.lines)
    return call_module(Code("attr", (frame.owner, "get_submodule")), kept)


def _attribute(name: Any) -> Any:
    """The attribute that a child of this name becomes, whichever its name is."""
    if isinstance(name, str):
        return attribute(name)
    if name.head != "if":
        return name
    condition, *names = name.parts
    return code.choose(condition, *map(_attribute, names))


# ------------------------------------------------------------------ chains


def is_chain(body: Body, frame: Frame) -> bool:
    """Whether the steps of a body follow one another, each on the result of the last."""
    return all(_in_chain(step, frame) for step in body)


def _in_chain(step: Any, frame: Frame) -> bool:
    if isinstance(step, (Join, From)) or takes(step, frame.facts.document) or _gives(step, frame) or shares(step):
        return False
    if not _SEQUENTIAL_METHODS.isdisjoint((*labels((step,)), *names_given(((step,),)))):
        return False
    if isinstance(step, When) or (isinstance(step, Group) and step.as_ is None):
        return all(is_chain(body, frame) for body in inner_bodies(step))
    return not any(_outward(body, frame) for body in inner_bodies(step))


def _gives(step: Any, frame: Frame) -> bool:
    """Whether a step calls a block of which values inside are asked for."""
    asked = {name.partition("/")[0] for name in frame.scope.from_uses if "/" in name}
    if not asked or not isinstance(step, (Call, Use, TableStep)):
        return False
    return not asked.isdisjoint(names_given(((step,),)))


def _outward(body: Body, frame: Frame) -> bool:
    """Whether a part goes back to a value from outside it, or gives one."""
    asked = set(frame.facts.froms((body,)))
    return shared_values(body, frame) is not None or bool(asked - set(given_by((body,), asked)))


# ------------------------------------------------------------------ classes of their own


def write_submodule(
    label: str,
    body: Body,
    frame: Frame,
    let: Mapping[str, Value],
    env: Mapping[str, Any] | None,
    *,
    repeated: bool = False,
) -> Submodule:
    """A class of its own for the steps of a body."""
    taken, given = shared_values(body, frame) or ([], [])
    scope = frame.scope.inner(label, frame.facts.froms((body,)) + Counter(given))
    if repeated:
        scope.rounds |= frozenset(names_given((body,)))
    flow = tuple(scope.entry(size, axis, len(frame.flow)) for axis, size in enumerate(frame.flow))
    inner = Frame(scope, flow, {**frame.env, **(env or {})}, scope.lines, scope.forward)
    inputs = {name: code.name(scope.tensors.new(identifier(name)), TENSOR) for name in taken}
    inner.named = {name: (frame.named[name][0], variable) for name, variable in inputs.items()}
    bind_lets(let, inner)
    frame.facts.body(body, inner)
    given = [name for name in given if name in inner.named]
    results = (inner.x, *(inner.named[name][1] for name in given))
    scope.forward.add(Return(Code("several", results, TENSOR) if given else inner.x))
    shapes = {"": inner.flow, **{name: inner.named[name][0] for name in given}}
    made = frame.facts.nested(scope, shapes, tuple(map(str, inputs.values())))
    outer, made = _outside(shapes, scope, made, label, frame)
    values = {name: (outer[name], frame.scope.tensor(None, identifier(name))) for name in given}
    does = scope.outside(inner.does)
    does = UNTOLD if does is None else does
    return Submodule(made, outer[""], does, tuple(taken), values, inner.modules)


def _outside(shapes: Mapping[str, Any], scope: ClassScope, made: Code, label: str, frame: Frame) -> tuple[Any, Code]:
    """The shapes that a part gives, in the names outside it, or as its module tells them."""
    known = {name: mapped(scope.outside, shape) for name, shape in shapes.items()}
    untold = [name for name, shape in known.items() if any(size is None for size in sizes(shape))]
    if not untold:
        return known, made
    if any(isinstance(known[name], Either) for name in untold):
        raise ArchspecError(f"what '{label}' gives has one of several ranks, which cannot be told outside it")
    module = frame.scope.module(label)
    frame.lines.set(module, made)
    for name in untold:
        rank = len(known[name])
        known[name] = tuple(
            told_size(module, scope.key, axis, rank, frame, name) if size is None else size
            for axis, size in enumerate(known[name])
        )
    return known, module


def told_size(module: Code, key: Any, axis: int, rank: int, frame: Frame, name: str = "") -> Code:
    """The variable of a size that a module tells: of what flows out of it, or of a value that it gives.

    Args:
        module: The module.
        key: That of the facts of its class.
        axis: The axis of the size.
        rank: How many axes there are.
        frame: Where it is asked.
        name: The name of the value, if it is not what flows.
    """
    told = Code("out", (module, frame.facts.size_attribute(name, axis, rank), key, (name, axis)))
    return frame.scope.size(axis, rank, told, frame.lines)
