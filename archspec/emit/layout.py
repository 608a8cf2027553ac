"""Statements as lines of text, broken where a line would be too long, as ruff and black break them."""

from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import Any

from archspec.emit import code
from archspec.emit.code import Code, written
from archspec.emit.statements import (
    Assign,
    For,
    If,
    Keep,
    Put,
    Refuse,
    Return,
    Statement,
    Statements,
)
from archspec.writing import WIDTH, python_string

STEP = "    "

Part = tuple[str, Any]
"""What stands between brackets: a text such as `key=`, and the expression behind it."""


def laid(statements: Statements, indent: str, declared: set[str] | None = None) -> Iterator[str]:
    """The lines of statements; `declared` are a forward's variables that have their type, None in a constructor."""
    kept = list(statements)
    match kept:
        case [*_, Assign((target,), Code() as value), Return(Code(head="name", parts=(given,)))] if (
            target == given and value.head == "call" and str(value.parts[0]).startswith(("torch.", "functional."))
        ):
            kept[-2:] = [Return(value)]
    for statement in kept:
        yield from _laid(statement, indent, declared)


def _laid(statement: Statement, indent: str, declared: set[str] | None) -> Iterator[str]:
    match statement:
        case If():
            yield from _branches(statement, indent, declared)
        case For(names, tuple() as rows, body):
            parts = [("", row if len(row) > 1 else row[0]) for row in rows]
            yield from enclosed(indent, f"for {', '.join(names)} in (", parts, "):", split=True)
            yield from laid(body, indent + STEP, declared)
        case For(names, over, body):
            yield from broken(indent, f"for {', '.join(names)} in ", over, ":")
            yield from laid(body, indent + STEP, declared)
        case Refuse():
            yield from _refusal(statement, indent)
        case Put(owner, Code() as name, value):
            yield from broken(indent, "", code.call(f"{owner}.add_module", name, value))
        case _:
            yield from _declarations(statement, indent, declared)
            yield from broken(indent, _before(statement, declared), statement.code()[-1])


def _before(statement: Statement, declared: set[str] | None) -> str:
    """What stands before the value of a statement."""
    match statement:
        case Put(owner, name, _, several):
            return f"{owner}.{name}{': nn.Module' if several else ''} = "
        case Keep(name):
            return f"self.{name} = "
        case Assign((target,)):
            return f"{target}{_declared(target, declared)} = "
        case Assign(names):
            return f"{', '.join(names)} = "
    return "return " if isinstance(statement, Return) else ""


def _declared(target: str, declared: set[str] | None) -> str:
    """The type of a tensor where it is set first."""
    if declared is None or target in declared:
        return ""
    declared.add(target)
    return ": Tensor"


def _declarations(statement: Statement, indent: str, declared: set[str] | None) -> Iterator[str]:
    """The types of tensors that are set several at once."""
    if len(statement.sets()) > 1 and declared is not None:
        new = [name for name in statement.sets() if name not in declared]
        declared.update(new)
        yield from (f"{indent}{name}: Tensor" for name in new)


def _refusal(statement: Refuse, indent: str) -> Iterator[str]:
    if statement.condition is not True:
        yield from broken(indent, "if ", statement.condition, ":")
        indent += STEP
    formatted = any(isinstance(part, Code) for part in statement.message)
    text = "".join(
        f"{{{written(part)}}}" if isinstance(part, Code) else _piece(part, formatted) for part in statement.message
    )
    yield from _raised(indent, "f" if formatted else "", text)


def _piece(text: str, formatted: bool) -> str:
    """A text between the quotes of a string."""
    inside = python_string(text)[1:-1]
    return inside.replace("{", "{{").replace("}", "}}") if formatted else inside


