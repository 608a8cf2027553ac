"""The statements of a constructor and of a forward, before they are text, and what is left out of them again.

The walk over a specification writes down every size it could need; here those that nothing uses go, and a variable that
is used once is put where it is used.
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

    owner: str
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
    """Statements for each of several."""

    targets: tuple[str, ...]
    over: Any
    body: "Statements"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows to go through, and the header that stands above them."""

    header: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


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


def parts(statement: Statement) -> tuple[Any, ...]:
    """The code that a statement itself uses, without the statements inside it."""
    match statement:
        case Put(owner, name, value):
            return (code.name(owner.partition(".")[0]), name if isinstance(name, Code) else None, value)
        case If(condition) | Refuse(condition):
            return (condition, getattr(statement, "message", None))
        case For(_, Table(_, rows)):
            return (rows,)
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


def used(statements: Statements) -> Counter[str]:
    """The variables that statements use, and how often."""
    return Counter(str(name.parts[0]) for s in flat(statements) for part in parts(s) for name in all_names(part))


def all_names(value: Any) -> Iterator[Code]:
    """The variables in a value, as often as they stand there."""
    if isinstance(value, tuple):
        for part in value:
            yield from all_names(part)
    elif isinstance(value, Code):
        if value.head == "name":
            yield value
        else:
            yield from all_names(value.parts)


def attributes(value: Any) -> Iterator[str]:
    """The attributes of `self` in a value."""
    if isinstance(value, tuple):
        for part in value:
            yield from attributes(part)
    elif isinstance(value, Code):
        if value.head == "attr" and str(value.parts[0]) == "self":
            yield value.parts[1]
        yield from attributes(value.parts)


def targets(statements: Statements) -> Counter[str]:
    """The variables that statements set, and how often."""
    found: Counter[str] = Counter()
    for statement in flat(statements):
        match statement:
            case Assign(target):
                found[target] += 1
            case Unpack(names) | For(names):
                found.update(names)
    return found


def changed(statements: Statements, change: Callable[[Any], Any], keep: Callable[[Statement], bool]) -> Statements:
    """The statements that are kept, with what they use changed; an `if` or `for` left empty goes too."""
    made: list[Statement] = []
    for statement in statements:
        if not keep(statement):
            continue
        match statement:
            case If(condition, then, otherwise):
                bodies = [changed(body, change, keep) for body in (then, otherwise)]
                if bodies[0]:
                    made.append(If(change(condition), *bodies))
                elif bodies[1]:
                    made.append(If(code.negation(change(condition)), bodies[1]))
            case For(names, over, body):
                body = changed(body, change, keep)
                if body:
                    over = replace(over, rows=change(over.rows)) if isinstance(over, Table) else change(over)
                    made.append(For(names, over, body))
            case Put(owner, name, value):
                made.append(Put(owner, change(name) if isinstance(name, Code) else name, change(value)))
            case Refuse(condition, message):
                made.append(Refuse(change(condition), change(message)))
            case _:
                made.append(replace(statement, value=change(statement.value)))
    return tuple(made)


def pruned(statements: Statements, needed: frozenset[str] = frozenset()) -> Statements:
    """The statements without the variables that no effect depends on; what is needed beyond them is named."""
    live = set(needed)
    while True:
        before = len(live)
        for statement in flat(statements):
            match statement:
                case Assign(target) if target not in live:
                    continue
                case Unpack(names) if not live & set(names):
                    continue
            live.update(str(name.parts[0]) for part in parts(statement) for name in all_names(part))
        if len(live) == before:
            break

    def keep(statement: Statement) -> bool:
        match statement:
            case Assign(target):
                return target in live
            case Unpack(names):
                return bool(live & set(names))
        return True

    return changed(statements, lambda value: value, keep)


def inlined(statements: Statements, fixed: frozenset[str]) -> Statements:
    """The statements with variables put in place that are set once and are plain or used once; `fixed` never change."""
    while True:
        counts, uses = targets(statements), used(statements)
        stable = fixed | {name for name, count in counts.items() if count == 1}
        for statement in flat(statements):
            match statement:
                case Assign(target, value, False) if (
                    counts[target] == 1
                    and {str(name.parts[0]) for name in code.names(value)} <= stable
                    and (_plain(value) or (uses[target] == 1 and _pure(value)))
                ):
                    break
        else:
            return statements
        known = {code.name(target): value}

        def change(part: Any, known: dict[Code, Any] = known) -> Any:
            return code.substituted(part, known)

        def keep(other: Statement, dropped: Statement = statement) -> bool:
            return other is not dropped

        statements = changed(statements, change, keep)


def _plain(value: Any) -> bool:
    return not isinstance(value, Code) or value.head == "name"


def _pure(value: Any) -> bool:
    """Whether it makes no module, so that it may stand elsewhere."""
    if isinstance(value, tuple):
        return all(map(_pure, value))
    if not isinstance(value, Code):
        return True
    return "tensor" not in value.kind and all(map(_pure, value.parts))


@dataclass(slots=True)
class Lines:
    """Statements as they are collected."""

    made: list[Statement] = field(default_factory=list)

    def add(self, *statements: Statement) -> None:
        """Put statements behind the others."""
        self.made.extend(statements)

    def done(self) -> Statements:
        """What was collected."""
        return tuple(self.made)
