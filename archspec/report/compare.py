"""Networks side by side, with their ratios; and one before and after, row by row."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from fractions import Fraction
from typing import Any

from archspec.cost import CostRow, CostTable, quantity
from archspec.report import numbers
from archspec.report.columns import figure as counted
from archspec.report.cost import cost
from archspec.report.page import (
    EMPTY,
    Cell,
    Column,
    Name,
    Notes,
    Number,
    Report,
    Section,
    Share,
    Table,
    Title,
    exact_texts,
    raw,
    with_total,
)

FIGURES = ("params", "macs", "flops", "activations", "weight_bytes")
"""What is compared unless something else is asked for."""


def compare(tables: Mapping[str, CostTable], figures: Sequence[str] = FIGURES) -> Report:
    """The figures of several networks, and each network's as a multiple of the first's.

    Args:
        tables: The counted networks by what to call them; the first is the one that the others are held against.
        figures: The quantities to compare, by name.
    """
    reference = next(iter(tables.values()))
    note = numbers.compared_note(tables.items(), figures)
    return Report(
        (Section((Table(_columns(tables, figures), wide="further"),)), Section((Notes((note,)),))),
        data=lambda: {
            "convention": reference.convention.name,
            "networks": [
                {
                    "name": name,
                    "bindings": exact_texts(table.network.bindings),
                    **({"not_counted": list(table.network.opaque)} if table.network.opaque else {}),
                    **{figure: raw(table.figure(figure)) for figure in figures},
                    "of_first": {figure: _ratio(table, reference, figure).text for figure in figures},
                }
                for name, table in tables.items()
            ],
        },
        records=lambda: _records(tables, figures),
    )


def ratio(a: Any, b: Any) -> str:
    """a as a multiple of b, to three digits.

    >>> ratio(724, 569), ratio(1248424, 60965224), ratio(1, 0)
    ('1.27', '1/48.8', '–')
    """
    if not a or not b:
        return "0" if b else "–"
    value = Fraction(a) / b
    return f"1/{_digits(1 / value)}" if 2 * value < 1 else _digits(value)


def _digits(value: Fraction) -> str:
    """A number to three digits, halves upwards."""
    places = 0
    while value * 10**places < 100 and places < 6:
        places += 1
    scaled = (2 * value * 10**places + 1) // 2
    return f"{scaled // 10**places}" + (f".{scaled % 10**places:0{places}}".rstrip("0").rstrip(".") if places else "")


def _columns(tables: Mapping[str, CostTable], figures: Sequence[str]) -> list[Column]:
    (first, reference), *others = tables.items()
    of_first = f"of {first}" if len(first) <= 24 else "of the first"
    columns = [
        Column("", [Name(quantity(figure).heading) for figure in figures], "quantity"),
        _figures(first, reference, figures),
    ]
    for name, table in others:
        ratios = [_ratio(table, reference, figure) for figure in figures]
        columns += [_figures(name, table, figures), Column(of_first, ratios, f"{name} / {first}")]
    return columns


def _records(tables: Mapping[str, CostTable], figures: Sequence[str]) -> Table:
    """One row per network, for machines."""
    reference = next(iter(tables.values()))
    columns = [Column("network", [Name(name) for name in tables])]
    for figure in figures:
        ratios = [_ratio(table, reference, figure) for table in tables.values()]
        columns += [
            Column(figure, [Number(table.figure(figure)) for table in tables.values()]),
            Column(f"{figure}_of_first", ratios),
        ]
    return Table(columns)


def _figures(name: str, table: CostTable, figures: Sequence[str]) -> Column:
    return Column(name, [counted(table.total, figure) for figure in figures])


def _ratio(table: CostTable, reference: CostTable, figure: str) -> Number:
    above, below = table.figure(figure), reference.figure(figure)
    return Number(Fraction(above) / below if above is not None and below else None, ratio(above, below))


ROW_FIGURES = ("params", "macs")
"""What is compared row by row unless something else is asked for."""


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
            Section((Table(_change_columns([*changed, whole], figures), with_total(len(changed)), wide="further"),)),
            Section((Notes((alike, told)),)),
        ),
        data=lambda: _changes_data(every, whole, names, tables, figures),
        records=lambda: Table(_change_columns(every, figures)),
    )


def _change_columns(rows: Sequence[Change], figures: Sequence[str]) -> list[Column]:
    columns = [
        Column("row", [Name(row.name) for row in rows]),
        Column("what", [Name("" if row.name == "total" else row.what) for row in rows], drop=1),
    ]
    for figure in figures:
        heading, pairs = quantity(figure).heading, [row.figures(figure) for row in rows]
        gaps = [_difference(row, figure) for row in rows]
        columns += [
            Column(heading, [Number(old) for old, _ in pairs], f"{figure}_old"),
            Column("→", [Number(new) for _, new in pairs], f"{figure}_new", drop=2),
            Column("difference", [Number(gap, _signed(gap)) for gap in gaps], f"{figure}_difference"),
        ]
    return columns


def _difference(row: Change, figure: str) -> Any:
    old, new = row.figures(figure)
    return None if old is None or new is None else new - old


def _signed(gap: Any) -> str:
    return "±0" if gap == 0 else numbers.signed(gap)


def _changes_data(
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


def changed(table: CostTable, before: CostTable | None) -> Report:
    """The table by block, a mark at each row that was not there before, and by how much the totals changed.

    Args:
        table: What is counted now.
        before: What was counted before; None at first.
    """
    report = cost(table)
    if before is None:
        return report
    there = {_read(row) for row in cost(before).tables[0].rows}
    rows = report.tables[0]
    marks = [EMPTY if _read(row) in there else Name("←") for row in rows.rows]
    columns = [*rows.columns, *([Column("", marks, "changed")] if any(mark != EMPTY for mark in marks) else [])]
    marked = Table(columns, rows.roles)
    sections = [Section([marked if part is rows else part for part in section.parts]) for section in report.sections]
    return Report([*sections[:-1], Section((Notes(_differences(table, before)),)), sections[-1]])


def _read(row: Sequence[Cell]) -> tuple[str, ...]:
    """What is read of a row, its share of the whole aside."""
    return tuple(cell.text for cell in row if not isinstance(cell, Share))


def _differences(table: CostTable, before: CostTable) -> list[str]:
    words = []
    for name in FIGURES:
        now, then = table.figure(name), before.figure(name)
        if now != then:
            times = f", ×{now / then:.3g}" if then else ""
            change = f"{numbers.number(then)} → {numbers.number(now)} ({numbers.signed(now - then)}{times})"
            words.append(f"{quantity(name).heading} {change}")
    return words or ["nothing changed"]
