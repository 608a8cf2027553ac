"""Steps on a condition: statements under an `if`, and what is known where its sides meet."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from archspec.emit import code, naming
from archspec.emit.code import Code
from archspec.emit.finish import FLOW, MODULE, SIZE, is_unnamed
from archspec.emit.frame import Either, Frame
from archspec.emit.naming import identifier
from archspec.emit.scope import dimensions
from archspec.emit.statements import If, Refuse, codes, targets
from archspec.errors import ArchspecError, SpecError

LONG = 24
"""The parts of the longest size that is written where it is used; a longer one gets a variable."""


def conditional(
    condition: Any,
    frame: Frame,
    then: Callable[[Frame], None],
    otherwise: Callable[[Frame], None],
    label: str,
) -> None:
    """Steps on a condition, and others where it does not hold."""
    known = frame.known(condition)
    if known is not None:
        (then if known else otherwise)(frame)
        return
    a, b = sides = _side(then, frame, condition, True), _side(otherwise, frame, condition, False)
    possible = [side for side in sides if side.flow is not None]
    if not possible:
        reasons = [found.message[0] for side in sides for found in side.lines.done() if isinstance(found, Refuse)]
        raise ArchspecError(f"neither side of a condition can be built: {'; '.join(dict.fromkeys(reasons))}")
    if len(possible) == 2:
        idle = [side for side in sides if not side.lines.made]
        _Meeting(condition, frame, a, b, idle[0] if len(idle) == 1 else None).meet(label)
    else:
        side = possible[0]
        frame.flow, frame.x, frame.named, frame.modules = side.flow, side.x, side.named, side.modules
        if side.forward is not None:
            frame.written().add(*side.forward.made)
    one, other = a.lines.done(), b.lines.done()
    frame.lines.add(*(one if one == other else (If(condition, one, other),)))
    frame.worlds = naming.merge_worlds(
        [(code.both(condition, world), names) for world, names in a.worlds]
        + [(code.both(code.negation(condition), world), names) for world, names in b.worlds],
        frame.facts.repeated,
    )
    frame.does = code.either(frame.does, code.truth_of(condition, a.does, b.does))


def _side(steps: Callable[[Frame], None], frame: Frame, condition: Any, answer: bool) -> Frame:
    """One side of a condition; where it cannot be built, a constructor that says so."""
    side = frame.fork(condition, answer)
    frame.scope.hand_flags(frame.lines, side.lines)
    try:
        steps(side)
    except ArchspecError as error:
        side = frame.fork(condition, answer)
        side.flow = None
        side.lines.add(Refuse(True, (message(error),)))
    return side


# ------------------------------------------------------------------ where two sides meet


@dataclass(frozen=True, slots=True)
class _Meeting:
    """Where the sides `a` and `b` of a condition in a frame meet; `idle` is one that does nothing, where one does."""

    condition: Any
    frame: Frame
    a: Frame
    b: Frame
    idle: Frame | None

    def meet(self, label: str) -> None:
        """What flows behind the condition, and the values that have names there, whichever side was taken."""
        frame, a, b = self.frame, self.a, self.b
        entry, flow = frame.x, frame.flow
        frame.modules |= {name: made for name, made in a.modules.items() if b.modules.get(name) == made}
        frame.flow = self.shape(a.flow, b.flow)
        frame.x = self.tensor(a.x, b.x, entry)
        for name in {**a.named, **b.named}:
            one, other = a.named.get(name), b.named.get(name)
            known = one or other
            if known is None or one == other or frame.forward is None or not frame.scope.from_uses[name]:
                frame.named[name] = known or frame.named[name]
                continue
            if (
                (one is None or other is None)
                and name in frame.scope.rounds
                and any(map(is_unnamed, code.variables(self.condition)))
            ):
                raise ArchspecError(
                    f"'{name}' may be of an earlier round; give a value that name on both sides of the condition"
                )
            one = one or (_stand_in(known[0], flow, b), entry)
            other = other or (_stand_in(known[0], flow, a), entry)
            shape = self.shape(one[0], other[0])
            frame.named[name] = (shape, self.tensor(one[1], other[1], want=identifier(name)))
        if a.forward is not None and b.forward is not None and (a.forward.made or b.forward.made):
            flag = frame.scope.flag(f"has_{label}", self.condition, frame.lines)
            frame.written().add(If(flag, a.forward.done(), b.forward.done()))

    def shape(self, one: Any, other: Any) -> Any:
        """The shape behind the condition: a variable for every size that the sides set to different values."""
        if one == other:
            return one
        if isinstance(one, Either) or isinstance(other, Either) or len(one) != len(other):
            return Either(self.condition, one, other)
        names = dimensions(len(one))
        return tuple(a if a == b else self.size(name, a, b) for name, a, b in zip(names, one, other, strict=True))

    def size(self, want: str, one: Any, other: Any) -> Code:
        """A variable that each side sets; a side that does nothing else sets it before the condition, where it can."""
        made = self.frame.scope.new(want)
        for side, value in ((self.a, one), (self.b, other)):
            early = side is self.idle and not any(found.head in {"call", "index", "/"} for found in codes(value))
            (self.frame if early else side).lines.set(made, value)
        return made

    def tensor(self, one: Code, other: Code, near: Code | None = None, want: str = FLOW) -> Code:
        """The variable of a tensor behind the condition."""
        if one == other or self.frame.forward is None:
            return one
        made = self.frame.scope.tensor(near, want)
        self.a.written().set(made, one)
        self.b.written().set(made, other)
        return made


def _stand_in(shape: Any, flow: Any, there: Frame) -> Any:
    """The shape of a name on the side that gives it no value: nobody asks for it, and no size of it is set `there`."""
    set_there = set(targets(there.lines.done()))
    if not isinstance(shape, tuple) or not any(code.variables(size) & set_there for size in shape):
        return shape
    others = flow if isinstance(flow, tuple) and len(flow) == len(shape) else (1,) * len(shape)
    return tuple(other if code.variables(size) & set_there else size for size, other in zip(shape, others, strict=True))


def settled(shape: Any, frame: Frame) -> Any:
    """A shape with a variable for every size that depends on a condition, or is long."""
    return shape if isinstance(shape, Either) else frame.variable_sizes(shape, _long)


def _long(size: Any) -> bool:
    return isinstance(size, Code) and (size.head == "if" or sum(1 for _ in codes(size)) > LONG)


def message(error: ArchspecError) -> str:
    """An error's sentence; a variable that has no name yet is called what it would be."""
    return re.sub(f"[{SIZE}{MODULE}][0-9]+", "", error.message if isinstance(error, SpecError) else str(error))
