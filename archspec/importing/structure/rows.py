"""Calls of one block after one another as a table: a row for each, or for several that repeat it."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from archspec.importing.items import (
    ConditionItem,
    ForkItem,
    Item,
    Items,
    Leaf,
    ModuleItem,
    Repeated,
    Row,
    TableItem,
    is_expression,
    targets,
)

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
        _inside(item, blocks, kept, known)
    stages = Counter(item.stage for item in items if isinstance(item, Leaf))
    runs = _runs(items, blocks, kept)
    return [each for run in runs for each in (_folded(run, blocks, known, stages) if isinstance(run, list) else [run])]


def _inside(item: Item, blocks: Blocks, kept: set[int], known: After) -> None:
    if isinstance(item, ForkItem):
        for branch in item.branches:
            branch.items = _rows(branch.items, blocks, kept, known)
    elif isinstance(item, (ModuleItem, Repeated)):
        item.items = _rows(item.items, blocks, kept, known)
    elif isinstance(item, ConditionItem):
        item.then, item.other = _rows(item.then, blocks, kept, known), _rows(item.other, blocks, kept, known)


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
    if len(table) == 1 and not (used := _used(table, after)):
        one = replace(run[0], name="", stage="")
        return [
            Repeated(
                len(run), [one], table[0].name, run[0].entry, run[-1].exit, [n for leaf in run for n in leaf.nodes]
            )
        ]
    used = _used(table, after)
    if len(table) == 2 and max(row.times for row in table) == 1:
        return list(run)
    return [TableItem(run[0].operator, defaults, table, used, run[0].entry, run[-1].exit)]


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
