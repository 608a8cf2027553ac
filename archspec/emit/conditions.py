"""Steps on a condition: statements under an `if`, and what is known behind it."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from archspec.emit import children, code
from archspec.emit.expression import Reader
from archspec.emit.facts import BlockFacts, Facts
from archspec.emit.flow import Either
from archspec.emit.frame import TENSOR, Frame, variables
from archspec.emit.prose import safe
from archspec.emit.scope import channel
from archspec.emit.statements import Assign, If, Refuse
from archspec.errors import ArchspecError, SpecError
from archspec.language.check import FLOWING
from archspec.language.document import Body


class Conditions(ABC):
    """Writes one class after another; `facts` are what the last walk found of the blocks."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.document = facts.document

    @abstractmethod
    def body(self, body: Body, frame: Frame) -> None:
        """The steps of a body, one after the other."""

    @abstractmethod
    def write_block(self, facts: BlockFacts) -> None:
        """The class of a block, and what its callers know of it."""

    def reader(self, frame: Frame, flow: tuple[Any, ...] | None = None) -> Reader:
        """What the expressions of a container's steps become."""
        sizes = frame.flow if flow is None else flow

        def name(text: str) -> Any:
            if text in FLOWING:
                return _flowing(text, sizes)
            return frame.env[text] if text in frame.env else frame.scope.named(text)

        return Reader(name, lambda name, args: self.facts.function(name, args, frame.scope.symbol), frame.scope.whole)

    def conditional(
        self,
        condition: Any,
        frame: Frame,
        then: Callable[[Frame], None],
        otherwise: Callable[[Frame], None],
        label: str,
    ) -> None:
        """Steps on a condition, and others where it does not hold."""
        sure = code.sure_truth(condition)
        if sure is not None:
            (then if sure else otherwise)(frame)
            return
        if frame.forward is not None:
            self.settle(frame)
        frame.pinned |= variables(condition)
        sides = self._side(then, frame), self._side(otherwise, frame)
        if sides[0].flow is None and sides[1].flow is None:
            raise ArchspecError("neither side of a condition can be built")
        for side in sides:
            if side.forward is not None and side.x != frame.x:
                side.forward.add(Assign(frame.x, code.name(side.x, TENSOR)))
        self._merge_shapes(condition, frame, *sides)
        if frame.forward is not None and sides[0].forward is not None and sides[1].forward is not None:
            bodies = sides[0].forward.done(), sides[1].forward.done()
            if any(bodies):
                flag = frame.scope.flag(f"has_{label}", condition, frame.lines)
                frame.forward.add(If(flag, *bodies) if bodies[0] else If(code.negation(flag), bodies[1]))
        frame.lines.add(If(condition, sides[0].lines.done(), sides[1].lines.done()))
        frame.worlds = children.distinct(
            [(code.both(condition, world), names) for world, names in sides[0].worlds]
            + [(code.both(code.negation(condition), world), names) for world, names in sides[1].worlds],
            self.facts.repeated,
        )
        frame.named |= {**sides[1].named, **sides[0].named}
        done = code.choose(condition, sides[0].does, sides[1].does)
        frame.does = code.either(frame.does, _plain_choice(condition, sides[0].does, sides[1].does, done))

    def _side(self, steps: Callable[[Frame], None], frame: Frame) -> Frame:
        """One side of a condition; where it cannot be built, a constructor that says so."""
        side = frame.fork()
        try:
            steps(side)
        except ArchspecError as error:
            side = frame.fork()
            side.flow = None
            side.lines.add(Refuse(True, (message(error),)))
        return side

    def settle(self, frame: Frame) -> None:
        """What flows in a variable that may be set again."""
        if frame.x in frame.pinned:
            variable = frame.scope.tensor("x")
            frame.written().add(Assign(variable, code.name(frame.x, TENSOR)))
            frame.x = variable

    def _merge_shapes(self, condition: Any, frame: Frame, a: Frame, b: Frame) -> None:
        if a.flow is None or b.flow is None or a.flow == b.flow:
            frame.flow = b.flow if a.flow is None else a.flow
            return
        if isinstance(a.flow, Either) or isinstance(b.flow, Either) or len(a.flow) != len(b.flow):
            frame.flow = Either(condition, a.flow, b.flow)
            return
        pairs = list(zip(a.flow, b.flow, strict=True))
        pinned = frame.pinned | a.pinned | b.pinned
        flow = []
        for axis, (one, other) in enumerate(pairs):
            if one == other:
                flow.append(one)
                continue
            later = frozenset().union(*(variables(pair) for pair in pairs[axis + 1 :]))
            variable = frame.scope.size(axis, len(pairs), pinned | later)
            for side, value in ((a, one), (b, other)):
                lines = frame.lines if not side.lines.made else side.lines
                if value != variable:
                    lines.add(Assign(str(variable), value))
            flow.append(variable)
        frame.flow = tuple(flow)

    def local(self, wanted: str, frame: Frame) -> Any:
        """A name that is free in a container, as `graph.expand` gives it; code where it depends on conditions."""
        return children.named(wanted, frame.worlds, frame.owner == "self" and frame.scope.top)


def message(error: ArchspecError) -> str:
    """An error's sentence, as a text of the source."""
    return safe(error.message if isinstance(error, SpecError) else str(error)).replace('"', "'")


def _flowing(text: str, flow: tuple[Any, ...]) -> Any:
    if text == "in_channels":
        return flow[channel(len(flow))]
    if len(flow) != 4:
        raise ArchspecError(f"what flows in here is no image and has no {text[3:]}")
    return flow[2 if text == "in_height" else 3]


def _plain_choice(condition: Any, a: Any, b: Any, done: Any) -> Any:
    if isinstance(a, bool) and isinstance(b, bool):
        return done
    return code.either(code.both(condition, a), code.both(code.negation(condition), b))
