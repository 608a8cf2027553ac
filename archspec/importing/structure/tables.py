"""Calls of one block after one another as a table, and how often rows are repeated in several instances of a model.

A row stands for one call, or for several that repeat it.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from typing import Any

from archspec.importing.items import (
    ForkItem,
    Item,
    Items,
    Leaf,
    Repeated,
    Row,
    TableItem,
    bodies,
    change_bodies,
    is_expression,
    targets,
)
from archspec.importing.varied import Varied, varied

Blocks = dict[str, Any]
"""Blocks by name, each with the defaults of its arguments as `args`."""


After = dict[str, dict[str, Any]]
"""What the second and later calls in a row are given instead, by blocks."""


def rows(items: Items, blocks: Blocks, after: After | None = None) -> Items:
    """A body whose runs of calls are tables, and repetitions of one call `repeat`s; so are the bodies inside it.

    What a way back leads to stays a step.

    Args:
        items: The body.
        blocks: What it calls.
        after: What is known from other instances of the model.
    """
    kept = targets(items)
    return _rows(items, blocks, kept, after or {})


def after_first(several: Sequence[Items], blocks: Blocks) -> After:
    """What the second and later calls in a row are given instead, as several instances of a model agree on it."""
    found: After = {}
    for items in several:
        for run in _runs(items, blocks, targets(items)):
            if isinstance(run, list):
                for name, value in _after_first(run, blocks[run[0].operator].args).items():
                    found.setdefault(run[0].operator, {}).setdefault(name, value)
    return found


def _runs(items: Items, blocks: Blocks, kept: set[int]) -> Iterator[list[Leaf] | Item]:
    """A body's steps; calls of one block after one another together."""
    run: list[Leaf] = []
    for item in items:
        called = isinstance(item, Leaf) and item.operator in blocks and id(item) not in kept
        if run and not (called and isinstance(item, Leaf) and run[-1].operator == item.operator):
            yield run
            run = []
        if called and isinstance(item, Leaf):
            run.append(item)
        else:
            yield item
    if run:
        yield run


def _rows(items: Items, blocks: Blocks, kept: set[int], known: After) -> Items:
    for item in items:
        change_bodies(item, lambda body: _rows(body, blocks, kept, known))
    stages = Counter(item.stage for item in items if isinstance(item, Leaf))
    runs = _runs(items, blocks, kept)
    return [each for run in runs for each in (_folded(run, blocks, known, stages) if isinstance(run, list) else [run])]


def _folded(run: list[Leaf], blocks: Blocks, known: After, stages: Mapping[str, int]) -> Items:
    """A run of calls of one block, as short as it can be said."""
    if len(run) < 2:
        return list(run)
    defaults = blocks[run[0].operator].args
    if any(is_expression(value) and value != defaults[name] for leaf in run for name, value in leaf.args.items()):
        return list(run)
    after = {**known.get(run[0].operator, {}), **_after_first(run, defaults)}
    groups = _groups(run, after, defaults)
    table = [Row(_name(group, run, stages), group[0].args, len(group), group) for group in groups]
    used = _used(table, after)
    if len(table) == 1 and not used:
        return [_repeat(table[0])]
    if len(table) == 2 and max(row.times for row in table) == 1:
        return list(run)
    return [TableItem(run[0].operator, defaults, table, used, run[0].entry, run[-1].exit)]


def _repeat(row: Row) -> Repeated:
    """The calls of a row as one that is repeated."""
    first, last = row.calls[0], row.calls[-1]
    nodes = [node for call in row.calls for node in call.nodes]
    one = replace(first, name="", stage="", nodes=nodes)
    return Repeated(row.times, [one], row.name, first.entry, last.exit, nodes)


def _used(table: list[Row], after: dict[str, Any]) -> dict[str, Any]:
    """What changes behind the first of a row, as far as a row changes it."""
    return {
        name: value
        for name, value in after.items()
        if any(row.times > 1 and row.args.get(name, None) != row.calls[1].args.get(name, None) for row in table)
    }


def _after_first(run: list[Leaf], defaults: dict[str, Any]) -> dict[str, Any]:
    """The arguments that are other in the second of a stage than in the first, if they are the same in all seconds."""
    found: dict[str, Any] = {}
    odd = set[str]()
    for before, leaf, behind in zip(run, run[1:], [*run[2:], None], strict=False):
        repeats = behind is None or _full(behind, defaults) == _full(leaf, defaults) or behind.stage != leaf.stage
        if not repeats or before.stage != leaf.stage:
            continue
        a, b = _full(before, defaults), _full(leaf, defaults)
        differ = [name for name in a if a[name] != b[name]]
        if len(differ) > 2 or any(isinstance(a[name], int) and name.startswith(("c", "m")) for name in differ):
            continue
        if any(isinstance(each[name], str) for each in (a, b) for name in differ):
            continue  # a word that changes within a loop has no source: what it can be is not known there
        for name in differ:
            if found.setdefault(name, b[name]) != b[name]:
                odd.add(name)
    return {name: value for name, value in found.items() if name not in odd}


def _groups(run: list[Leaf], after: dict[str, Any], defaults: dict[str, Any]) -> list[list[Leaf]]:
    """The calls by rows: the first, and as many behind it as are what the row says of them."""
    found: list[list[Leaf]] = []
    for leaf in run:
        if found:
            first = found[-1][0]
            wanted = {**_full(first, defaults), **after}
            if _full(leaf, defaults) == wanted and leaf.stage == first.stage:
                found[-1].append(leaf)
                continue
        found.append([leaf])
    return found


