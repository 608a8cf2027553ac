"""Parts of a class: an `nn.Sequential` for a chain of steps, a class of its own for any other."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from archspec.emit import code
from archspec.emit.bodies import given_by, labels, names_given, shares, takes
from archspec.emit.code import Code
from archspec.emit.frame import UNTOLD, Either, Frame, call_module, mapped, sizes
from archspec.emit.layer import LayerCode, call_code
from archspec.emit.naming import class_name, identifier
from archspec.emit.scope import TENSOR, ClassScope
from archspec.emit.statements import SELF, Class, Lines, Param, Put, Return, all_codes, flat, targets
from archspec.errors import ArchspecError
from archspec.graph.names import attribute
from archspec.language.document import Body, Call, From, Group, Join, TableStep, Use, When
from archspec.language.steps import inner_bodies
from archspec.language.values import Value

_SEQUENTIAL_METHODS = frozenset({"append", "extend", "insert", "pop"})
"""The names by which a child of an `nn.Sequential` cannot be reached."""

Shapes = Mapping[str, Any]
"""The shapes of values by name; what flows has none. A size that only the module can tell is None."""

NO_LET: Mapping[str, Value] = {}


@dataclass(frozen=True, slots=True)
class Outflow:
    """What flows out of a part: its tensor, a variable or a call; its shape; whether the part does anything."""

    x: Code
    flow: Any
    does: Any


def container(name: Any, body: Body, frame: Frame, label: str, let: Mapping[str, Value] = NO_LET) -> None:
    """The steps of a body in a module of their own, perhaps one of several rounds."""
    given = part(name, body, frame, frame, label, let)
    frame.flow, frame.does = given.flow, code.either(frame.does, given.does)
    frame.arrive(given.x)


def part(name: Any, body: Body, frame: Frame, entry: Frame, label: str, let: Mapping[str, Value] = NO_LET) -> Outflow:
    """The steps of a body as a child of a container; a branch begins at an `entry` of its own."""
    within = _shares_around(name, body, frame)
    if not within and not _is_sequence(body, frame):
        return _submodule(name, body, frame, entry, label, let)
    if within or entry is not frame:
        return _apart(name, body, frame, entry, let, within=within)
    inner = frame.inside(sequential(name, frame))
    bind_lets(let, inner)
    frame.facts.body(body, inner)
    x = frame.x if frame.forward is None else call_module(child_code(name, frame), frame.x)
    return Outflow(x, inner.flow, inner.does)


def _apart(name: Any, body: Body, frame: Frame, entry: Frame, let: Mapping[str, Value], *, within: bool) -> Outflow:
    """A branch, which is no child where it has no modules, or steps that stand `within` the forward around them."""
    shell = replace(entry, lines=Lines())
    inner = shell.inside(sequential(name, shell))
    inner.lines, inner.forward = Lines(), frame.forward if within else None
    bind_lets(let, inner)
    frame.facts.body(body, inner)
    x = inner.x
    if any(isinstance(statement, Put) for statement in flat(inner.lines.done())):
        frame.lines.add(*shell.lines.made)
        x = x if within else call_module(child_code(name, frame), entry.x)
    frame.lines.add(*inner.lines.made)
    return Outflow(x, inner.flow, inner.does)


def _shares_around(name: Any, body: Body, frame: Frame) -> bool:
    """Whether the steps of a part share weights of the class around it, one by one."""
    if frame.forward is None or frame.owner != SELF or not isinstance(name, str):
        return False
    return (
        any(shares(step) for step in body)
        and all(shares(step) or _in_chain(step, frame) for step in body)
        and not any(shared_values(body, frame))
    )


def bind_lets(given: Mapping[str, Value], frame: Frame) -> None:
    """The names that a `let` gives."""
    for name, value in given.items():
        frame.env[name] = frame.scope.let(name, frame.read(value), frame.lines)


def shared_values(body: Body, frame: Frame) -> tuple[list[str], list[str]]:
    """The values that a part takes from outside, and those that it gives."""
    inside = frame.facts.froms(body)
    outside = [name for name, often in frame.scope.from_uses.items() if often > inside[name] or name not in inside]
    return [name for name in inside if name in frame.named], given_by(body, outside)


# ------------------------------------------------------------------ children


def sequential(name: Any, frame: Frame) -> Code:
    """A new `nn.Sequential` in the container, and the code to reach it."""
    made = code.call("nn.Sequential", kind=TENSOR)
    if frame.owner == SELF and isinstance(name, str):
        put(name, made, frame)
        return Code("attr", (SELF, attribute(name)))
    variable = frame.scope.module(name if isinstance(name, str) else "unit" if name.head == "format" else "units")
    frame.lines.set(variable, made, kept=True)
    put(name, variable, frame)
    return variable


def put(name: Any, value: Any, frame: Frame) -> None:
    """Give the container a child."""
    frame.lines.add(Put(frame.owner, _attribute(name), value))


def add_module(name: Any, value: Any, frame: Frame, more: tuple[Code, ...] = ()) -> None:
    """A module in the container, and its call in the forward, with more values than what flows."""
    put(name, value, frame)
    call_child(name, frame, more)


def weighted(found: LayerCode, callee: str, frame: Frame) -> Code:
    """The code that makes an operator's module, whose class is noted if it has weights."""
    made: Code = frame.scope.shortened(call_code(found.call))
    if not found.weightless:
        frame.facts.weighted[callee] = frame.facts.weighted.get(callee, frozenset()) | {made.parts[0]}
    return made


