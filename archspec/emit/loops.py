"""Repetitions: loops in the constructor, and in a forward where values are shared with what is repeated."""

from collections.abc import Callable, Mapping
from typing import Any

from archspec.emit import children, code
from archspec.emit.code import INT, Code
from archspec.emit.containers import call_child, child_code, container, sequential, shared_values
from archspec.emit.frame import UNTOLD, Either, Frame, Named, call_module
from archspec.emit.statements import Assign, For, Lines, Refuse, targets
from archspec.errors import ArchspecError
from archspec.language.document import Repeat
from archspec.language.rules import MAX_REPEAT


def write_repeat(step: Repeat, frame: Frame) -> None:
    """Steps several times over, each time in a module of their own."""
    times = frame.scope.whole(frame.read(step.repeat))
    name = children.child_name(step.as_ or "repeat", frame)
    owner = sequential(name, frame)
    label = f"{step.as_ or 'repeat'}_unit"

    def unit(inner: Frame, number: Any) -> None:
        inner.env |= {step.index: number} if step.index else {}
        container(children.unit_name(number), step.body, inner, label)

    before, handed = dict(frame.named), shared_values(step.body, frame)
    if step.shared:
        _again(name, times, any(handed), lambda: repeated(1, "i", owner, frame, unit), frame)
    else:
        repeated(times, step.index or "i", owner, frame, unit)
        if any(handed):
            _through(name, handed, before, frame, surely=_any(times) is True)
        else:
            call_child(name, frame)
    frame.keep(step.as_)


def _any(times: Any) -> Any:
    """Whether there is a unit at all."""
    return times > 0 if isinstance(times, int) else code.compare(times, ">", 0)


def _again(name: Any, times: Any, hands: bool, unit: Callable[[], None], frame: Frame) -> None:
    """In a forward, what flows goes through the one unit so often.

    Raises:
        ArchspecError: A unit goes back to a value from outside it, or gives another number of axes than it takes.
    """
    if hands:
        raise ArchspecError("shared: a unit goes back to a value from outside it, or gives one")
    entry, did = frame.flow, frame.does
    unit()
    frame.does = code.either(did, code.both(_any(times), frame.does))
    if isinstance(entry, Either) or isinstance(frame.flow, Either) or len(frame.flow) != len(entry):
        raise ArchspecError("shared: a unit gives another number of axes than it takes")
    pairs = [(a, b) for a, b in zip(entry[1:], frame.flow[1:], strict=True) if a != b]
    if pairs:  # written in another way, and the same in a network that there is
        differs = code.either(*(code.compare(a, "!=", b) for a, b in pairs))
        frame.lines.add(Refuse(differs, ("a unit that is shared must give the shape that it takes",)))
    frame.flow = entry
    often = frame.scope.flag("times", times, frame.lines) if code.names(times) else times
    _each("round", code.call("range", often), child_code(name, frame), frame)


def _through(
    name: Any, handed: tuple[list[str], list[str]], before: Mapping[str, Named], frame: Frame, *, surely: bool
) -> None:
    """In a forward, what flows and the values it shares go through one unit after another.

    Where there may be no unit, a value of theirs stands for what flows, until there is one: nobody asks for it.
    """
    taken, given = handed
    given = [label for label in given if label in frame.named and frame.named[label] != before.get(label)]
    entry = {label: before[label][1] for label in taken}
    for label in given:
        if label in before:  # the units hand it on to each other
            entry[label] = frame.named[label][1]
            frame.written().set(entry[label], before[label][1])
        elif not surely:
            frame.written().set(frame.named[label][1], frame.x)
    changed = tuple(str(frame.named[label][1]) for label in given)
    _each("unit", child_code(name, frame), None, frame, tuple(entry[label] for label in taken), changed)


def through_each(name: Any, more: tuple[Code, ...], frame: Frame) -> None:
    """In a forward, what flows goes through one unit after another, and the same other values into each."""
    if more:
        _each("unit", child_code(name, frame), None, frame, more)
    else:
        call_child(name, frame)


def _each(
    want: str,
    over: Code,
    module: Code | None,
    frame: Frame,
    more: tuple[Code, ...] = (),
    changed: tuple[str, ...] = (),
) -> None:
    """In a forward, a loop in which what flows goes through the one module of all rounds, or through each of several.

    With it go `more` values in, and values for the `changed` variables out.
    """
    each = frame.scope.tensor(None, want)
    flowing = frame.set(frame.x, near=frame.x)
    step = Assign((str(flowing), *changed), call_module(each if module is None else module, flowing, *more))
    frame.written().add(For((str(each),), over, (step,)))
    frame.x = flowing


def repeated(times: Any, index: str, owner: Code, frame: Frame, unit: Callable[[Frame, Any], None]) -> None:
    """Units one behind the other in a container."""
    inner = frame.inside(owner)
    if times == 1:
        unit(inner, 0)
        frame.flow, frame.does = inner.flow, code.either(frame.does, inner.does)
    if times in {0, 1}:  # no unit, not even one that could not be made
        return
    values = range(times) if isinstance(times, int) else range(MAX_REPEAT + 1)
    number = frame.scope.new(index, INT, values)
    loop((str(number),), code.call("range", times), inner, frame, lambda: unit(inner, number))
    frame.does = code.either(frame.does, code.both(_any(times), inner.does))


def loop(names: tuple[str, ...], over: Any, inner: Frame, frame: Frame, rounds: Callable[[], None]) -> None:
    """A loop in the constructor; `rounds` writes one round into `inner`, from one shape to another of its kind."""
    entry, known = frame.flow, dict(frame.named)
    if isinstance(entry, Either):
        raise ArchspecError("what is repeated has one of several numbers of axes")
    carried = inner.flow = frame.variable_sizes(entry)
    inner.lines = Lines()
    rounds()
    if not isinstance(inner.flow, tuple) or len(inner.flow) != len(carried):
        raise ArchspecError("what is repeated changes the number of axes, so that it cannot be repeated")
    _hold(inner, known, code.variables(carried))
    _carry(inner, carried)
    body = inner.lines.done()
    frame.lines.add(For(names, over, body))
    changed = targets(body)
    if code.variables(inner.does) & {*names, *changed}:
        inner.does = UNTOLD
    frame.flow = tuple(
        variable if str(variable) in changed else size for size, variable in zip(entry, carried, strict=True)
    )


def _hold(inner: Frame, known: Mapping[str, Named], carried: frozenset[str]) -> None:
    """Before the sizes change for the next round, those of the values that a later step goes back to are kept."""
    for name, (shape, tensor) in inner.named.items():
        if known.get(name) != (shape, tensor) and isinstance(shape, tuple) and code.variables(shape) & carried:
            inner.named[name] = (inner.variable_sizes(shape, lambda size: code.variables(size) & carried), tensor)


def _carry(inner: Frame, carried: tuple[Code, ...]) -> None:
    """At the end of a loop's body, the variables of the sizes get what flows out of it."""
    changed = [(axis, v, size) for axis, (v, size) in enumerate(zip(carried, inner.flow, strict=True)) if v != size]
    for number, (axis, variable, size) in enumerate(changed):
        if any(str(before) in code.variables(size) for _, before, _ in changed[:number]):
            changed[number] = (axis, variable, inner.scope.size(axis, len(carried), size, inner.lines))
    for _, variable, size in changed:
        inner.lines.set(variable, size)
