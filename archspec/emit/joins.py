"""Branches, and the operators that join several values."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from archspec import ops
from archspec.emit import code, naming
from archspec.emit.bodies import peeled
from archspec.emit.code import Fork
from archspec.emit.conditions import conditional, settled
from archspec.emit.containers import Outflow, child_code, kept_settings, part, put, weighted
from archspec.emit.frame import UNTOLD, Either, Frame, call_module
from archspec.emit.layer import function_code, layers
from archspec.errors import ArchspecError
from archspec.language.document import Body, From, Join, Step, When
from archspec.ops import Module

Values = Mapping[Any, Outflow]


def write_join(step: Join, frame: Frame) -> None:
    """The branches of a step, and what joins them."""
    name = naming.child_name(step.as_ or step.operator, frame)
    args = {name: frame.read(value) for name, value in step.args.items()}
    branches = {name: _branch(name, body, frame) for name, body in step.branches.items()}
    present = {name: branch for name, branch in branches.items() if branch.does is not False}
    join(step.operator, args, present, name, frame, "a branch of")
    frame.keep(step.as_)


def _branch(label: str, body: Body, frame: Frame) -> Outflow:
    name = naming.child_name(label, frame)
    start, rest = peeled(body)
    entry = frame.inside(frame.owner)
    if start in frame.named:
        entry.flow, entry.x = frame.named[start]
    else:
        rest = body
    given = part(name, rest, frame, entry, label)
    return replace(given, does=_does(body, given.does, frame))


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
    if not isinstance(step, When) or not frame.facts.froms((*step.then, *(step.else_ or ()))):
        return False
    then, other = (code.either(*(_goes_back(s, frame) for s in side or ())) for side in (step.then, step.else_))
    return code.truth_of(frame.read(step.when), then, other)


# ------------------------------------------------------------------ the operator behind them


def join(operator: str, args: Mapping[str, Any], values: Values, name: Any, frame: Frame, what: str) -> None:
    """Join values, some of which may be there on conditions alone; an error calls one of them `what`."""
    if any(isinstance(value.flow, Either) for value in values.values()):
        raise ArchspecError(f"{what} {operator} has one of several numbers of axes")
    if any(value.does is not True for value in values.values()):
        values = {key: replace(v, x=frame.set(v.x)) if v.does is True else v for key, v in values.items()}
    _join(operator, args, values, name, frame)
    frame.does = True


def _join(operator: str, args: Mapping[str, Any], values: Values, name: Any, frame: Frame) -> None:
    """Join values: one after another where the operator allows it, else with the first optional one, or without it."""
    keys = [*values]
    key = next((key for key in keys if values[key].does is not True), None)
    if key is None:
        _join_all(operator, args, [*values.values()], name, frame)
        return
    in_turn = ops.operator(operator).in_turn
    before = [values[each] for each in keys[: keys.index(key)]]
    if before and in_turn:
        _join_all(operator, args, before, name, frame)
        with_it = [Outflow(frame.x, frame.flow, True), values[key]]
        conditional(
            values[key].does,
            frame,
            lambda inner: _join_all(operator, args, with_it, name, inner),
            lambda _: None,
            str(key),
        )
        if after := {each: values[each] for each in keys[keys.index(key) + 1 :]}:
            _join(operator, args, {"": Outflow(frame.x, frame.flow, True), **after}, name, frame)
        return
    begun = next((number for number, each in enumerate(keys, 1) if values[each].does is True), len(keys))
    if in_turn and begun < len(keys):  # those up to the first that is always there, and the others behind them
        _join(operator, args, {each: values[each] for each in keys[:begun]}, name, frame)
        behind = {each: values[each] for each in keys[begun:]}
        _join(operator, args, {"": Outflow(frame.x, frame.flow, True), **behind}, name, frame)
        return
    for each, value in values.items():  # one attribute for each condition, whichever side asks for it
        if value.does is not True and frame.known(value.does) is None:
            frame.scope.flag(f"has_{each}", value.does, frame.lines)
    there = {**values, key: replace(values[key], does=True)}
    others = {other: value for other, value in values.items() if other != key}
    conditional(
        values[key].does,
        frame,
        lambda inner: _join(operator, args, there, name, inner),
        lambda inner: _join(operator, args, others, name, inner),
        str(key),
    )


def _join_all(operator: str, args: Mapping[str, Any], values: list[Outflow], name: Any, frame: Frame) -> None:
    """Join values that are all there."""
    if not values:
        raise ArchspecError(f"no branch of {operator} does anything; write [identity] to pass the input on")
    if len(values) == 1:
        frame.flow, frame.x = values[0].flow, frame.set(values[0].x, near=frame.x)
        return
    found = layers(operator, args, tuple(value.flow for value in values), frame)
    if isinstance(found, Fork):
        raise ArchspecError(f"how {operator} joins depends on a condition")
    tensors = tuple(value.x for value in values)
    if isinstance(found.call, Module):
        name = naming.single_name(name, frame) if found.weightless else name
        put(name, weighted(found, operator, frame), frame)
        joined = call_module(child_code(name, frame), *tensors)
    else:
        call = replace(found.call, kwargs=kept_settings(found.call.kwargs, frame))
        joined = function_code(call, tensors)
    frame.flow, frame.x = settled(found.shape, frame), frame.set(joined, near=frame.x)
