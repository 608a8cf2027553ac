"""The walk over the bodies of a specification, which writes down what constructors and forwards do.

A body that is a chain of steps becomes an `nn.Sequential`; one with branches, or with steps that go back to an earlier
value, becomes a class with a forward of its own.
"""

from collections.abc import Callable, Mapping
from typing import Any

from archspec.emit import code
from archspec.emit.blocks import Blocks
from archspec.emit.bodies import labels
from archspec.emit.flow import Either
from archspec.emit.frame import Frame
from archspec.errors import ArchspecError, SpecError
from archspec.language.document import Body, Call, From, Group, Join, Repeat, Step, Use, When
from archspec.language.document import Table as TableStep


class Walk(Blocks):
    """Writes one class after another: a step at a time, by its kind."""

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

    def _from(self, step: From, frame: Frame) -> None:
        if step.from_ not in frame.named:
            raise SpecError(f"from: nothing before this is called '{step.from_}'", step.value_at("from"))
        frame.flow, frame.x = frame.named[step.from_]
        frame.pinned |= {frame.x}
        frame.does = True

    def _group(self, step: Group, frame: Frame) -> None:
        if step.as_ is None:
            before = dict(frame.env)
            self.lets(step.let, frame)
            self.body(step.body, frame)
            frame.env = before
            return
        name = self.local(step.as_, frame)
        self.container(name, step.body, frame, step.let, step.as_)
        self.remember(step.as_, frame)

    def _when(self, step: When, frame: Frame) -> None:
        condition = self.reader(frame).expression(step.when)
        self.conditional(
            condition,
            frame,
            lambda inner: self.body(step.then, inner),
            lambda inner: self.body(step.else_ or (), inner),
            next(labels(step.then), "then"),
        )


_WALKS: Mapping[type[Step], Callable[[Walk, Any, Frame], None]] = {
    Call: Walk._call,
    Use: Walk._use,
    Group: Walk._group,
    When: Walk._when,
    Repeat: Walk._repeat,
    From: Walk._from,
    TableStep: Walk._table,
    Join: Walk._join,
}
