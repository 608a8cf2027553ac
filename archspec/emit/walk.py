"""The walk over the bodies of a specification, which writes down what constructors and forwards do.

A body that is a chain of steps becomes an `nn.Sequential`; one with branches, or with steps that go back to an earlier
value, becomes a class with a forward of its own.
"""

from collections.abc import Callable, Mapping
from typing import Any

from archspec.emit import children, code
from archspec.emit.bodies import labels
from archspec.emit.conditions import conditional, reader
from archspec.emit.containers import bind_lets, container
from archspec.emit.flow import Either
from archspec.emit.frame import Frame
from archspec.emit.joins import write_join
from archspec.emit.loops import write_repeat
from archspec.emit.modules import apply, keep_value
from archspec.emit.tables import write_table
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
    if not isinstance(frame.flow, Either):
        _WALKS[type(step)](step, frame)
        return
    flow = frame.flow

    def on(side: Any) -> Callable[[Frame], None]:
        def walk(inner: Frame) -> None:
            inner.flow = side
            _step(step, inner)

        return walk

    conditional(flow.condition, frame, on(flow.then), on(flow.otherwise), "then")


def _call(step: Call, frame: Frame) -> None:
    read = reader(frame)
    apply(step.name, {name: read.value(value) for name, value in step.args.items()}, step.as_, frame)


def _use(step: Use, frame: Frame) -> None:
    read = reader(frame)
    callee = read.expression(step.use)
    args = {name: read.value(value) for name, value in step.args.items()}
    known = (callee,) if isinstance(callee, str) else code.known_values(callee)
    if not known:
        raise SpecError(f"use: what '{step.use}' may name is not known when the source is written", step.use.at)
    _alternatives(callee, tuple(known), args, step, frame)


def _alternatives(callee: Any, known: tuple[str, ...], args: Mapping[str, Any], step: Use, frame: Frame) -> None:
    first, *others = known
    if not others:
        apply(first, args, step.as_, frame)
        return
    conditional(
        code.compare(callee, "==", first),
        frame,
        lambda inner: apply(first, args, step.as_, inner),
        lambda inner: _alternatives(callee, tuple(others), args, step, inner),
        step.as_ or first,
    )


def _from(step: From, frame: Frame) -> None:
    if step.from_ not in frame.named:
        raise SpecError(f"from: nothing before this is called '{step.from_}'", step.value_at("from"))
    frame.flow, frame.x = frame.named[step.from_]
    frame.does = True


def _group(step: Group, frame: Frame) -> None:
    if step.as_ is None:
        before = dict(frame.env)
        bind_lets(step.let, frame)
        walk(step.body, frame)
        frame.env = before
        return
    container(children.child_name(step.as_, frame), step.body, frame, step.as_, step.let)
    keep_value(step.as_, frame)


def _when(step: When, frame: Frame) -> None:
    conditional(
        reader(frame).expression(step.when),
        frame,
        lambda inner: walk(step.then, inner),
        lambda inner: walk(step.else_ or (), inner),
        next(labels(step.then), "then"),
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
