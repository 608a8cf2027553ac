"""The classes and functions of a source, and their statements, before they are text.

A walk writes single assignments: every value has a variable of its own, which is set again only where sides of a
condition or the rounds of a loop meet. `finish` gives them their names.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, TypeAlias

from archspec.emit import code
from archspec.emit.code import Code, Kind

SELF = code.name("self")


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement. Its class says which of its fields are code, and which are statements inside it."""

    CODE: ClassVar[tuple[str, ...]] = ("value",)
    BODIES: ClassVar[tuple[str, ...]] = ()

    def sets(self) -> tuple[str, ...]:
        """The variables that it sets itself."""
        return getattr(self, "targets", ())

    def code(self) -> tuple[Any, ...]:
        """The code that it uses itself, without the statements inside it."""
        return tuple(getattr(self, key) for key in self.CODE)

    def bodies(self) -> "tuple[Statements, ...]":
        """The statements inside it."""
        return tuple(getattr(self, key) for key in self.BODIES)

    def with_code(self, change: Callable[[Any], Any]) -> Any:
        """The same with the code that it uses changed."""
        return replace(self, **{key: change(getattr(self, key)) for key in self.CODE})

    def with_bodies(self, change: "Callable[[Statements], Statements]") -> Any:
        """The same with the statements inside it changed."""
        return replace(self, **{key: change(getattr(self, key)) for key in self.BODIES}) if self.BODIES else self


Statements: TypeAlias = tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Assign(Statement):
    """Variables are set, to one value or the parts of one; those that the specification names are kept."""

    targets: tuple[str, ...]
    value: Any
    kept: bool = False


@dataclass(frozen=True, slots=True)
class Put(Statement):
    """A module gets a child: `owner` is the code of the module, `name` a text or the code of one.

    `declared` where its type is said, for other classes may stand there too.
    """

    CODE = ("owner", "name", "value")

    owner: Code
    name: Any
    value: Any
    declared: bool = False


@dataclass(frozen=True, slots=True)
class Keep(Statement):
    """`self` gets an attribute that is no module."""

    name: str
    value: Any


@dataclass(frozen=True, slots=True)
class If(Statement):
    """Statements on a condition."""

    CODE = ("condition",)
    BODIES = ("then", "otherwise")

    condition: Any
    then: Statements
    otherwise: Statements = ()


@dataclass(frozen=True, slots=True)
class For(Statement):
    """Statements for each of several; `over` is code, or rows."""

    CODE = ("over",)
    BODIES = ("body",)

    targets: tuple[str, ...]
    over: Any
    body: Statements


@dataclass(frozen=True, slots=True)
class Refuse(Statement):
    """A ValueError on a condition (always, if it is True); the message is made of texts and code."""

    CODE = ("condition", "message")

    condition: Any
    message: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Do(Statement):
    """A call for its effect."""

    value: Any


@dataclass(frozen=True, slots=True)
class Return(Statement):
    """What a forward gives."""

    value: Any


@dataclass(frozen=True, slots=True)
class Param:
    """A parameter of a constructor or function; `default` is a text, None where there is no default."""

    name: str
    kind: Kind
    default: Any = ...
    keyword: bool = False
    doc: str | None = None


@dataclass(frozen=True, slots=True)
class Class:
    """A class of the source; its forward takes what flows, called `flow`, and `inputs`."""

    name: str
    doc: Sequence[str]
    params: tuple[Param, ...]
    body: Statements
    forward: Statements | None
    inputs: tuple[str, ...] = ()
    flow: str = "x"
    outputs: int = 1
    beginning: Statements = ()
    authority: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Definition:
    """A function of the source: one formula; its last parameters are `symbols` of the specification."""

    name: str
    params: tuple[Param, ...]
    result: Any
    symbols: tuple[str, ...]


@dataclass(slots=True, eq=False)
class Lines:
    """Statements as they are collected."""

    made: list[Statement] = field(default_factory=list)

    def add(self, *statements: Statement) -> None:
        """Put statements behind the others."""
        self.made.extend(statements)

    def set(self, variable: Code, value: Any, *, kept: bool = False) -> None:
        """Set a variable."""
        self.made.append(Assign((str(variable),), value, kept))

    def done(self) -> Statements:
        """What was collected."""
        return tuple(self.made)


# ------------------------------------------------------------------ what statements use and set


def flat(statements: Statements) -> Iterator[Statement]:
    """All statements, at any depth."""
    for statement in statements:
        yield statement
        for body in statement.bodies():
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
    return (found for statement in flat(statements) for found in codes(statement.code()))


def used(statements: Statements) -> Counter[str]:
    """The variables that statements use, and how often."""
    return Counter(str(found) for found in all_codes(statements) if found.head == "name")


def targets(statements: Statements) -> Counter[str]:
    """The variables that statements set, and how often."""
    return Counter(name for statement in flat(statements) for name in statement.sets())


def rebuilt(statements: Statements, change: Callable[[Any], Statement | None]) -> Statements:
    """The statements, each changed or (None) left out, inner ones first; an `if` or `for` left empty goes too."""
    made: list[Statement] = []
    for statement in statements:
        inner = statement.with_bodies(lambda body: rebuilt(body, change))
        if isinstance(inner, If) and not inner.then:
            inner = If(code.negation(inner.condition), inner.otherwise)
        kept = change(inner)
        if kept is not None and (not kept.BODIES or any(kept.bodies())):
            made.append(kept)
    return tuple(made)
