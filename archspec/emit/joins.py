"""The operators that join several values."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from archspec.emit import children, code
from archspec.emit.code import Code, Fork
from archspec.emit.conditions import message, settled
from archspec.emit.containers import Outflow, child_code, kept_settings, put, weighted
from archspec.emit.frame import Either, Frame, call_module
from archspec.emit.layer import LayerCode, function_code, layers
from archspec.emit.scope import TENSOR
from archspec.emit.statements import Assign, Do, For, If, Refuse
from archspec.errors import ArchspecError
from archspec.ops import Function, Module


def join(
    operator: str, args: Mapping[str, Any], values: Mapping[Any, Outflow], name: Any, frame: Frame, what: str
) -> None:
    """Join values, some of which may be there on conditions alone; an error calls one of them `what`."""
    if any(isinstance(value.flow, Either) for value in values.values()):
        raise ArchspecError(f"{what} {operator} has one of several numbers of axes")
    found = _joined(operator, args, [(value.flow, value.does) for value in values.values()], frame)
    flags = [
        None if value.does is True else frame.scope.flag(f"has_{name}", value.does, frame.lines)
        for name, value in values.items()
    ]
    tensors = [value.x for value in values.values()]
    if isinstance(found.call, Module):
        frame.x = _called(found, operator, name, tensors, flags, frame)
    else:
        call = found.call and replace(found.call, kwargs=kept_settings(found.call.kwargs, frame))
        frame.x = _written(call, tensors, flags, frame)
    frame.flow, frame.does = settled(found.shape, frame), True


def _joined(operator: str, args: Any, results: list[tuple[Any, Any]], frame: Frame, given: Any = True) -> LayerCode:
    """The shape and the call of a join, by the conditions on which its branches are there."""
    index = next((i for i, (_, does) in enumerate(results) if does is not True), None)
    if index is None:
        return _join_of_all(operator, args, tuple(shape for shape, _ in results), frame)
    shape, does = results[index]
    without = [*results[:index], *results[index + 1 :]]
    if not without:
        return LayerCode(None, tuple(shape), True)
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
    return LayerCode(one.call or other.call, sizes, True)


def _join_of_all(operator: str, args: Any, shapes: tuple[Any, ...], frame: Frame) -> LayerCode:
    """The shape and the call of a join whose branches are all there."""
    if len(shapes) == 1:
        return LayerCode(None, tuple(shapes[0]), True)
    layer = layers(operator, args, shapes, frame)
    if isinstance(layer, Fork):
        raise ArchspecError(f"how {operator} joins depends on a condition")
    return layer


def _possible(
    operator: str, args: Any, results: list[tuple[Any, Any]], frame: Frame, condition: Any
) -> LayerCode | None:
    """A join on a condition; None where it cannot be, which the constructor then says."""
    try:
        return _joined(operator, args, results, frame, condition)
    except ArchspecError as error:
        frame.lines.add(Refuse(condition, (message(error),)))
        return None


def _called(joined: LayerCode, operator: str, name: Any, tensors: list[Any], flags: list[Any], frame: Frame) -> Code:
    """A module that joins tensors, all of which are there."""
    if any(flag is not None for flag in flags):
        raise ArchspecError(f"whether {operator} has all of its branches depends on a condition")
    if joined.weightless:
        name = children.single_name(name, frame)
    put(name, weighted(joined, operator, frame), frame)
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