def _full(leaf: Leaf, defaults: dict[str, Any]) -> dict[str, Any]:
    return {**defaults, **leaf.args}


def _name(group: list[Leaf], run: list[Leaf], stages: Mapping[str, int]) -> str:
    """What a row is called: the part of the source that its calls are all of, else the first of them."""
    first = group[0]
    names = Counter(leaf.name for leaf in run)
    alone = len(group) == 1 and first.name and names[first.name] == 1
    if first.stage and stages[first.stage] == len(group) and not alone:
        return first.stage
    told = len(group) > 1 or any(names[leaf.name] > 1 for leaf in run if leaf.stage == first.stage)
    return first.name_in_stage if told else first.name


# ------------------------------------------------------------------ several instances of a model


@dataclass(eq=False, slots=True)
class CallRun:
    """Calls of one block after one another, as rows; or one step that is none.

    Attributes:
        items: What it is in the body.
        block: What is called; of another step, what it is.
        rows: The rows; of a body that is repeated, one without calls.
        after_first: What the second and later calls of a row are given instead.
        inner: The bodies inside it.
    """

    items: Items
    block: str
    rows: list[Row] = field(default_factory=list)
    after_first: Mapping[str, Any] = field(default_factory=dict)
    inner: "list[list[CallRun]]" = field(default_factory=list)


def vary_repeats(first: Items, others: Sequence[Items | None], blocks: Blocks) -> tuple[Items, list[Varied]]:
    """A body whose numbers of repeats know what they are in every instance, and those that differ.

    Args:
        first: The structure of the first instance.
        others: That of each instance; None where it is the first one's. One that differs in more has no say.
        blocks: The blocks that they call.
    """
    mine = _all_runs(first, blocks)
    every = list(_flat(mine))
    structures = [mine if items is None else _all_runs(items, blocks) for items in others]
    several = [list(_flat(runs if _skeleton(runs) == _skeleton(mine) else mine)) for runs in structures]
    for number, run in enumerate(every):
        beside = [runs[number] for runs in several]
        for at, row in enumerate(run.rows):
            row.times = varied([other.rows[at].times for other in beside])
        run.after_first = {name: value for other in [*beside[::-1], run] for name, value in other.after_first.items()}
    return _written(mine, blocks), [row.times for run in every for row in run.rows if isinstance(row.times, Varied)]


def _all_runs(items: Items, blocks: Blocks) -> list[CallRun]:
    """A body as runs; what ways back lead to is alone."""
    kept = targets(items)
    found: list[CallRun] = []
    for item in items:
        run = _run(item, blocks, kept)
        if found and run.rows and run.block in blocks and found[-1].block == run.block:
            found[-1].items += run.items
            found[-1].rows += run.rows
            found[-1].after_first = {**found[-1].after_first, **run.after_first}
        else:
            found.append(run)
    return found


def _run(item: Item, blocks: Blocks, kept: AbstractSet[int]) -> CallRun:
    match item:
        case TableItem():
            return CallRun([item], item.block, [*item.rows], item.after_first)
        case Leaf(operator) if operator in blocks and id(item) not in kept:
            return CallRun([item], operator, [Row(item.name, item.args, 1, [item])])
        case Repeated(times, [Leaf(operator) as only]) if operator in blocks:
            call = replace(only, nodes=item.nodes, name=item.name)
            return CallRun([item], operator, [Row(item.name, only.args, times, [call])])
        case Repeated(times, items):
            return CallRun([item], "repeat", [Row(item.name, {}, times, [])], inner=[_all_runs(items, blocks)])
    kind = item.operator if isinstance(item, (Leaf, ForkItem)) else type(item).__name__
    return CallRun([item], kind, inner=[_all_runs(body, blocks) for body in bodies(item)])


def _flat(runs: Sequence[CallRun]) -> Iterator[CallRun]:
    for run in runs:
        yield run
        for body in run.inner:
            yield from _flat(body)


def _skeleton(runs: Sequence[CallRun]) -> list[Any]:
    return [(run.block, len(run.rows), [_skeleton(body) for body in run.inner]) for run in runs]


def _written(runs: Sequence[CallRun], blocks: Blocks) -> Items:
    """The body of runs whose numbers of repeats are known."""
    return [item for run in runs for item in _rewritten(run, blocks)]


def _rewritten(run: CallRun, blocks: Blocks) -> Items:
    if run.block in blocks and any(isinstance(row.times, Varied) for row in run.rows):
        return _tabled(run, blocks)
    if run.inner:
        (item,), inner = run.items, (_written(body, blocks) for body in run.inner)
        change_bodies(item, lambda _: next(inner))
        if isinstance(item, Repeated):
            item.times = run.rows[0].times
    return run.items


def _tabled(run: CallRun, blocks: Blocks) -> Items:
    """Calls of which some are repeated otherwise in other instances: a table, or each as a repetition."""
    defaults = blocks[run.block].args
    after = {
        name: value
        for name, value in run.after_first.items()
        if any(r.args.get(name, defaults[name]) != value for r in run.rows)
    }
    texts = any(is_expression(v) and v != defaults[name] for row in run.rows for name, v in row.args.items())
    if not texts and (after or len(run.rows) > 1):
        return [TableItem(run.block, defaults, run.rows, after, run.items[0].entry, run.items[-1].exit)]
    return [_repeat(row) for row in run.rows]
