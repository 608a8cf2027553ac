"""Statements as lines of text, broken where a line would be too long, as ruff and black break them."""

import ast
from collections.abc import Iterator, Sequence
from textwrap import wrap

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

Part = tuple[str, str]
"""What stands between brackets: a text such as `key=`, which is never broken, and an expression behind it."""


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
            yield f"{indent}for {', '.join(names)} in ("
            for row in rows:
                yield from broken(indent + STEP, "", written(row if len(row) > 1 else row[0]), ",")
            yield f"{indent}):"
            yield from laid(body, indent + STEP, declared)
        case For(names, over, body):
            yield from broken(indent, f"for {', '.join(names)} in ", written(over), ":")
            yield from laid(body, indent + STEP, declared)
        case Refuse():
            yield from _refusal(statement, indent)
        case Put(owner, Code() as name, value):
            yield from broken(indent, "", f"{owner}.add_module({written(name)}, {written(value)})")
        case _:
            yield from _declarations(statement, indent, declared)
            yield from broken(indent, _before(statement, declared), written(*statement.code()[-1:]))


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
        yield from broken(indent, "if ", written(statement.condition), ":")
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
    yield from broken(indent, word, written(statement.condition), ":")
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


def broken(indent: str, before: str, text: str, after: str = "", *, bare: bool = False) -> Iterator[str]:
    r"""The lines of an expression between two texts; `bare` where it stands between brackets already.

    >>> text = " and ".join(f"in_channels_of_input_{n} > (channels_{n} + 1) * 2" for n in range(3))
    >>> print(*broken("", "self.has_shortcut = ", text), sep="\n")
    self.has_shortcut = (
        in_channels_of_input_0 > (channels_0 + 1) * 2
        and in_channels_of_input_1 > (channels_1 + 1) * 2
        and in_channels_of_input_2 > (channels_2 + 1) * 2
    )
    """
    line = f"{indent}{before}{text}{after}"
    if len(line) <= WIDTH or not text:
        yield line
        return
    node = ast.parse(text, mode="eval").body
    raw = text.encode()  # in which the places of nodes are counted
    start, parts, end = _bracketed(node, raw)
    if start and len(f"{indent}{before}{start}") <= WIDTH:
        split = isinstance(node, ast.Tuple | ast.List)
        yield from enclosed(indent, f"{before}{start}", parts, f"{end}{after}", split=split)
        return
    pieces = _pieces(node, raw)
    if len(pieces) == 1:
        yield line
    elif bare:
        yield from _spread(indent, before, pieces, after)
    else:
        yield f"{indent}{before}("
        one_line = f"{indent}{STEP}{text}"
        yield from [one_line] if len(one_line) <= WIDTH else _spread(indent + STEP, "", pieces, "")
        yield f"{indent}){after}"


def enclosed(indent: str, start: str, parts: Sequence[Part], end: str, *, split: bool = False) -> Iterator[str]:
    """What stands between brackets: on one line of its own if it fits, else (or if it shall be `split`) a line each."""
    yield f"{indent}{start}"
    line = f"{indent}{STEP}{', '.join(f'{before}{text}' for before, text in parts)}"
    if len(line) <= WIDTH and not split:
        yield line
    else:
        for before, text in parts:
            yield from broken(indent + STEP, before, text, ",", bare=not before)
    yield f"{indent}{end}"


def _bracketed(node: ast.expr, raw: bytes) -> tuple[str, list[Part], str]:
    """What stands before, between and behind the brackets of a call, tuple or list; nothing where it is none."""
    match node:
        case ast.Call(func, args, keywords):
            named = [(f"{each.arg}=", _text(each.value, raw)) for each in keywords]
            return f"{_text(func, raw)}(", [*(("", _text(arg, raw)) for arg in args), *named], ")"
        case (
            ast.Tuple([first, *_] as elts)
            | ast.List([first, *_] as elts)
            | ast.Compare(_, [_], [ast.Tuple([first, *_] as elts)])
        ):
            return raw[: first.col_offset].decode(), [("", _text(each, raw)) for each in elts], raw[-1:].decode()
    return "", [], ""


def _text(node: ast.expr, raw: bytes) -> str:
    return raw[node.col_offset : node.end_col_offset].decode()


def _pieces(node: ast.expr, raw: bytes) -> list[str]:
    """The parts of an expression of operators, each with the operator before it."""
    operands = _operands(node)
    ends = [one.end_col_offset or 0 for one in operands]
    cuts = [raw.index(b" ", end) for end in ends[:-1]]  # behind the brackets that may stand around an operand
    return [raw[a:b].strip().decode() for a, b in zip([0, *cuts], [*cuts, len(raw)], strict=True)]


def _operands(node: ast.expr) -> list[ast.expr]:
    match node:
        case ast.BoolOp(_, values):
            return values
        case ast.Compare(left, _, others):
            return [left, *others]
        case ast.IfExp(test, body, orelse):
            return [body, test, *(_operands(orelse) if isinstance(orelse, ast.IfExp) else [orelse])]
        case ast.BinOp(left, ast.Add() | ast.Sub(), right):
            same = isinstance(left, ast.BinOp) and left.col_offset == node.col_offset
            return [*(_operands(left) if same else [left]), right]
    return [node]


def _spread(indent: str, before: str, pieces: list[str], after: str) -> Iterator[str]:
    for i, piece in enumerate(pieces):
        yield f"{indent}{before if not i else ''}{piece}{after if i == len(pieces) - 1 else ''}"
