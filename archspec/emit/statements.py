"""The statements of a constructor and of a forward, before they are text.

A walk writes single assignments: every value has a variable of its own, which is set again only where sides of a
condition or the rounds of a loop meet. `liveness` gives them their names.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from archspec.emit import code
from archspec.emit.code import Code


@dataclass(frozen=True, slots=True)
class Assign:
    """A variable is set; one that the specification names is kept wherever it is used."""

    target: str
    value: Any
    kept: bool = False


@dataclass(frozen=True, slots=True)
class Unpack:
    """Several variables are set at once."""

    targets: tuple[str, ...]
    value: Any


@dataclass(frozen=True, slots=True)
class Put:
    """A module gets a child: `owner` is the code of the module, `name` a text or the code of one.

    `declared` where its type is said, for other classes may stand there too.
    """

    owner: Code
    name: Any
    value: Any
    declared: bool = False


@dataclass(frozen=True, slots=True)
class Keep:
    """`self` gets an attribute that is no module."""

    name: str
    value: Any


@dataclass(frozen=True, slots=True)
class If:
    """Statements on a condition."""

    condition: Any
    then: "Statements"
    otherwise: "Statements" = ()


@dataclass(frozen=True, slots=True)
class For:
    """Statements for each of several; `over` is code, or rows."""

    targets: tuple[str, ...]
    over: Any
    body: "Statements"


@dataclass(frozen=True, slots=True)
class Refuse:
    """A ValueError on a condition (always, if it is True); the message is made of texts and code."""

    condition: Any
    message: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Do:
    """A call for its effect."""

    value: Any


@dataclass(frozen=True, slots=True)
class Return:
    """What a forward gives."""

    value: Any


Statement: TypeAlias = Assign | Unpack | Put | Keep | If | For | Refuse | Do | Return
Statements: TypeAlias = tuple[Statement, ...]


@dataclass(slots=True, eq=False)
class Lines:
    """Statements as they are collected."""

    made: list[Statement] = field(default_factory=list)

    def add(self, *statements: Statement) -> None:
        """Put statements behind the others."""
        self.made.extend(statements)

    def set(self, variable: Code, value: Any, *, kept: bool = False) -> None:
        """Set a variable."""
        self.made.append(Assign(str(variable), value, kept))

    def done(self) -> Statements:
        """What was collected."""
        return tuple(self.made)


# ------------------------------------------------------------------ what statements use and set


def parts(statement: Statement) -> tuple[Any, ...]:
    """The code that a statement itself uses, without the statements inside it."""
    match statement:
        case Put(owner, name, value):
            return (owner, name if isinstance(name, Code) else None, value)
        case If(condition):
            return (condition,)
        case Refuse(condition, message):
            return (condition, message)
        case For(_, over):
            return (over,)
    return (statement.value,)


def inner(statement: Statement) -> tuple[Statements, ...]:
    """The statements inside a statement."""
    match statement:
        case If(_, then, otherwise):
            return (then, otherwise)
        case For(_, _, body):
            return (body,)
    return ()


def flat(statements: Statements) -> Iterator[Statement]:
    """All statements, at any depth."""
    for statement in statements:
        yield statement
        for body in inner(statement):
            yield from flat(body)


def codes(value: Any) -> Iterator[Code]:
    """The codes in a value, itself and its parts at any depth, as often as they stand there."""
    if isinstance(value, tuple):
        for part in value:
            yield from codes(part)
    elif isinstance(value, Code):
        yield value
        yield from codes(value.parts)


def all_codes(statements: Statements) -> Iterator[Code]:
    """The codes that statements use."""
    return (found for statement in flat(statements) for found in codes(parts(statement)))


def used(statements: Statements) -> Counter[str]:
    """The variables that statements use, and how often."""
    return Counter(str(found) for found in all_codes(statements) if found.head == "name")


def set_by(statement: Statement) -> tuple[str, ...]:
    """The variables that a statement itself sets."""
    match statement:
        case Assign(target):
            return (target,)
        case Unpack(names) | For(names):
            return names
    return ()


def targets(statements: Statements) -> Counter[str]:
    """The variables that statements set, and how often."""
    return Counter(name for statement in flat(statements) for name in set_by(statement))


# ------------------------------------------------------------------ statements made of others


def rebuilt(statements: Statements, change: Callable[[Statement], Statement | None]) -> Statements:
    """The statements, each changed or (None) left out, inner ones first; an `if` or `for` left empty goes too."""
    made: list[Statement] = []
    for statement in statements:
        match statement:
            case If(condition, then, otherwise):
                statement = If(condition, rebuilt(then, change), rebuilt(otherwise, change))  # noqa: PLW2901
                if not statement.then:
                    statement = If(code.negation(condition), statement.otherwise)  # noqa: PLW2901
            case For(names, over, body):
                statement = For(names, over, rebuilt(body, change))  # noqa: PLW2901
        kept = change(statement)
        if kept is not None and (not inner(kept) or any(inner(kept))):
            made.append(kept)
    return tuple(made)


def with_code(statement: Any, change: Callable[[Any], Any]) -> Any:
    """A statement with the code that it uses changed."""
    match statement:
        case If() | Refuse():
            changed = {"message": change(statement.message)} if isinstance(statement, Refuse) else {}
            return replace(statement, condition=change(statement.condition), **changed)
        case For():
            return replace(statement, over=change(statement.over))
        case Put(owner, name, value):
            new = change(name) if isinstance(name, Code) else name
            return replace(statement, owner=change(owner), name=new, value=change(value))
    return replace(statement, value=change(statement.value))
