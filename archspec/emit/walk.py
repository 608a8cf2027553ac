"""The walk over the bodies of a specification, which writes down what constructors and forwards do.

A body that is a chain of steps becomes an `nn.Sequential`; one with branches, or with steps that go back to an earlier
value, becomes a class with a forward of its own.
"""

from collections.abc import Callable, Mapping
from typing import Any

from archspec.emit import children, code
from archspec.emit.bodies import labels
from archspec.emit.branches import write_join
from archspec.emit.conditions import conditional, reader
from archspec.emit.containers import bind_lets, container
from archspec.emit.flow import Either
from archspec.emit.frame import Frame
from archspec.emit.loops import write_repeat
from archspec.emit.modules import apply, keep_value, taken, value_of
from archspec.emit.tables import write_table
from archspec.errors import ArchspecError, SpecError
from archspec.language.document import Body, Call, From, Group, Join, Repeat, Step, TableStep, Use, When
from archspec.language.rules import block_inputs


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
    values = taken(step.name, step.from_ or (), step.args, frame)
    apply(step.name, _read(step.name, step.args, frame), step.as_, frame, values, step.share, step.args)


def _read(callee: str, args: Mapping[str, Any], frame: Frame) -> dict[str, Any]:
    """The code of arguments, without the names of values that a block takes."""
    read, labels = reader(frame), block_inputs(frame.facts.document, callee)
    return {name: read.value(value) for name, value in args.items() if name not in labels}


def _use(step: Use, frame: Frame) -> None:
    read = reader(frame)
    callee = read.expression(step.use)
    known = (callee,) if isinstance(callee, str) else code.known_values(callee)
    if not known:
        raise SpecError(f"use: what '{step.use}' may name is not known when the source is written", step.use.at)
    _alternatives(callee, tuple(known), step, frame)


def _alternatives(callee: Any, known: tuple[str, ...], step: Use, frame: Frame) -> None:
    first, *others = known

    def use(inner: Frame) -> None:
        values = taken(first, step.from_ or (), step.args, inner)
        apply(first, _read(first, step.args, inner), step.as_, inner, values, step.share)

    if not others:
        use(frame)
        return
    conditional(
        code.compare(callee, "==", first),
        frame,
        use,
        lambda inner: _alternatives(callee, tuple(others), step, inner),
        step.as_ or first,
    )


def _from(step: From, frame: Frame) -> None:
    frame.flow, frame.x = value_of(step.from_, frame)
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
