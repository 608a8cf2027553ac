"""Branches, and the operators that join them."""

from dataclasses import dataclass, replace
from typing import Any

from archspec.emit import children, code
from archspec.emit.bodies import peeled
from archspec.emit.code import Code, Fork
from archspec.emit.conditions import message, reader, settled
from archspec.emit.containers import (
    adopt,
    child_code,
    child_statement,
    inline,
    is_chain,
    sequential,
    shared_values,
    walk_inside,
    write_submodule,
)
from archspec.emit.flow import Either
from archspec.emit.frame import UNTOLD, Frame, call_module
from archspec.emit.layer import function_code, layers, module_code
from archspec.emit.modules import keep_value, kept_settings
from archspec.emit.scope import TENSOR
from archspec.emit.statements import Assign, Do, For, If, Lines, Put, Refuse, flat
from archspec.errors import ArchspecError
from archspec.language.document import Body, From, Join, Step, When
from archspec.language.steps import inner_bodies
from archspec.ops import Function, Module, TorchCall


@dataclass(frozen=True, slots=True)
class _Branch:
    """What a branch gives: the code of its tensor, its shape, and whether it does anything."""

    name: str
    tensor: Any
    shape: Any
    does: Any


@dataclass(frozen=True, slots=True)
class _Joined:
    """What a join gives, and the function or module that joins; None where there is never more than one branch."""

    shape: tuple[Any, ...]
    call: TorchCall | None
    weightless: bool = True


def write_join(step: Join, frame: Frame) -> None:
    """The branches of a step, and what joins them."""
    name = children.child_name(step.as_ or step.operator, frame)
    read = reader(frame)
    args = {name: read.value(value) for name, value in step.args.items()}
    branches = [_branch(name, body, frame) for name, body in step.branches.items()]
    branches = [branch for branch in branches if branch.does is not False]
    if not branches:
        raise ArchspecError(f"no branch of {step.operator} does anything; write [identity] to pass the input on")
    if any(isinstance(branch.shape, Either) for branch in branches):
        raise ArchspecError(f"a branch of {step.operator} has one of several numbers of axes")
    joined = _joined(step.operator, args, [(branch.shape, branch.does) for branch in branches], frame)
    flags = [
        None if branch.does is True else frame.scope.flag(f"has_{branch.name}", branch.does, frame.lines)
        for branch in branches
    ]
    tensors = [branch.tensor for branch in branches]
    if isinstance(joined.call, Module):
        frame.x = _called(joined, step.operator, name, tensors, flags, frame)
    else:
        call = joined.call and replace(joined.call, kwargs=kept_settings(joined.call.kwargs, frame))
        frame.x = _written(call, tensors, flags, frame)
    frame.flow, frame.does = settled(joined.shape, frame), True
    keep_value(step.as_, frame)


# ------------------------------------------------------------------ branches


def _branch(label: str, body: Body, frame: Frame) -> _Branch:
    name = children.child_name(label, frame)
    start, rest = peeled(body)
    inner = frame.inside(frame.owner)
    if start and start in frame.named:
        inner.flow, inner.x = frame.named[start]
    if inline(name, rest, frame):
        within = walk_inside(name, rest, frame, start=inner)
        return _Branch(label, within.x, within.flow, True)
    if is_chain(rest, frame) and not shared_values(rest, frame):
        return _chained(label, name, body, rest, inner, frame)
    part = write_submodule(label, rest, inner, {}, None)
    frame.lines.add(child_statement(name, part.made, frame))
    adopt(name, part, frame)
    tensor = call_module(child_code(name, frame), inner.x, *(frame.named[taken][1] for taken in part.inputs))
    if part.given:
        value, tensor = tensor, frame.scope.tensor(inner.x)
        frame.written().add(Assign((str(tensor), *(str(variable) for _, variable in part.given.values())), value))
        frame.named |= part.given
    return _Branch(label, tensor, part.flow, _does(body, part.does, frame))


def _chained(label: str, name: Any, body: Body, rest: Body, inner: Frame, frame: Frame) -> _Branch:
    """A branch of one step after another; without modules it is a value that is there already."""
    inner.lines = Lines()
    holder = inner.inside(sequential(name, inner))
    holder.lines = Lines()
    frame.facts.body(rest, holder)
    tensor = inner.x
    if any(isinstance(statement, Put) for statement in flat(holder.lines.done())):
        frame.lines.add(*inner.lines.made)
        tensor = call_module(child_code(name, frame), tensor)
    frame.lines.add(*holder.lines.made)
    return _Branch(label, tensor, holder.flow, _does(body, holder.does, frame))


def _does(body: Body, done: Any, frame: Frame) -> Any:
    """Whether a branch does anything, counting that it may go back to another value.

    Raises:
        ArchspecError: It depends on sizes inside a part of the branch.
    """
    does = code.either(*(_goes_back(step, frame) for step in body), done)
    if UNTOLD in code.names(does):
        raise ArchspecError("whether a branch does anything depends on sizes that only a part of it knows")
    return does