def kept_settings(given: Mapping[str, Any], frame: Frame) -> dict[str, Any]:
    """Settings of a forward; those that the constructor works out are kept in attributes."""
    return {
        key: frame.scope.flag(key, value, frame.lines) if code.names(value) else value for key, value in given.items()
    }


def call_child(name: Any, frame: Frame, more: tuple[Code, ...] = ()) -> None:
    """In a forward, what flows goes through a child, and perhaps more values with it."""
    if frame.forward is not None:
        frame.flow_into(call_module(child_code(name, frame), frame.x, *more))


def give(
    name: Any, made: Code, shapes: Shapes, key: Any, label: str, frame: Frame, more: tuple[int, ...] = ()
) -> Shapes:
    """Give the container the module of a class; the shapes that the module gives, with the sizes that it must tell."""
    if not more and not any(None in sizes(shape) for shape in shapes.values()):
        put(name, made, frame)
        return shapes
    if frame.owner == SELF and isinstance(name, str):
        module = Code("attr", (SELF, attribute(name)))
        put(name, made, frame)
    else:
        module = frame.scope.module(label)
        frame.lines.set(module, made)
        put(name, module, frame)
    return told_shapes(module, key, shapes, frame, more)


def told_shapes(module: Code, key: Any, shapes: Shapes, frame: Frame, more: tuple[int, ...] = ()) -> Shapes:
    """Shapes whose sizes that are None, or stand on `more` axes, a module tells, whose facts are under the key."""

    def told(name: str, axis: int, rank: int) -> Code:
        size = Code("out", (module, frame.facts.size_attribute(name, axis, rank), key, (name, axis)))
        return frame.scope.size(axis, rank, size, frame.lines)

    def shown(name: str, shape: Any) -> Any:
        if not isinstance(shape, Either):
            axes = [axis for axis, size in enumerate(shape) if size is None or axis in more]
            return tuple(told(name, axis, len(shape)) if axis in axes else size for axis, size in enumerate(shape))
        if None in sizes(shape):
            raise ArchspecError(
                "what it gives has one of several numbers of axes, and sizes that are known inside it alone"
            )
        return shape

    return {name: shown(name, shape) for name, shape in shapes.items()}


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


def _is_sequence(body: Body, frame: Frame) -> bool:
    """Whether a part is a chain that takes and gives no other value than what flows."""
    return is_chain(body, frame) and not any(shared_values(body, frame))


