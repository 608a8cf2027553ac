"""Statements made fit to be read: what nothing uses goes, values go where they are used, variables get names."""

from collections.abc import Mapping
from typing import Any

from archspec.emit import code
from archspec.emit.code import Code
from archspec.emit.liveness import MODULE, SIZE, name_variables
from archspec.emit.naming import FreshNames
from archspec.emit.statements import (
    Assign,
    Keep,
    Put,
    Statement,
    Statements,
    codes,
    flat,
    rebuilt,
    targets,
    used,
)

SELF = code.name("self")


def constructor(body: Statements, fixed: frozenset[str], names: FreshNames) -> Statements:
    """The statements of a constructor as they are written, from single assignments; `fixed` names never change."""
    body = _inlined(_pruned(body), fixed, plain=True)
    body = _inlined(_joined(name_variables(body, names, SIZE)), fixed)
    return _declared(name_variables(_joined(body), names, MODULE))


def forward(body: Statements, names: FreshNames, near: Mapping[str, str]) -> Statements:
    """The statements of a forward as they are written; all calls stay, for a module may keep what it saw."""
    return name_variables(_pruned(body, calls=True), names, SIZE, near)


def without_flags(body: Statements, flags: set[str], forward: Statements) -> Statements:
    """The statements of a constructor without the flags that its forward does not ask after all."""
    asked = {found.parts[1] for s in flat((*forward, *body)) for found in codes(s.code()) if found.head == "attr"}
    return rebuilt(body, lambda s: None if isinstance(s, Keep) and s.name in flags - asked else s)


def _pruned(body: Statements, *, calls: bool = False) -> Statements:
    """The statements without the variables that no effect depends on; with `calls`, a call is one."""
    live: set[str] = set()
    seen = -1

    def kept(statement: Statement) -> bool:
        match statement:
            case Assign(targets, value):
                return (calls and not _plain(value)) or not live.isdisjoint(targets)
        return True

    while len(live) > seen:
        seen = len(live)
        for statement in flat(body):
            if kept(statement):
                live.update(code.variables(statement.code()))
    return rebuilt(body, lambda statement: statement if kept(statement) else None)


def _inlined(body: Statements, fixed: frozenset[str], *, plain: bool = False) -> Statements:
    """The statements with variables put in place that are set once and are plain or, unless `plain`, used once."""
    counts, uses = targets(body), used(body)
    stable = fixed | {name for name, count in counts.items() if count == 1}
    known: dict[Code, Any] = {}
    for statement in flat(body):
        match statement:
            case Assign((target,), found, False) if counts[target] == 1:
                value = code.substituted(found, known)
                short = _plain(value) or (not plain and uses[target] == 1 and _pure(value))
                if short and code.variables(value) <= stable:
                    known[code.name(target)] = value

    def change(statement: Any) -> Any:
        gone = isinstance(statement, Assign) and code.name(statement.targets[0]) in known
        return None if gone else statement.with_code(lambda value: code.substituted(value, known))

    return rebuilt(body, change) if known else body


def _plain(value: Any) -> bool:
    return not isinstance(value, Code) or value.head == "name"


def _pure(value: Any) -> bool:
    """Whether it makes no module, so that it may stand elsewhere."""
    return all("tensor" not in found.kind for found in codes(value))


def _joined(body: Statements) -> Statements:
    """The statements with a module put in its place at once where it was in a variable only to be put there."""
    counts = used(body)

    def joined(body: Statements) -> Statements:
        made: list[Any] = []
        for statement in body:
            match statement:
                case Put(owner, name, Code(head="name", parts=(variable,))) if (
                    made and made[-1].sets() == (variable,) and counts[str(variable)] == 1
                ):
                    made[-1] = Put(owner, name, made[-1].value)
                case _:
                    made.append(statement.with_bodies(joined))
        return tuple(made)

    return joined(body)


def _declared(body: Statements) -> Statements:
    """The statements with the type of a child that is one of several classes said where it is made first."""
    made: dict[str, set[Any]] = {}
    for statement in flat(body):
        match statement:
            case Put(owner, str() as name, Code() as value) if owner == SELF:
                made.setdefault(name, set()).add(value.parts[0])
    several = {name for name, classes in made.items() if len(classes) > 1}

    def change(statement: Statement) -> Statement:
        match statement:
            case Put(owner, str() as name, value) if owner == SELF and name in several:
                several.remove(name)
                return Put(owner, name, value, declared=True)
        return statement

    return rebuilt(body, change)
