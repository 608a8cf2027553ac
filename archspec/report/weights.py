"""A network's arrays beside those of a file, as a table."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from archspec.report import numbers
from archspec.report.page import Column, Name, Notes, Number, Report, Section, Sizes, Table, Title
from archspec.writing import sizes

if TYPE_CHECKING:
    from archspec.weights import ArrayMatch, Exchange, Matching

SHOWN = 4
"""How many assumptions are named one by one."""


def weights(matching: "Matching") -> Report:
    """What fills each array, and why; what is left over; in what the two differ; what is assumed."""
    lines = list(_lines(matching))
    bound = numbers.bindings(matching.bindings)
    filled = [
        Column("layer", [Name(line.name) for line in lines]),
        Column("arrays", [Name(_ARRAYS.get(line.arrays, ", ".join(line.arrays))) for line in lines]),
        Column("shape", [Number(None, line.shape) for line in lines]),
        Column("why", [Name(line.why) for line in lines]),
        Column("filled by", [Name(line.source) for line in lines]),
    ]
    left = [
        Column("left over in the source", [Name(left.key) for left in matching.left], "key"),
        Column("shape", [Sizes(left.shape) for left in matching.left]),
        Column("why", [Name(left.why) for left in matching.left]),
    ]
    return Report(
        (
            Section((Title(f"{matching.name}, its weights from elsewhere" + (f": {bound}" if bound else "")),)),
            Section((Table(filled, wide="below"),)),
            *([Section((Table(left),))] if matching.left else []),
            Section((Notes((*_legend(lines), *_findings(matching))),)),
        ),
        data=lambda: {
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
        },
        records=lambda: Table(
            [
                Column("key", [Name(row.key) for row in matching.rows]),
                Column("shape", [Sizes(row.shape) for row in matching.rows]),
                Column("source", [Name(row.source or "") for row in matching.rows]),
                Column("why", [Name(row.why) for row in matching.rows]),
            ]
        ),
    )


@dataclass(frozen=True, slots=True)
class _MatchLine:
    """Arrays of one layer that are filled by those of one other."""

    name: str
    arrays: tuple[str, ...]
    shape: str
    source: str
    why: str


def _lines(matching: "Matching") -> Iterator[_MatchLine]:
    """One line per layer, and one of its own for an array that is not filled or is reshaped."""

    def layer(row: "ArrayMatch") -> tuple[str, str, str]:
        source = "–" if row.source is None else row.source.rpartition(".")[0]
        return row.key.rpartition(".")[0], source, row.why

    for (name, source, why), rows in groupby(matching.rows, layer):
        arrays = list(rows)
        shape = sizes(arrays[0].shape)
        found = arrays[0].found
        last = tuple(row.key.rpartition(".")[2] for row in arrays)
        yield _MatchLine(name, last, shape if found is None else f"{shape} of {sizes(found)}", source, why)


_ARRAYS: dict[tuple[str, ...], str] = {("weight", "bias", "running_mean", "running_var"): "γ, β, mean, var"}


def _legend(lines: list[_MatchLine]) -> Iterator[str]:
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
    yield matching.sentence


def _choice(matching: "Matching", choice: "Exchange") -> str:
    one, other = choice.layers[0]
    where = "in parallel branches" if choice.parallel else "and names that do not say which comes first"
    sources = " and ".join(f"'{matching.taken[name][0]}'" for name in (one, other))
    fill = "that they fill" if matching.assume else "they may fill"
    order = "in this order" if matching.assume else "in either order"
    return f"{sources} have the same shapes, {where}: {fill} '{one}' and '{other}' {order}"
