"""The walk over the bodies of a specification, which writes down what constructors and forwards do.

A body that is a chain of steps becomes an `nn.Sequential`; one with branches, or with steps that go back to an earlier
value, becomes a class with a forward of its own.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from archspec.emit import code, naming
from archspec.emit.bodies import labels
from archspec.emit.conditions import conditional
from archspec.emit.containers import bind_lets, container
from archspec.emit.frame import Either, Frame
from archspec.emit.joins import write_join
from archspec.emit.loops import write_repeat, write_table
from archspec.emit.modules import Asked, apply, read_args, taken
from archspec.errors import ArchspecError, SpecError
from archspec.language.document import Body, Call, From, Group, Join, Repeat, Step, TableStep, Use, When


def walk(body: Body, frame: Frame) -> None:
    """The steps of a body, one after the other."""
    for step in body:
        try:
            _step(step, frame)
        except SpecError:
            raise
        except ArchspecError as error:
            raise SpecError(str(error), step.at) from None


def _step(step: Step, frame: Frame) -> None:
    """One step; once for each of two shapes where what flows has one or the other."""
    flow = frame.flow
    if isinstance(flow, Either):
        conditional(flow.condition, frame, partial(_on, step, flow.then), partial(_on, step, flow.otherwise), "then")
    else:
        _WALKS[type(step)](step, frame)


def _on(step: Step, flow: Any, frame: Frame) -> None:
    frame.flow = flow
    _step(step, frame)


def _call(step: Call, frame: Frame) -> None:
    _applied(step.name, step, frame)


def _applied(callee: str, step: Call | Use, frame: Frame) -> None:
    values = taken(callee, step.from_ or (), step.args, frame)
    apply(Asked(callee, read_args(callee, step.args, frame), values, step.args), step.as_, frame, step.share)


def _use(step: Use, frame: Frame) -> None:
    callee = frame.read(step.use)
    known = code.known_values(callee)
    if not known:
        raise SpecError(f"use: what '{step.use}' may name is not known when the source is written", step.use.at)
    _alternatives(callee, known, step, frame)


def _alternatives(callee: Any, known: tuple[str, ...], step: Use, frame: Frame) -> None:
    first, *others = known
    if others:
        rest = partial(_alternatives, callee, tuple(others), step)
        is_first = code.compare(callee, "==", first)
        conditional(is_first, frame, partial(_applied, first, step), rest, step.as_ or first)
    else:
        _applied(first, step, frame)


def _from(step: From, frame: Frame) -> None:
    frame.flow, frame.x = frame.value_of(step.from_)
    frame.does = True


def _group(step: Group, frame: Frame) -> None:
    if step.as_ is None:
        before = dict(frame.env)
        bind_lets(step.let, frame)
        walk(step.body, frame)
        frame.env = before
        return
    container(naming.child_name(step.as_, frame), step.body, frame, step.as_, step.let)
    frame.keep(step.as_)


def _when(step: When, frame: Frame) -> None:
    conditional(
        frame.read(step.when),
        frame,
        lambda inner: walk(step.then, inner),
        lambda inner: walk(step.else_ or (), inner),
        next(labels(*step.then), "then"),
    )


_WALKS: Mapping[type[Step], Callable[[Any, Frame], None]] = {
    Call: _call,
    Use: _use,
    Group: _group,
    When: _when,
    Repeat: write_repeat,
    From: _from,
    TableStep: write_table,
    Join: write_join,
}
