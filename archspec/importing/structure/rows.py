"""Calls of one block after one another as a table: a row for each, or for several that repeat it."""

from dataclasses import replace
from typing import Any

from archspec import ops
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
    targets,
)

Blocks = dict[str, Any]
"""Blocks by name, each with the defaults of its arguments as `args`."""


def rows(items: Items, blocks: Blocks) -> Items:
    """A body whose runs of calls are tables, and repetitions of one call `repeat`s; so are the bodies inside it.

    What a way back leads to stays a step.
    """
    kept = targets(items)
    return _rows(items, blocks, kept)


def _rows(items: Items, blocks: Blocks, kept: set[int]) -> Items:
    found: Items = []
    run: list[Leaf] = []
    for item in items:
        _inside(item, blocks, kept)
        if isinstance(item, Leaf) and item.operator in blocks and id(item) not in kept:
            if run and run[-1].operator != item.operator:
                found += _folded(run, blocks)
                run = []
            run.append(item)
            continue
        found += [*_folded(run, blocks), item]
        run = []
    return [*found, *_folded(run, blocks)]


def _inside(item: Item, blocks: Blocks, kept: set[int]) -> None:
    if isinstance(item, ForkItem):
        for branch in item.branches:
            branch.items = _rows(branch.items, blocks, kept)
    elif isinstance(item, (ModuleItem, Repeated)):
        item.items = _rows(item.items, blocks, kept)
    elif isinstance(item, ConditionItem):
        item.then, item.other = _rows(item.then, blocks, kept), _rows(item.other, blocks, kept)


def _folded(run: list[Leaf], blocks: Blocks) -> Items:
    """A run of calls of one block, as short as it can be said."""
    if len(run) < 2:
        return list(run)
    defaults = blocks[run[0].operator].args
    if any(_is_text(name, value, defaults) for leaf in run for name, value in leaf.args.items()):
        return list(run)
    after = _after_first(run, defaults)
    groups = _groups(run, after, defaults)
    table = [Row(_name(group, run), group[0].args, len(group), group) for group in groups]
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


def _is_text(name: str, value: Any, defaults: dict[str, Any]) -> bool:
    """Whether an argument is an expression, which means something else in another row; a word is none."""
    return isinstance(value, str) and value != defaults.get(name) and value not in {"same", *ops.registered()}


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


def _name(group: list[Leaf], run: list[Leaf]) -> str:
    """What a row is called: the part of the source that its calls are all of, else the first of them."""
    first = group[0]
    if not first.stage:
        return first.name
    whole = sum(leaf.stage == first.stage for leaf in run) == len(group)
    return first.stage if whole else first.name_in_stage
