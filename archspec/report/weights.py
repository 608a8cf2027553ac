"""A network's arrays beside those of a file, as a table."""

import json
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from archspec.report import text
from archspec.report.text import Column

if TYPE_CHECKING:
    from archspec.weights import Choice, Matching, Row

FORMATS = ("text", "markdown", "json")
SHOWN = 4
"""How many assumptions are named one by one."""


def weights(matching: "Matching", form: str = "text", *, width: int = 100, colour: bool = False) -> str:
    """What fills each array, and why; what is left over; in what the two differ; what is assumed.

    Args:
        matching: What was matched.
        form: One of `FORMATS`.
        width: Characters to a line, for text; where a table is wider, the source's names have lines of their own.
        colour: Whether text may use bold.
    """
    if form == "json":
        return json.dumps(_plain_data(matching), ensure_ascii=False, indent=1) + "\n"
    lines = list(_lines(matching))
    sentences = [*_legend(lines), *_findings(matching)]
    if form == "markdown":
        tables = [text.markdown(columns) for columns in (_filled(lines), *_left(matching))]
        return "\n\n".join((*tables, "\n".join(f"- {sentence}" for sentence in sentences))) + "\n"
    bound = ", ".join(f"{name} = {value}" for name, value in matching.bindings.items())
    title = f"{matching.name}, its weights from elsewhere" + (f": {bound}" if bound else "")
    page = [_bold(title, colour), ""]
    for columns in (_filled(lines), *_left(matching)):
        header, *rest = _table(columns, width)
        page += [_bold(header, colour), *rest, ""]
    for sentence in sentences:
        page += textwrap.wrap(sentence, width, subsequent_indent="  ")
    return "\n".join(page) + "\n"


@dataclass(frozen=True, slots=True)
class _Line:
    """Arrays of one layer that are filled by those of one other."""

    name: str
    arrays: tuple[str, ...]
    shape: str
    source: str
    why: str


def _lines(matching: "Matching") -> Iterator[_Line]:
    """A line a layer, and one of its own for an array that is not filled or is reshaped."""

    def layer(row: "Row") -> tuple[str, str, str]:
        source = "–" if row.source is None else row.source.rpartition(".")[0]
        return row.key.rpartition(".")[0], source, row.why

    for (name, source, why), rows in groupby(matching.rows, layer):
        arrays = list(rows)
        shape = _size(arrays[0].shape)
        found = arrays[0].found
        last = tuple(row.key.rpartition(".")[2] for row in arrays)
        yield _Line(name, last, shape if found is None else f"{shape} of {_size(found)}", source, why)


def _filled(lines: list[_Line]) -> list[Column]:
    return [
        Column("layer", [line.name for line in lines], "left"),
        Column("arrays", [_ARRAYS.get(line.arrays, ", ".join(line.arrays)) for line in lines], "left"),
        Column("shape", [line.shape for line in lines]),
        Column("why", [line.why for line in lines], "left"),
        Column("filled by", [line.source for line in lines], "left"),
    ]


_ARRAYS: dict[tuple[str, ...], str] = {("weight", "bias", "running_mean", "running_var"): "γ, β, mean, var"}


def _left(matching: "Matching") -> Iterator[list[Column]]:
    if matching.left:
        yield [
            Column("left over in the source", [left.key for left in matching.left], "left"),
            Column("shape", [_size(left.shape) for left in matching.left]),
            Column("why", [left.why for left in matching.left], "left"),
        ]


def _table(columns: list[Column], width: int) -> list[str]:
    """The lines of a table; where they would be too long, the last column stands below the others."""
    if sum(column.width + 2 for column in columns) - 2 <= width:
        return [line.rstrip() for line in text.plain(columns)]
    *others, last = columns
    header, rule, *rows = (line.rstrip() for line in text.plain(others))
    below = zip(rows, last.cells, strict=True)
    return [
        f"{header}, {last.header} ←",
        rule,
        *(line for row, cell in below for line in (row, f"    ← {cell}") if line != "    ← –"),
    ]


def _legend(lines: list[_Line]) -> Iterator[str]:
    from archspec.weights import WHY

    for why, sentence in WHY.items():
        if any(line.why == why for line in lines):
            yield f"{why}: {sentence}"


def _findings(matching: "Matching") -> Iterator[str]:
    yield from matching.mixed
    yield from matching.differences
    unsettled = [choice for choice in matching.choices if choice.settled is None]
    word = "assumed" if matching.assume else "ambiguous"
    for choice in unsettled[:SHOWN]:
        yield f"{word}: {_choice(matching, choice)}"
    if len(unsettled) > SHOWN:
        yield f"{len(unsettled) - SHOWN} more are {word}; the library's Matching.settled runs both models to decide"
    yield str(matching)


def _choice(matching: "Matching", choice: "Choice") -> str:
    one, other = choice.layers[0]
    where = "in parallel branches" if choice.parallel else "and names that do not say which comes first"
    sources = " and ".join(f"'{matching.taken[name][0]}'" for name in (one, other))
    fill = "that they fill" if matching.assume else "they may fill"
    order = "in this order" if matching.assume else "in either order"
    return f"{sources} have the same shapes, {where}: {fill} '{one}' and '{other}' {order}"


def _bold(line: str, colour: bool) -> str:
    return f"\x1b[1m{line}\x1b[0m" if colour else line


def _size(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape)) or "scalar"


def _plain_data(matching: "Matching") -> dict[str, Any]:
    return {
        "spec": matching.name,
        "bindings": dict(matching.bindings),
        "complete": bool(matching),
        "arrays": [
            {"key": row.key, "shape": row.shape, "source": row.source, "reshaped_from": row.found, "why": row.why}
            for row in matching.rows
        ],
        "left_over": [{"key": left.key, "shape": left.shape, "why": left.why} for left in matching.left],
        "assumptions": [
            {"layers": choice.layers, "parallel": choice.parallel, "settled_by": choice.settled}
            for choice in matching.choices
        ],
        "ambiguous": {name: list(those) for name, those in matching.open.items()},
        "mixed_blocks": list(matching.mixed),
        "differences": list(matching.differences),
    }
