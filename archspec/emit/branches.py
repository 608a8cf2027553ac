"""Branches, which an operator joins."""

from dataclasses import replace
from typing import Any

from archspec.emit import children, code
from archspec.emit.bodies import peeled
from archspec.emit.containers import Outflow, part
from archspec.emit.frame import UNTOLD, Frame
from archspec.emit.joins import join
from archspec.errors import ArchspecError
from archspec.language.document import Body, From, Join, Step, When


def write_join(step: Join, frame: Frame) -> None:
    """The branches of a step, and what joins them."""
    name = children.child_name(step.as_ or step.operator, frame)
    args = {name: frame.read(value) for name, value in step.args.items()}
    branches = {name: _branch(name, body, frame) for name, body in step.branches.items()}
    present = {name: branch for name, branch in branches.items() if branch.does is not False}
    if not present:
        raise ArchspecError(f"no branch of {step.operator} does anything; write [identity] to pass the input on")
    join(step.operator, args, present, name, frame, "a branch of")
    frame.keep(step.as_)


def _branch(label: str, body: Body, frame: Frame) -> Outflow:
    name = children.child_name(label, frame)
    start, rest = peeled(body)
    entry = frame.inside(frame.owner)
    if start and start in frame.named:
        entry.flow, entry.x = frame.named[start]
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
