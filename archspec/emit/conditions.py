"""Steps on a condition: statements under an `if`, and what is known where its sides meet."""

import re
from collections.abc import Callable
from typing import Any

from archspec.emit import children, code
from archspec.emit.code import Code
from archspec.emit.flow import Either
from archspec.emit.frame import Frame, variables
from archspec.emit.liveness import FLOW, MODULE, SIZE
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
    sure = code.sure_truth(condition)
    if sure is not None:
        (then if sure else otherwise)(frame)
        return
    a, b = sides = _side(then, frame), _side(otherwise, frame)
    possible = [side for side in sides if side.flow is not None]
    if not possible:
        reasons = [found.message[0] for side in sides for found in side.lines.done() if isinstance(found, Refuse)]
        raise ArchspecError(f"neither side of a condition can be built: {'; '.join(dict.fromkeys(reasons))}")
    if len(possible) == 2:
        _meet(condition, frame, a, b, label)
    else:
        side = possible[0]
        frame.flow, frame.x, frame.named, frame.modules = side.flow, side.x, side.named, side.modules
        if side.forward is not None:
            frame.written().add(*side.forward.made)
    frame.lines.add(If(condition, a.lines.done(), b.lines.done()))
    frame.worlds = children.merge_worlds(
        [(code.both(condition, world), names) for world, names in a.worlds]
        + [(code.both(code.negation(condition), world), names) for world, names in b.worlds],
        frame.facts.repeated,
    )
    done = code.choose(condition, a.does, b.does)
    if not (isinstance(a.does, bool) and isinstance(b.does, bool)):
        done = code.either(code.both(condition, a.does), code.both(code.negation(condition), b.does))
    frame.does = code.either(frame.does, done)


def _side(steps: Callable[[Frame], None], frame: Frame) -> Frame:
    """One side of a condition; where it cannot be built, a constructor that says so."""
    side = frame.fork()
    try:
        steps(side)
    except ArchspecError as error:
        side = frame.fork()
        side.flow = None
        side.lines.add(Refuse(True, (message(error),)))
    return side


# ------------------------------------------------------------------ where two sides meet


def _meet(condition: Any, frame: Frame, a: Frame, b: Frame, label: str) -> None:
    """What flows behind a condition, and the values that have names there, whichever side was taken."""
    entry, flow = frame.x, frame.flow
    frame.modules |= {name: made for name, made in a.modules.items() if b.modules.get(name) == made}
    early = tuple(not one.lines.made and bool(other.lines.made) for one, other in ((a, b), (b, a)))
    frame.flow = _met_shapes(condition, frame, (a, a.flow), (b, b.flow), early)
    frame.x = _met_tensors(frame, (a, a.x), (b, b.x), near=entry)
    for name in {**a.named, **b.named}:
        one, other = a.named.get(name), b.named.get(name)
        known = one or other
        if known is None or one == other or frame.forward is None or not frame.scope.from_uses[name]:
            frame.named[name] = known or frame.named[name]
            continue
        if (one is None or other is None) and name in frame.scope.rounds and frame.scope.varies(condition):
            raise ArchspecError(
                f"'{name}' may be of an earlier round; give a value that name on both sides of the condition"
            )
        (one_shape, one_x), (other_shape, other_x) = (
            found or (_stand_in(known[0], flow, there), entry) for found, there in ((one, b), (other, a))
        )
        shape = _met_shapes(condition, frame, (a, one_shape), (b, other_shape), early)
        frame.named[name] = (shape, _met_tensors(frame, (a, one_x), (b, other_x), want=identifier(name)))
    if a.forward is not None and b.forward is not None and (a.forward.made or b.forward.made):
        flag = frame.scope.flag(f"has_{label}", condition, frame.lines)
        frame.written().add(If(flag, a.forward.done(), b.forward.done()))


def _stand_in(shape: Any, flow: Any, there: Frame) -> Any:
    """The shape of a name on the side that gives it no value: nobody asks for it, and no size of it is set `there`."""
    set_there = set(targets(there.lines.done()))
    if not isinstance(shape, tuple) or not any(variables(size) & set_there for size in shape):
        return shape
    others = flow if isinstance(flow, tuple) and len(flow) == len(shape) else (1,) * len(shape)
    return tuple(other if variables(size) & set_there else size for size, other in zip(shape, others, strict=True))


def _met_shapes(
    condition: Any, frame: Frame, a: tuple[Frame, Any], b: tuple[Frame, Any], early: tuple[bool, ...]
) -> Any:
    """The shape behind a condition: a variable for every size that the sides set to different values."""
    (_, one), (_, other) = a, b
    if one == other:
        return one
    if isinstance(one, Either) or isinstance(other, Either) or len(one) != len(other):
        return Either(condition, one, other)
    return tuple(
        size if size == rest else _met(frame, axis, len(one), ((a[0], size), (b[0], rest)), early)
        for axis, (size, rest) in enumerate(zip(one, other, strict=True))
    )


def _met(frame: Frame, axis: int, rank: int, sides: tuple[tuple[Frame, Any], ...], early: tuple[bool, ...]) -> Code:
    """A variable that each side sets; a side that does nothing else sets it before the condition, where it can."""
    made = frame.scope.new(dimensions(rank)[axis])
    for (side, value), before in zip(sides, early, strict=True):
        safe_before = before and not any(found.head in {"call", "index", "/"} for found in codes(value))
        (frame if safe_before else side).lines.set(made, value)
    return made


def _met_tensors(
    frame: Frame, a: tuple[Frame, Code], b: tuple[Frame, Code], near: Code | None = None, want: str = FLOW
) -> Code:
    """The variable of a tensor behind a condition."""
    if a[1] == b[1] or frame.forward is None:
        return a[1]
    made = frame.scope.tensor(near, want)
    for side, value in (a, b):
        side.written().set(made, value)
    return made


def settled(shape: tuple[Any, ...], frame: Frame) -> tuple[Any, ...]:
    """A shape with a variable for every size that depends on a condition, or is long."""
    return frame.variable_sizes(shape, _long)


def _long(size: Any) -> bool:
    return isinstance(size, Code) and (size.head == "if" or sum(1 for _ in codes(size)) > LONG)


def message(error: ArchspecError) -> str:
    """An error's sentence; a variable that has no name yet is called what it would be."""
    return re.sub(f"[{SIZE}{MODULE}][0-9]+", "", error.message if isinstance(error, SpecError) else str(error))
