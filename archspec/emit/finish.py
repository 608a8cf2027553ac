"""Statements made fit to be read: what nothing uses goes, values go where they are used, variables get names.

Variables that are never needed at the same time may share a name. Backwards through the statements it is known which
values are still needed behind each of them. A variable that is set there clashes with all of those, but for the one
that it is a copy of. Copies that do not clash become one variable; then each variable gets the first name of its kind
that no variable has with which it clashes (Chaitin et al. 1981).
"""

from collections import defaultdict
from collections.abc import Container, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from archspec.emit import code
from archspec.emit.code import Code
from archspec.emit.naming import FreshNames
from archspec.emit.statements import (
    SELF,
    Assign,
    For,
    If,
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


# ------------------------------------------------------------------ names


SIZE, MODULE = "#", "@"
"""Stand between what a variable would be called and its number, until it has a name."""

FLOW = ""
"""What the variables of what flows through a forward would be called: x, y, z."""


def is_unnamed(name: str) -> bool:
    """Whether a variable has no name yet."""
    return SIZE in name or MODULE in name


def wished_name(name: str) -> str:
    """What a variable would be called."""
    return name.partition(SIZE)[0].partition(MODULE)[0]


def name_variables(body: Statements, names: FreshNames, mark: str, near: Mapping[str, str] | None = None) -> Statements:
    """The statements with names for all variables of a mark; copies of a variable to itself go.

    A variable that is `near` another had better have its name, if that is free.
    """
    lives = _Lives()
    lives.before(body, frozenset())
    counts = targets(body)
    lives.join_copies(mark, {name for name, count in counts.items() if count == 1})
    found: dict[str, str] = {}
    pools: dict[str, list[str]] = defaultdict(list, {FLOW: ["x"]})
    for variable in counts:
        own = lives.one(variable)
        if own in found or mark not in own:
            continue
        clashing = {lives.one(other) for other in lives.clashes[own]}
        taken = {found.get(other, other) for other in clashing}
        pool = pools[wished_name(own)]
        beside = lives.one((near or {}).get(variable, ""))
        free = (name for name in (found.get(beside, beside), *pool) if name in pool and name not in taken)
        name = next(free, None) or _new(wished_name(own), names)
        found[own] = name
        if name not in pool:
            pool.append(name)
    return _renamed(body, {variable: found.get(lives.one(variable), lives.one(variable)) for variable in lives.known})


def _new(want: str, names: FreshNames) -> str:
    return names.new(want or next((name for name in "xyz" if name not in names.taken), "x"))


@dataclass(slots=True)
class _Lives:
    """Which variables clash, and which are copies of one another."""

    clashes: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    copies: dict[tuple[str, str], None] = field(default_factory=dict)
    joined: dict[str, str] = field(default_factory=dict)
    known: dict[str, None] = field(default_factory=dict)

    def before(self, body: Statements, after: frozenset[str]) -> frozenset[str]:
        """The variables that are needed before statements, by those that are needed behind them."""
        for statement in reversed(body):
            needed = code.variables(statement.code())
            match statement:
                case If(_, then, otherwise):
                    after = self.before(then, after) | self.before(otherwise, after)
                case For(names, _, inside):
                    held = after | frozenset(names)
                    for _ in range(2):  # what a round needs of the one before it
                        held |= self.before(inside, held)
                    self._set(statement, held)
                    after = held - frozenset(names)
                case _:
                    self._set(statement, after)
                    after -= frozenset(statement.sets())
            after |= needed
            self.known.update(dict.fromkeys(needed))
        return after

    def _set(self, statement: Statement, after: frozenset[str]) -> None:
        """A statement's variables clash with each other and with all that are needed behind it."""
        names = statement.sets()
        copied = None
        match statement:
            case Assign((target,), Code(head="name") as value):
                copied = str(value)
                self.copies[target, copied] = None
        self.known.update(dict.fromkeys(names))
        for name in names:
            for other in (after | frozenset(names)) - {name, copied}:
                self.clashes[name].add(other)
                self.clashes[other].add(name)

    def one(self, name: str) -> str:
        """The variable that stands for all that are one with this."""
        while name in self.joined:
            name = self.joined[name]
        return name

    def join_copies(self, mark: str, once: Container[str]) -> None:
        """Make one variable of a variable and its copy, where they do not clash; `once` are those that are set once.

        What flows becomes one with its copy of a name of the specification where it has been no other's yet.
        """
        for pair in self.copies:
            given = [name for name in pair if wished_name(name) == FLOW]
            if (
                all(mark in name for name in pair)
                and len(given) == 1
                and given[0] in once
                and given[0] not in self.joined
            ):
                self._join(*sorted(pair, key=lambda name: wished_name(name) == FLOW))
        for pair in reversed(self.copies):
            a, b = (self.one(name) for name in pair)
            if mark in a and mark in b:
                if wished_name(a) == wished_name(b):
                    self._join(a, b)
            elif "x" in (a, b) and FLOW in (wished_name(a), wished_name(b)):
                self._join("x", a if b == "x" else b)

    def _join(self, stays: str, goes: str) -> None:
        stays, goes = self.one(stays), self.one(goes)
        if stays != goes and goes not in {self.one(other) for other in self.clashes[stays]}:
            self.joined[goes] = stays
            self.clashes[stays] |= self.clashes[goes]


def _renamed(body: Statements, known: Mapping[str, str]) -> Statements:
    def change(value: Any) -> Any:
        new = {n: replace(n, parts=(known[str(n)],)) for n in code.names(value) if known.get(str(n), str(n)) != str(n)}
        return code.substituted(value, new) if new else value

    def rename(statement: Any) -> Any:
        statement = statement.with_code(change)
        if not statement.sets():
            return statement
        names = tuple(known[name] for name in statement.sets())
        return None if names == (str(statement.code()[0]),) else replace(statement, targets=names)

    return rebuilt(body, rename)
