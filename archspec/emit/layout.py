"""Statements as lines of text, broken where a line would be too long, as ruff and black break them."""

from collections.abc import Callable, Iterator, Mapping
from textwrap import wrap
from typing import Any

from archspec.emit import code
from archspec.emit.code import Code, written
from archspec.emit.code.text import COMPARE, IF, NOT, OR, PRODUCT, SUM
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
    Unpack,
)
from archspec.writing import python_string

WIDTH = 120
STEP = "    "


def laid(statements: Statements, indent: str, declared: set[str] | None = None) -> Iterator[str]:
    """The lines of statements.

    Args:
        statements: What to write.
        indent: The blanks before every line.
        declared: In a forward, the variables that have their type already; None in a constructor.
    """
    kept = list(statements)
    match kept:
        case [*_, Assign(target, Code() as value), Return(Code(head="name", parts=(given,)))] if (
            target == given and value.head == "call" and str(value.parts[0]).startswith(("torch.", "functional."))
        ):
            kept[-2:] = [Return(value)]
    for statement in kept:
        yield from _laid(statement, indent, declared)


def _laid(statement: Statement, indent: str, declared: set[str] | None) -> Iterator[str]:
    match statement:
        case If():
            yield from _branches(statement, indent, declared)
        case For(names, over, body):
            yield from _loop(names, over, indent)
            yield from laid(body, indent + STEP, declared)
        case Refuse():
            yield from _refusal(statement, indent)
        case Put(owner, Code() as name, value):
            yield from broken(indent, "", Code("call", (Code("attr", (owner, "add_module")), (name, value), ())), "")
        case _:
            yield from _declarations(statement, indent, declared)
            yield from broken(indent, _before(statement, declared), statement.value, "")


def _before(statement: Statement, declared: set[str] | None) -> str:
    """What stands before the value of a statement."""
    match statement:
        case Put(owner, name, _, several):
            return f"{owner}.{name}{': nn.Module' if several else ''} = "
        case Keep(name):
            return f"self.{name} = "
        case Unpack(names):
            return f"{', '.join(names)} = "
        case Assign(target, value):
            return f"{target}{_declared(target, value, declared)} = "
    return "return " if isinstance(statement, Return) else ""


def _declared(target: str, value: Any, declared: set[str] | None) -> str:
    """The type of a tensor where it is set first."""
    if declared is None or target in declared:
        return ""
    declared.add(target)
    return ": list[Tensor]" if isinstance(value, Code) and value.head == "list" else ": Tensor"


def _declarations(statement: Statement, indent: str, declared: set[str] | None) -> Iterator[str]:
    """The types of tensors that are set several at once."""
    if isinstance(statement, Unpack) and declared is not None:
        for name in statement.targets:
            if name not in declared:
                declared.add(name)
                yield f"{indent}{name}: Tensor"


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


def _loop(names: tuple[str, ...], over: Any, indent: str) -> Iterator[str]:
    listed = ", ".join(names)
    if not isinstance(over, tuple):
        yield from broken(indent, f"for {listed} in ", over, ":")
        return
    yield f"{indent}for {listed} in ("
    for row in over:
        yield from broken(indent + STEP, "", row if len(row) > 1 else row[0], ",")
    yield f"{indent}):"


def broken(indent: str, before: str, value: Any, after: str, bare: bool = False) -> Iterator[str]:
    """The lines of a value between two texts; `bare` where it stands between brackets already."""
    line = f"{indent}{before}{written(value)}{after}"
    if len(line) <= WIDTH:
        yield line
        return
    items = _items(value)
    if items is not None:
        start, parts, end = items
        if len(f"{indent}{before}{start}") <= WIDTH:
            yield f"{indent}{before}{start}"
            yield from _listed(indent + STEP, parts, magic=start in {"(", "["})
            yield f"{indent}{end}{after}"
            return
    pieces = _pieces(value)
    if pieces is None:
        yield line
        return
    if bare:
        yield from _spread(indent, before, pieces, after)
        return
    yield f"{indent}{before}("
    inside = f"{indent}{STEP}{written(value)}"
    if len(inside) <= WIDTH:
        yield inside
    else:
        yield from _spread(indent + STEP, "", pieces, "")
    yield f"{indent}){after}"


