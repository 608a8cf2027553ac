"""How often things are repeated in several instances of a model, whose structures are alike but for that."""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
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
    bodies,
    is_expression,
    targets,
)
from archspec.importing.structure.rows import Blocks
from archspec.importing.varied import Varied, varied


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
    mine = _runs(first, blocks)
    every = list(_all(mine))
    several = [_beside(mine, _runs(items, blocks)) if items is not None else every for items in others]
    for number, run in enumerate(every):
        beside = [runs[number] if runs is not None else run for runs in several]
        for at, row in enumerate(run.rows):
            row.times = varied([other.rows[at].times for other in beside])
        run.after_first = {name: value for other in [*beside[::-1], run] for name, value in other.after_first.items()}
    return _written(mine, blocks), [row.times for run in every for row in run.rows if isinstance(row.times, Varied)]


def _runs(items: Items, blocks: Blocks) -> list[CallRun]:
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
    if isinstance(item, TableItem):
        return CallRun([item], item.block, [*item.rows], item.after_first)
    if isinstance(item, Leaf) and item.operator in blocks and id(item) not in kept:
        return CallRun([item], item.operator, [Row(item.name, item.args, 1, [item])])
    if isinstance(item, Repeated):
        only = item.items[0]
        if len(item.items) == 1 and isinstance(only, Leaf) and only.operator in blocks:
            calls = [replace(only, nodes=item.nodes, name=item.name)]
            return CallRun([item], only.operator, [Row(item.name, only.args, item.times, calls)])
        return CallRun([item], "repeat", [Row(item.name, {}, item.times, [])], inner=[_runs(item.items, blocks)])
    kind = item.operator if isinstance(item, (Leaf, ForkItem)) else type(item).__name__
    return CallRun([item], kind, inner=[_runs(body, blocks) for body in bodies(item)])


def _all(runs: Sequence[CallRun]) -> Iterator[CallRun]:
    for run in runs:
        yield run
        for body in run.inner:
            yield from _all(body)


def _beside(mine: Sequence[CallRun], other: Sequence[CallRun]) -> list[CallRun] | None:
    """The runs of another body beside those of the first; None if it has other steps."""
    return list(_all(other)) if _skeleton(mine) == _skeleton(other) else None


def _skeleton(runs: Sequence[CallRun]) -> list[Any]:
    return [(run.block, len(run.rows), [_skeleton(body) for body in run.inner]) for run in runs]


def _written(runs: Sequence[CallRun], blocks: Blocks) -> Items:
    """The body of runs whose numbers of repeats are known."""
    return [item for run in runs for item in _rewritten(run, blocks)]


def _rewritten(run: CallRun, blocks: Blocks) -> Items:
    if run.block in blocks and any(isinstance(row.times, Varied) for row in run.rows):
        return _tabled(run, blocks)
    (item, *_) = run.items
    inner = [_written(body, blocks) for body in run.inner]
    if isinstance(item, ForkItem):
        for branch, items in zip(item.branches, inner, strict=True):
            branch.items = items
    elif isinstance(item, ConditionItem):
        item.then, item.other = inner
    elif isinstance(item, (ModuleItem, Repeated)) and inner:
        (item.items,) = inner
        if isinstance(item, Repeated):
            item.times = run.rows[0].times
    return run.items


def _tabled(run: CallRun, blocks: Blocks) -> Items:
    """Calls of which some are repeated otherwise in other instances: a table, or each as a repetition."""
    defaults = blocks[run.block].args
    after = {name: value for name, value in run.after_first.items() if any(r.args[name] != value for r in run.rows)}
    texts = any(is_expression(v) and v != defaults[name] for row in run.rows for name, v in row.args.items())
    if not texts and (after or len(run.rows) > 1):
        return [TableItem(run.block, defaults, run.rows, after, run.items[0].entry, run.items[-1].exit)]
    found: Items = []
    for row in run.rows:
        first, last = row.calls[0], row.calls[-1]
        nodes = [node for call in row.calls for node in call.nodes]
        one = replace(first, name="", stage="", nodes=nodes)
        found.append(Repeated(row.times, [one], row.name, first.entry, last.exit, nodes))
    return found