def _goes_back(step: Step, frame: Frame) -> Any:
    if isinstance(step, From):
        return True
    if not isinstance(step, When) or not frame.facts.froms(inner_bodies(step)):
        return False
    condition = reader(frame).expression(step.when)
    then, other = (code.either(*(_goes_back(s, frame) for s in side or ())) for side in (step.then, step.else_))
    return code.either(code.both(condition, then), code.both(code.negation(condition), other))


# ------------------------------------------------------------------ the join


def _joined(operator: str, args: Any, results: list[tuple[Any, Any]], frame: Frame, given: Any = True) -> _Joined:
    """The shape and the call of a join, by the conditions on which its branches are there."""
    index = next((i for i, (_, does) in enumerate(results) if does is not True), None)
    if index is None:
        return _join_of_all(operator, args, tuple(shape for shape, _ in results), frame)
    shape, does = results[index]
    without = [*results[:index], *results[index + 1 :]]
    if not without:
        return _Joined(tuple(shape), None)
    with_it = [*results[:index], (shape, True), *results[index + 1 :]]
    found = [
        _possible(operator, args, some, frame, code.both(given, condition))
        for some, condition in ((with_it, does), (without, code.negation(does)))
    ]
    possible = [joined for joined in found if joined is not None]
    if not possible:
        raise ArchspecError(f"the branches of {operator} cannot be joined, whichever are there")
    if len(possible) == 1:
        return possible[0]
    one, other = possible
    if len(one.shape) != len(other.shape):
        raise ArchspecError("the branches that may be left out have another number of axes")
    sizes = tuple(code.choose(does, a, b) for a, b in zip(one.shape, other.shape, strict=True))
    return _Joined(sizes, one.call or other.call)


def _join_of_all(operator: str, args: Any, shapes: tuple[Any, ...], frame: Frame) -> _Joined:
    """The shape and the call of a join whose branches are all there."""
    if len(shapes) == 1:
        return _Joined(tuple(shapes[0]), None)
    layer = layers(operator, args, shapes, frame.scope.whole, lambda _: (0, 0), frame.scope.plainness)
    if isinstance(layer, Fork):
        raise ArchspecError(f"how {operator} joins depends on a condition")
    return _Joined(layer.shape, layer.call, layer.weightless)


def _possible(operator: str, args: Any, results: list[tuple[Any, Any]], frame: Frame, condition: Any) -> _Joined | None:
    """A join on a condition; None where it cannot be, which the constructor then says."""
    try:
        return _joined(operator, args, results, frame, condition)
    except ArchspecError as error:
        frame.lines.add(Refuse(condition, (message(error),)))
        return None


# ------------------------------------------------------------------ the forward


def _called(joined: _Joined, operator: str, name: Any, tensors: list[Any], flags: list[Any], frame: Frame) -> Code:
    """A module that joins the branches' tensors, all of which are there."""
    if any(flag is not None for flag in flags) or not isinstance(joined.call, Module):
        raise ArchspecError(f"whether {operator} has all of its branches depends on a condition")
    made = frame.scope.shortened(module_code(joined.call))
    if joined.weightless:
        name = children.single_name(name, frame)
    else:
        frame.facts.weighted[operator] = frame.facts.weighted.get(operator, frozenset()) | {made.parts[0]}
    frame.lines.add(child_statement(name, made, frame))
    return frame.set(call_module(child_code(name, frame), *tensors), near=frame.x)


def _written(call: Function | None, tensors: list[Any], flags: list[Any], frame: Frame) -> Code:
    """What joins the branches' tensors; one with a flag is there only where the flag is true."""
    if call is None:
        return frame.set(tensors[0], near=frame.x)
    if not any(flag is not None for flag in flags):
        return frame.set(function_code(call, tuple(tensors)), near=frame.x)
    if call.takes == "fold" and flags[0] is None and None not in flags[1:]:
        return _folded(call, tensors, flags, frame)
    return _listed(call, tensors, flags, frame)


def _folded(call: Function, tensors: list[Any], flags: list[Any], frame: Frame) -> Code:
    """The first branch, and behind it one `if` for each of the others."""
    result = frame.set(tensors[0], near=frame.x)
    for tensor, flag in zip(tensors[1:], flags[1:], strict=True):
        frame.written().add(If(flag, (Assign((str(result),), function_code(call, (result, tensor))),)))
    return result


def _listed(call: Function, tensors: list[Any], flags: list[Any], frame: Frame) -> Code:
    """The branches that are there in a list, which is joined."""
    begun = 1 if flags[0] is None else 0
    branches = frame.set(Code("list", tuple(tensors[:begun])), want="branches")
    for tensor, flag in list(zip(tensors, flags, strict=True))[begun:]:
        do = Do(call_module(Code("attr", (branches, "append")), tensor))
        frame.written().add(do if flag is None else If(flag, (do,)))
    if call.takes == "list":
        return frame.set(function_code(replace(call, takes="inputs"), (branches,)), near=frame.x)
    result = frame.set(Code("index", (branches, 0), TENSOR), near=frame.x)
    each = frame.scope.tensor(None, "branch")
    step = Assign((str(result),), function_code(call, (result, each)))
    frame.written().add(For((str(each),), Code("behind", (branches, 1), TENSOR), (step,)))
    return result