def _listed(indent: str, parts: list[tuple[str, Any]], magic: bool) -> Iterator[str]:
    """What stands between brackets: on one line if it fits, else a line each."""
    line = indent + ", ".join(f"{before}{written(value)}" for before, value in parts)
    if len(line) <= WIDTH and not magic:
        yield line
        return
    for before, value in parts:
        yield from broken(indent, before, value, ",", bare=not before)


def _items(value: Any) -> tuple[str, list[tuple[str, Any]], str] | None:
    """What stands before, between and behind the brackets of a call, tuple or list."""
    if isinstance(value, tuple):
        return "(", [("", part) for part in value], ")"
    if not isinstance(value, Code):
        return None
    if value.head == "call":
        function, args, kwargs = value.parts
        return f"{function}(", [*(("", arg) for arg in args), *((f"{key}=", v) for key, v in kwargs)], ")"
    if value.head == "compare" and len(value.parts) == 3 and isinstance(value.parts[2], tuple):
        left, sign, listed = value.parts
        return f"{written(left, SUM)} {sign} (", [("", part) for part in listed], ")"
    if value.head == "list":
        return "[", [("", part) for part in value.parts], "]"
    return None


def _pieces(value: Any) -> list[str] | None:
    """The parts of an expression of operators, each with the operator before it."""
    if not isinstance(value, Code) or value.head not in _SPLITS:
        return None
    return _SPLITS[value.head](value.parts)


def _joined_by(word: str, tightness: int) -> Callable[[tuple[Any, ...]], list[str]]:
    def split(parts: tuple[Any, ...]) -> list[str]:
        texts = [written(part, tightness) for part in parts]
        return [texts[0], *(f"{word} {text}" for text in texts[1:])]

    return split


def _chosen(parts: tuple[Any, ...]) -> list[str]:
    condition, a, b = parts
    last = _chosen(b.parts) if isinstance(b, Code) and b.head == "if" else [written(b, IF)]
    return [written(a, OR), f"if {written(condition, OR)}", f"else {last[0]}", *last[1:]]


def _compared(parts: tuple[Any, ...]) -> list[str]:
    texts = [part if i % 2 else written(part, SUM) for i, part in enumerate(parts)]
    return [texts[0], *(f"{sign} {text}" for sign, text in zip(texts[1::2], texts[2::2], strict=True))]


def _added(parts: tuple[Any, ...]) -> list[str]:
    texts = [written(code.value.summed([term])) for term in _ordered(parts)]
    return [texts[0], *(f"- {text[1:]}" if text.startswith("-") else f"+ {text}" for text in texts[1:])]


_SPLITS: Mapping[str, Callable[[tuple[Any, ...]], list[str]]] = {
    "and": _joined_by("and", NOT),
    "or": _joined_by("or", COMPARE),
    "plus": _joined_by("+", PRODUCT),
    "if": _chosen,
    "compare": _compared,
    "sum": _added,
}


def _ordered(terms: tuple[Any, ...]) -> list[tuple[Any, Any]]:
    first = next((i for i, (factor, _) in enumerate(terms) if factor > 0), 0)
    pairs = [terms[first], *terms[:first], *terms[first + 1 :]]
    return [(factor, 1 if term is None else term) for factor, term in pairs]


def _spread(indent: str, before: str, pieces: list[str], after: str) -> Iterator[str]:
    for i, piece in enumerate(pieces):
        yield f"{indent}{before if not i else ''}{piece}{after if i == len(pieces) - 1 else ''}"
