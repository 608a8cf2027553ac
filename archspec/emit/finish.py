"""A constructor's statements made fit to be read: what nothing uses goes, and modules go where they belong."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from archspec.emit import code
from archspec.emit.code import Code, Kind
from archspec.emit.naming import Names
from archspec.emit.statements import (
    Assign,
    For,
    If,
    Put,
    Statements,
    all_names,
    changed,
    flat,
    inlined,
    parts,
    pruned,
    targets,
    used,
)

MARK = "#"
"""Stands in the name of a variable that is not yet named."""


def finished(body: Statements, fixed: frozenset[str], names: Names) -> Statements:
    """The statements as they are written: `fixed` are the names that never change, `names` gives new ones."""
    return _declared(_renamed(_joined(inlined(_joined(pruned(body)), fixed)), names))


def _joined(body: Statements) -> Statements:
    """The statements with a module put in its place at once where it was in a variable only to be put there."""
    counts = used(body)
    return _joined_body(body, counts)


def _joined_body(body: Statements, counts: Counter[str]) -> Statements:
    made: list[Any] = []
    for statement in body:
        match statement:
            case If(condition, then, otherwise):
                made.append(If(condition, _joined_body(then, counts), _joined_body(otherwise, counts)))
                continue
            case Put(owner, name, Code(head="name", parts=(variable,))) if made:
                last = made[-1]
                if isinstance(last, Assign) and last.target == variable and counts[str(variable)] == 1:
                    made[-1] = Put(owner, name, last.value)
                    continue
            case For():
                made.append(replace(statement, body=_joined_body(statement.body, counts)))
                continue
        made.append(statement)
    return tuple(made)


def _renamed(body: Statements, names: Names) -> Statements:
    """The statements with names for the variables of modules that are asked for their sizes."""
    known: dict[str, str] = {}
    for name in [*targets(body), *used(body)]:
        kind = name.partition(MARK)[0]
        if MARK in name and kind not in known:
            known[kind] = names.new(kind)

    def named(name: str) -> str:
        return known[name.partition(MARK)[0]] if MARK in name else name

    def change(value: Any) -> Any:
        return code.substituted(
            value, {n: code.name(named(str(n)), n.kind) for n in code.names(value) if MARK in str(n)}
        )

    return _renamed_body(changed(body, change, lambda _: True), named)


def _renamed_body(body: Statements, named: Callable[[str], str]) -> Statements:
    done: list[Any] = []
    for statement in body:
        match statement:
            case Assign(target):
                done.append(replace(statement, target=named(target)))
            case If(condition, then, otherwise):
                done.append(If(condition, _renamed_body(then, named), _renamed_body(otherwise, named)))
            case For():
                done.append(replace(statement, body=_renamed_body(statement.body, named)))
            case _:
                done.append(statement)
    return tuple(done)


def _declared(body: Statements) -> Statements:
    """The statements with the type of a child that is one of several classes said where it is made first."""
    made: dict[str, set[Any]] = {}
    for statement in flat(body):
        match statement:
            case Put("self", str() as name, Code() as value):
                made.setdefault(name, set()).add(value.parts[0])
    several = {name for name, classes in made.items() if len(classes) > 1}
    return _declared_body(body, several)


def _declared_body(body: Statements, several: set[str]) -> Statements:
    done: list[Any] = []
    for statement in body:
        match statement:
            case Put("self", str() as name) if name in several:
                several.remove(name)
                done.append(replace(statement, declared=True))
            case If(condition, then, otherwise):
                done.append(If(condition, _declared_body(then, several), _declared_body(otherwise, several)))
            case For():
                done.append(replace(statement, body=_declared_body(statement.body, several)))
            case _:
                done.append(statement)
    return tuple(done)


def outs(body: Statements) -> Iterator[tuple[Any, int]]:
    """The sizes that statements ask modules for: whose, and along which axis."""
    for statement in flat(body):
        for part in parts(statement):
            yield from _outs(part)


def _outs(value: Any) -> Iterator[tuple[Any, int]]:
    if isinstance(value, tuple):
        for part in value:
            yield from _outs(part)
    elif isinstance(value, Code):
        if value.head == "out":
            yield value.parts[2], value.parts[3]
        yield from _outs(value.parts)


def kinds_of(body: Statements) -> dict[str, Kind]:
    """The kinds of the variables in statements."""
    return {str(n): n.kind for statement in flat(body) for part in parts(statement) for n in all_names(part)}
