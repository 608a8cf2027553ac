"""A document as a person lays it out: a call on a line, the columns of a table under one another."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from archspec.language import Document, dumps, loads

WIDTH = 120
SMALL = re.compile(r"\d+(\.\d+)?e-\d+")
"""A number as Python prints a small one."""
BARE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_ +-*/=!<>().%")
"""Characters of texts that need no quotes in a list or a mapping of one line."""


def laid_out(document: Document, notes: Sequence[str] = ()) -> str:
    """The document as YAML that reads back as the same document, with notes as comments above it."""
    plain = document.model_dump(by_alias=True, exclude_defaults=True)
    text = "\n".join(_document(plain)) + "\n"
    if loads(text).model_dump() != document.model_dump():
        text = dumps(document)
    return "".join(f"# {line}\n" for note in notes for line in _wrapped(note)) + text


def _wrapped(note: str) -> Iterator[str]:
    from textwrap import wrap

    clean = "".join(character if character.isprintable() else "�" for character in note)
    yield from wrap(clean, WIDTH - 2)


def _document(plain: Mapping[str, Any]) -> Iterator[str]:
    for key in ("archspec", "name", "doc"):
        if key in plain:
            yield f"{key}: {_flow(plain[key])}"
    for key in ("symbols", "functions", "lookups", "let", "inputs"):
        if key in plain:
            yield from ("", f"{key}:", *(f"  {name}: {_flow(value)}" for name, value in plain[key].items()))
    if "input" in plain:
        yield from ("", f"input: {_flow(plain['input'])}")
    if "outputs" in plain:
        yield f"outputs: {_flow(plain['outputs'])}"
    if "blocks" in plain:
        yield from ("", "blocks:")
        for number, (name, block) in enumerate(plain["blocks"].items()):
            yield from ([""] if number else [])
            yield f"  {name}:"
            if "args" in block:
                yield f"    args: {_flow(block['args'])}"
            yield "    body:"
            yield from _body(block["body"], 6)
    yield from ("", "network:")
    yield from _body(plain["network"], 2)


def _step(step: Any, indent: int) -> Iterator[str]:
    margin = " " * indent
    short = f"{margin}- {_flow(_last_as(step))}"
    if not isinstance(step, dict) or (len(short) <= WIDTH and not _nests(step)):
        yield short if not isinstance(step, dict) or len(step) > 1 else f"{margin}- {_mapping(step)}"
        return
    lines = list(_table(step, indent + 2) if "table" in step else _keys(_last_as(step), indent + 2))
    yield f"{margin}- {lines[0].lstrip()}"
    yield from lines[1:]


def _last_as(step: Any) -> Any:
    """What a step is called stands behind what it does; `repeat: 3, as: stage` before the body."""
    if not isinstance(step, dict) or "as" not in step:
        return step
    rest = {key: value for key, value in step.items() if key not in {"as", "body"}}
    return {**rest, "as": step["as"], **({"body": step["body"]} if "body" in step else {})}


def _nests(step: Mapping[str, Any]) -> bool:
    """Whether a step holds others that do not fit beside it."""
    if step.keys() & {"table", "when", "repeat", "body"}:
        return True
    inner = [part for value in step.values() for part in (value, *(value.values() if isinstance(value, dict) else ()))]
    return any(map(_is_body, inner))


def _keys(step: Mapping[str, Any], indent: int) -> Iterator[str]:
    margin = " " * indent
    for key, value in step.items():
        if _is_body(value):
            inline = f"{margin}{key}: {_flow(value)}"
            if (
                len(inline) <= WIDTH
                and len(value) <= 2
                and not any(isinstance(each, dict) and _nests(each) for each in value)
            ):
                yield inline
            else:
                yield f"{margin}{key}:"
                yield from _body(value, indent + 2)
        elif isinstance(value, dict) and any(map(_is_body, value.values())):
            yield f"{margin}{key}:"
            yield from _keys(value, indent + 2)
        else:
            yield f"{margin}{key}: {_flow(value)}".rstrip()


def _body(value: Sequence[Any], indent: int) -> Iterator[str]:
    """The steps of a body, or the branches of a join, each a body."""
    for each in value:
        if isinstance(each, (list, tuple)):
            lines = list(_body(each, indent + 2))
            if len(lines) == 1:
                yield f"{' ' * indent}- [{lines[0].strip().removeprefix('- ')}]"
            else:
                yield f"{' ' * indent}- {lines[0].lstrip()}"
                yield from lines[1:]
        else:
            yield from _step(each, indent)


def _is_body(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and not all(isinstance(each, (int, float)) for each in value)


def _table(step: Mapping[str, Any], indent: int) -> Iterator[str]:
    """A table, its cells under one another."""
    table = step["table"]
    margin = " " * (indent + 2)
    yield f"{' ' * indent}table:"
    for key in ("block", "repeat", "after_first"):
        if table.get(key):
            yield f"{margin}{key}: {_flow(table[key])}"
    header = [_flow(column) for column in table["columns"]]
    rows = [["~" if cell is None else _flow(cell) for cell in row] for row in table["rows"]]
    widths = [max(len(line[n]) for line in [header, *rows]) for n in range(len(header))]
    lead = len("columns: [") - len("  - [")
    yield f"{margin}columns: [{_cells(header, widths, lead=0)}]"
    yield f"{margin}rows:"
    for row in rows:
        yield f"{margin}  - [{_cells(row, widths, lead)}]"


def _cells(cells: Sequence[str], widths: Sequence[int], lead: int) -> str:
    first, *others = (
        f"{cell},".ljust(width + 1) if n == 0 else f"{cell}".rjust(width) + ","
        for n, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return " ".join([first + " " * lead, *others]).rstrip().removesuffix(",")


def _flow(value: Any) -> str:
    """A value on one line."""
    if isinstance(value, dict):
        return f"{{{_mapping(value)}}}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_flow, value))}]"
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return _text(value) if isinstance(value, str) else repr(value)


def _mapping(value: Mapping[str, Any]) -> str:
    return ", ".join(f"{key}: {_flow(each)}" if each is not None else str(key) for key, each in value.items())


def _text(value: str) -> str:
    """A text without quotes where YAML takes it for a text all the same."""
    plain = bool(value) and set(value) <= BARE and value[0].isalnum() and value.strip() == value and not _means(value)
    return value if plain else '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _means(value: str) -> bool:
    """Whether YAML would read something other than a text."""
    if value.lower() in {"true", "false", "null", "yes", "no", "on", "off", "nan", "inf"}:
        return True
    if SMALL.fullmatch(value):
        return False  # 1e-6 is a text that the language takes for a number
    try:
        float(value.replace("_", ""))
    except ValueError:
        return value[:1].isdigit() and not set(value) & set(" */")
    return True