def _raised(indent: str, prefix: str, text: str) -> Iterator[str]:
    line = f'{indent}raise ValueError({prefix}"{text}")'
    if len(line) <= WIDTH:
        yield line
        return
    room = WIDTH - len(indent) - len(STEP) - 2
    pieces = wrap(text, room, drop_whitespace=False, break_long_words=False)
    if prefix and any(piece.count("{") != piece.count("}") for piece in pieces):  # a break within an expression
        pieces = [text]
    yield f"{indent}raise ValueError("
    yield from (f'{indent}{STEP}{prefix if "{" in piece else ""}"{piece}"' for piece in pieces)
    yield f"{indent})"


def _branches(statement: If, indent: str, declared: set[str] | None, word: str = "if ") -> Iterator[str]:
    yield from broken(indent, word, statement.condition, ":")
    yield from laid(statement.then, indent + STEP, declared)
    match statement.otherwise:
        case ():
            return
        case (If() as other,):
            yield from _branches(other, indent, declared, "elif ")
        case others:
            yield f"{indent}else:"
            yield from laid(others, indent + STEP, declared)


# ------------------------------------------------------------------ expressions on several lines


def broken(indent: str, before: str, value: Any, after: str = "", *, bare: bool = False) -> Iterator[str]:
    r"""The lines of an expression between two texts; `bare` where it stands between brackets already.

    >>> sizes = [(code.name(f"in_channels_of_input_{n}"), code.name(f"channels_{n}")) for n in range(3)]
    >>> text = broken("", "self.has_shortcut = ", code.both(*(code.compare(a, ">", 2 * b) for a, b in sizes)))
    >>> print(*text, sep="\n")
    self.has_shortcut = (
        in_channels_of_input_0 > 2 * channels_0
        and in_channels_of_input_1 > 2 * channels_1
        and in_channels_of_input_2 > 2 * channels_2
    )
    """
    text = written(value)
    line = f"{indent}{before}{text}{after}"
    start, parts, end = ("", [], "") if len(line) <= WIDTH else _bracketed(value)
    if start and len(f"{indent}{before}{start}") <= WIDTH:
        split = isinstance(value, tuple) or value.head == "list"
        yield from enclosed(indent, f"{before}{start}", parts, f"{end}{after}", split=split)
        return
    lines = code.pieces(value)
    if len(line) <= WIDTH or len(lines) == 1:
        yield line
    elif bare:
        yield from _spread(indent, before, lines, after)
    else:
        yield f"{indent}{before}("
        one_line = f"{indent}{STEP}{text}"
        yield from [one_line] if len(one_line) <= WIDTH else _spread(indent + STEP, "", lines, "")
        yield f"{indent}){after}"


def enclosed(indent: str, start: str, parts: Sequence[Part], end: str, *, split: bool = False) -> Iterator[str]:
    """What stands between brackets: on one line of its own if it fits, else (or if it shall be `split`) a line each."""
    yield f"{indent}{start}"
    line = f"{indent}{STEP}{', '.join(f'{before}{written(value)}' for before, value in parts)}"
    if len(line) <= WIDTH and not split:
        yield line
    else:
        for before, value in parts:
            yield from broken(indent + STEP, before, value, ",", bare=not before)
    yield f"{indent}{end}"


def _bracketed(value: Any) -> tuple[str, list[Part], str]:
    """What stands before, between and behind the brackets of a call, tuple or list; nothing where it is none."""
    match value:
        case Code(head="call", parts=(function, args, kwargs)):
            return f"{function}(", [*(("", arg) for arg in args), *((f"{key}=", each) for key, each in kwargs)], ")"
        case Code(head="list", parts=(_, *_) as items):
            return "[", [("", item) for item in items], "]"
        case Code(head="compare", parts=(left, sign, (_, *_) as items)):
            return f"{written(left)} {sign} (", [("", item) for item in items], ")"
        case (_, *_) as items:
            return "(", [("", item) for item in items], ")"
    return "", [], ""


def _spread(indent: str, before: str, lines: list[str], after: str) -> Iterator[str]:
    *others, last = lines
    yield from (f"{indent}{'' if i else before}{line}" for i, line in enumerate(others))
    yield f"{indent}{last}{after}"
