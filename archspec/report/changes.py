"""A network before and after: what each layer, block or stage costs more or less."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from archspec.cost import CostRow, CostTable, quantity
from archspec.report import numbers
from archspec.report.page import Column, Name, Notes, Number, Report, Section, Table, Title, raw, with_total

FIGURES = ("params", "macs")
"""What is compared unless something else is asked for."""


@dataclass(frozen=True, slots=True)
class Change:
    """A row of two networks, by its name; None where one has none of that name."""

    name: str
    old: CostRow | None
    new: CostRow | None

    def figures(self, name: str) -> tuple[Any, Any]:
        """What both cost; 0 where one has none."""
        return tuple(0 if row is None else row.figure(name) for row in (self.old, self.new))  # type: ignore[return-value]  # two

    @property
    def what(self) -> str:
        """What it is, and was."""
        old, new = (None if row is None else row.operator for row in (self.old, self.new))
        if old is None or new is None:
            return f"{new}, new" if old is None else f"{old}, gone"
        return new if old == new else f"{old} → {new}"


def changes(old: CostTable, new: CostTable, by: str | int = "layer") -> tuple[Change, ...]:
    """The rows of two networks side by side, in the order of both.

    >>> from archspec import load
    >>> mobilenet = load("mobilenet")
    >>> found = changes(mobilenet.count(), mobilenet.count(classes=10))
    >>> [(each.name, each.figures("macs")) for each in found if len({*each.figures("macs")}) > 1]
    [('fc', (1024000, 10240))]
    """
    before, after = ({row.name: row for row in table.by(by)} for table in (old, new))
    return tuple(Change(name, before.get(name), after.get(name)) for name in _merged([*before], [*after]))


def _merged(old: Sequence[str], new: Sequence[str]) -> Iterator[str]:
    """The names of both, in an order that is that of each, as far as the two agree."""
    seen: set[str] = set()
    for _, begin, end, start, stop in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        for name in (*old[begin:end], *new[start:stop]):
            if name not in seen:
                seen.add(name)
                yield name


def compare_rows(
    tables: tuple[CostTable, CostTable], names: tuple[str, str], by: str, figures: Sequence[str]
) -> Report:
    """What changed from one network to another, row by row; rows that cost the same are not read.

    Args:
        tables: The counted networks, the old one first.
        names: What to call them.
        by: What a row stands for; see `CostTable.by`.
        figures: The quantities to compare, by name.
    """
    every = changes(*tables, by)
    changed = [each for each in every if any(before != after for before, after in map(each.figures, figures))]
    whole = Change("total", tables[0].total, tables[1].total)
    called = {figure: quantity(figure).heading.removesuffix(" [B]") for figure in figures}
    differences = [f"{_signed(_difference(whole, figure))} {called[figure]}" for figure in figures]
    title = Title(f"{names[0]} → {names[1]}: {', '.join(differences)}")
    same = len(every) - len(changed)
    told = numbers.compared_note(zip(names, tables, strict=True), figures)
    alike = f"{numbers.number(same)} rows cost the same" if changed else "Every row costs the same"
    return Report(
        (
            Section((title,)),
            Section((Table(_columns([*changed, whole], figures), with_total(len(changed)), wide="further"),)),
            Section((Notes((alike, told)),)),
        ),
        data=lambda: _data(every, whole, names, tables, figures),
        records=lambda: Table(_columns(every, figures)),
    )


def _columns(rows: Sequence[Change], figures: Sequence[str]) -> list[Column]:
    columns = [
        Column("row", [Name(row.name) for row in rows]),
        Column("what", [Name("" if row.name == "total" else row.what) for row in rows], drop=1),
    ]
    for figure in figures:
        heading, pairs = quantity(figure).heading, [row.figures(figure) for row in rows]
        columns += [
            Column(heading, [Number(old) for old, _ in pairs], f"{figure}_old"),
            Column("→", [Number(new) for _, new in pairs], f"{figure}_new", drop=2),
            Column("difference", [_change(row, figure) for row in rows], f"{figure}_difference"),
        ]
    return columns


def _change(row: Change, figure: str) -> Number:
    gap = _difference(row, figure)
    return Number(gap, _signed(gap))


def _difference(row: Change, figure: str) -> Any:
    old, new = row.figures(figure)
    return None if old is None or new is None else new - old


def _signed(gap: Any) -> str:
    return "–" if gap is None else f"{'+' if gap > 0 else '−'}{numbers.number(abs(gap))}" if gap else "±0"


def _data(
    every: Sequence[Change],
    whole: Change,
    names: tuple[str, str],
    tables: tuple[CostTable, CostTable],
    figures: Sequence[str],
) -> dict[str, Any]:
    def row(change: Change) -> dict[str, Any]:
        return {
            "old": None if change.old is None else change.old.operator,
            "new": None if change.new is None else change.new.operator,
            **{
                figure: dict(zip(("old", "new"), map(raw, change.figures(figure)), strict=True))
                | {"difference": raw(_difference(change, figure))}
                for figure in figures
            },
        }

    return {
        "convention": tables[0].convention.name,
        "old": names[0],
        "new": names[1],
        "rows": [{"name": change.name, **row(change)} for change in every],
        "total": {figure: row(whole)[figure] for figure in figures},
    }