def _in_chain(step: Any, frame: Frame) -> bool:
    if isinstance(step, (Join, From)) or takes(step, frame.facts.document) or _gives(step, frame) or shares(step):
        return False
    if not _SEQUENTIAL_METHODS.isdisjoint((*labels(step), *names_given(step))):
        return False
    if isinstance(step, When) or (isinstance(step, Group) and step.as_ is None):
        return all(is_chain(body, frame) for body in inner_bodies(step))
    return not any(_outward(body, frame) for body in inner_bodies(step))


def _gives(step: Any, frame: Frame) -> bool:
    """Whether a step calls a block of which values inside are asked for."""
    asked = {name.partition("/")[0] for name in frame.scope.from_uses if "/" in name}
    return isinstance(step, (Call, Use, TableStep)) and not asked.isdisjoint(names_given(step))


def _outward(body: Body, frame: Frame) -> bool:
    """Whether a part goes back to a value from outside it, or gives one."""
    asked = set(frame.facts.froms(body))
    return any(shared_values(body, frame)) or bool(asked - set(given_by(body, asked)))


# ------------------------------------------------------------------ classes of their own


def _submodule(name: Any, body: Body, frame: Frame, entry: Frame, label: str, let: Mapping[str, Value]) -> Outflow:
    """A class of its own for the steps of a body, of which others may ask for values, and share weights."""
    taken, given = shared_values(body, frame)
    scope = frame.scope.inner(label, frame.facts.froms(body, given))
    if isinstance(name, Code) and name.head == "format":  # of a round
        scope.rounds |= frozenset(names_given(*body))
    inner = Frame(scope, entry.flow, dict(entry.env), scope.lines, scope.forward, answers=entry.answers)
    inputs = {name: code.name(scope.tensors.new(identifier(name)), TENSOR) for name in taken}
    inner.named = {name: (frame.named[name][0], variable) for name, variable in inputs.items()}
    bind_lets(let, inner)
    frame.facts.body(body, inner)
    given = [name for name in given if name in inner.named]
    results = (inner.x, *(inner.named[name][1] for name in given))
    scope.forward.add(Return(Code("several", results, TENSOR) if given else inner.x))
    shapes = {"": inner.flow, **{name: inner.named[name][0] for name in given}}
    made = _nested(scope, shapes, tuple(map(str, inputs.values())))
    known = {name: mapped(scope.outside, shape) for name, shape in shapes.items()}
    outer = give(name, made, known, scope.key, label, frame)
    if isinstance(name, str):
        frame.modules |= {each: module.inside(child_code(name, frame)) for each, module in inner.modules.items()}
    x = entry.x
    values = {name: (outer[name], frame.scope.tensor(None, identifier(name))) for name in given}
    if frame.forward is not None:
        x = call_module(child_code(name, frame), x, *(frame.named[label][1] for label in taken))
        if given:
            x = frame.unpack(entry.x, [variable for _, variable in values.values()], x)
    frame.named |= values
    does = scope.outside(inner.does)
    return Outflow(x, outer[""], UNTOLD if does is None else does)


def _nested(scope: ClassScope, shapes: Mapping[str, Any], inputs: tuple[str, ...]) -> Code:
    """The class of a part of a block, and the code that makes it."""
    body, forward = scope.finish_class(shapes, scope.inherited)
    own = {"self", *targets(body)}
    free = {str(each): each for each in all_codes(body) if each.head == "name" and str(each) not in own}
    given = {**free, **{str(name): value for value, name in scope.handed.items()}}
    sizes = [name for name in free if name.startswith("in_")]
    others = [name for name in free if name not in sizes]
    params = tuple(Param(name, free[name].kind) for name in (*sizes, *others))
    name = scope.facts.file.new(class_name(scope.label))
    scope.facts.classes[scope.key] = Class(name, [scope.doc], params, body, forward, inputs, outputs=len(shapes))
    return Code(
        "call", (name, tuple(given[size] for size in sizes), tuple((other, given[other]) for other in others)), TENSOR
    )
