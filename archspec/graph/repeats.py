"""Repetitions: units one after the other, each under a name of its own."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from archspec import dims
from archspec.errors import Mark, SpecError, UndecidableError
from archspec.graph.frame import BodyFrame
from archspec.graph.network import Container
from archspec.graph.sharing import share
from archspec.language.document import Repeat
from archspec.language.rules import repeat_fault
from archspec.ops import Tensor
from archspec.ops.base import same_size


def walk_repeat(step: Repeat, frame: BodyFrame) -> None:
    """Steps several times over."""
    expansion = frame.expansion
    times = step.repeat.evaluate(frame.scope)
    path = frame.name(step.as_ or "repeat", step if step.as_ else None)
    if step.index:
        times = dims.settled(times)
    expansion.containers[path] = Container("repeat")

    def walk_unit(unit: int) -> None:
        expansion.count(step)
        first = len(expansion.nodes)
        inner = frame.inner(f"{path}/unit{unit + 1}", {step.index: unit} if step.index else None)
        expansion.containers[inner.path] = Container("unit")
        expansion.walk(step.body, inner)
        taken, frame.flow = frame.flow.tensor, inner.flow
        if step.shared and not inner.flow.guessed:
            _check_shape(taken, inner.flow.tensor, step.value_at("shared"))
        if step.shared and unit:
            share(expansion, first, inner.path, f"{path}/unit1", step.value_at("shared"))

    walk_units("repeat", times, walk_unit, frame, step.repeat.at)
    frame.keep(step.as_)


def _check_shape(taken: Tensor, given: Tensor, at: Mark | None) -> None:
    """See that a unit can be called again on what it gives."""
    if len(taken.shape) != len(given.shape) or not all(map(same_size, taken.shape, given.shape)):
        raise SpecError(f"shared: a unit must give the shape that it takes, {taken}; it gives {given}", at)


def walk_units(key: str, times: Any, walk_unit: Callable[[int], None], frame: BodyFrame, at: Mark | None) -> None:
    """Walk each unit of a repeat; if their number is an expression, the first and one that stands for the others.

    Units are the same as soon as one gives the shape that it takes.

    Args:
        key: What the number of units is called in messages.
        times: How many there are.
        walk_unit: Walks a unit, given its number from 0.
        frame: The body that they are in.
        at: Where the number stands.

    Raises:
        SpecError: The number is none that something can be done so often.
        UndecidableError: The units differ, and the number is open.
    """
    if not dims.is_symbolic(times):
        times = dims.settled(times)
        if fault := repeat_fault(key, times):
            raise SpecError(fault, at)
        for unit in range(times):
            walk_unit(unit)
        return
    if not dims.is_whole(times):
        raise SpecError(f"{key} must be a whole number (got {times})", at)
    dims.at_least_one(times)
    walk_unit(0)
    expansion = frame.expansion
    first, taken = len(expansion.nodes), frame.flow.tensor
    before = expansion.checkpoint(frame)
    with dims.recording() as conditions:
        walk_unit(1)
    if frame.flow.tensor == taken and frame.flow.guessed == before.flow.guessed:
        for condition in conditions:
            dims.record(condition)
        others = [replace(node, times=node.times * (times - 1)) for node in expansion.nodes[first:]]
        expansion.nodes[first:] = others
        return
    shapes = f"the next takes {taken} and gives {frame.flow.tensor}"
    expansion.go_back(before, frame)
    try:
        units = dims.settled(times)
    except UndecidableError:
        raise UndecidableError(f"the units of this {key} differ: {shapes}; bind {times}") from None
    for unit in range(1, units):
        walk_unit(unit)
