"""Modules of one kind become one block with arguments, and each of them a call of it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from archspec import ops
from archspec.importing.items import (
    Branch,
    ConditionItem,
    ForkItem,
    Item,
    Items,
    Leaf,
    ModuleItem,
    bodies,
    everything,
    flattened,
    is_expression,
    scopes,
)
from archspec.importing.structure.arguments import ANY, Arguments, channels, renamed
from archspec.importing.structure.conditions import WORDS, condition, widening
from archspec.importing.structure.prepare import dissolved, prepared
from archspec.importing.structure.tables import after_first, rows
from archspec.importing.structure.unify import Slot, Slots, unified
from archspec.importing.writing_steps import free_name


@dataclass(slots=True)
class FoundBlock:
    """A block that was found: its arguments with their defaults, and its body."""

    args: dict[str, Any]
    items: Items


@dataclass(slots=True)
class Recovered:
    """A body, or those of several instances of a model, and the blocks that they call."""

    bodies: list[Items]
    blocks: dict[str, FoundBlock] = field(default_factory=dict)

    @property
    def items(self) -> Items:
        """The body, of the first instance."""
        return self.bodies[0]

    def dissolve(self, kind: str) -> None:
        """Let the members of the scopes of a kind stand in their place."""
        self.bodies = [dissolved(items, kind) for items in self.bodies]


def recovered(*several: Items) -> Recovered:
    """The structure of a body whose scopes are its source's modules; of several instances of it, in the same blocks."""
    found = Recovered(prepared(several))
    for kind in _inner_first([item for items in found.bodies for item in items]):
        _replace(found, kind)
    after = after_first(found.bodies, found.blocks) if len(several) > 1 else {}
    found.bodies = [rows(items, found.blocks, after) for items in found.bodies]
    return found


def _inner_first(items: Items) -> list[str]:
    """The kinds of scopes, each behind those that it holds."""
    height: dict[str, int] = {}
    for scope in scopes(items):
        inside = [height[inner.kind] for inner in scopes(scope.items)]
        height[scope.kind] = max(height.get(scope.kind, 0), 1 + max(inside, default=0))
    return sorted(height, key=lambda kind: height[kind])


def _replace(found: Recovered, kind: str) -> None:
    """Scopes of a kind as calls of a block; what no body has twice, or is unlike all others, is dissolved."""
    by_body = [[scope for scope in scopes(items) if scope.kind == kind] for items in found.bodies]
    members = [scope for several in by_body for scope in several]
    if _only_repeat(members):
        for scope in members:
            for item in scope.items:
                item.stage = scope.name  # type: ignore[union-attr]  # a call
        members = []
    while members:
        alike, slots = _alike(members)
        if any(sum(scope in alike for scope in several) > 1 for several in by_body):
            _block(found, kind, alike, slots)
        else:
            for scope in alike:
                scope.kind = ""
        members = [scope for scope in members if scope not in alike and scope.kind == kind]
    found.dissolve(kind)


def _only_repeat(members: list[ModuleItem]) -> bool:
    """Whether scopes hold nothing but calls of one block, some more and some fewer: each is a repeat by itself."""
    called = {item.operator if isinstance(item, Leaf) else "" for scope in members for item in scope.items}
    lengths = {len(scope.items) for scope in members}
    return len(called) == 1 and called.isdisjoint({"", *ops.registered()}) and len(lengths) > 1


def _alike(members: list[ModuleItem]) -> tuple[list[ModuleItem], Slots]:
    """The members that make one block with the first, and its steps: all, else those of the same steps."""
    skeleton = _skeleton(members[0].items)
    same = [scope for scope in members if _skeleton(scope.items) == skeleton]
    for several in (members, same):
        slots = unified([scope.items for scope in several], [scope.entry for scope in several])
        if slots is not None:
            return several, slots
    return members[:1], []


def _skeleton(items: Items) -> tuple[Any, ...]:
    return tuple(
        (getattr(item, "operator", type(item).__name__), *(_skeleton(body) for body in bodies(item))) for item in items
    )


def _block(found: Recovered, kind: str, members: list[ModuleItem], slots: Slots) -> None:
    entries, exits = [channels(scope.entry) for scope in members], [channels(scope.exit) for scope in members]
    arguments = Arguments(len(members), simple=kind.startswith("conv_"), entries=entries, exits=exits)
    body = _body(slots, list(range(len(members))), arguments)
    _rename(body, arguments.rename())
    name = _free(kind, found.blocks)
    body = rows(body, found.blocks)
    found.blocks[name] = FoundBlock(arguments.ordered(), body)
    for number, scope in enumerate(members):
        nodes = list(flattened(scope.items))
        call = Leaf(
            name, arguments.called(number), scope.name, scope.entry, scope.exit, nodes, scope.stage, label=scope.label
        )
        scope.items, scope.kind = [call], f"={kind}"
    found.dissolve(f"={kind}")


def _rename(items: Items, names: Mapping[str, str]) -> None:
    """Let a body call the arguments of its block by new names."""
    for item in everything(items):
        if isinstance(item, (Leaf, ForkItem)):
            item.args = {n: renamed(v, names) if is_expression(v) else v for n, v in item.args.items()}
        if isinstance(item, ConditionItem):
            item.condition = renamed(item.condition, names)


def _free(kind: str, taken: dict[str, FoundBlock]) -> str:
    """A name for a block: its class's in the language's spelling.

    >>> _free("InvertedResidual", {}), _free("SEBlock", {}), _free("Concat", {})
    ('inverted_residual', 'se_block', 'concat_block')
    """
    base = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", kind).lower()
    base = re.sub(r"[^a-z0-9_]+", "_", base).strip("_")[:40]
    if not base[:1].isalpha() or base in WORDS:
        base = f"{base}_block" if base[:1].isalpha() else "block"
    return free_name(base, taken)


# ------------------------------------------------------------------ the body of a block


def _body(slots: Slots, active: list[int], arguments: Arguments) -> Items:
    """The steps of a block: first all numbers become arguments or expressions, then conditions are over these.

    Args:
        slots: The steps of the bodies.
        active: The bodies that have these steps at all.
        arguments: What they are said by.
    """
    return list(_chosen(_numbered(slots, arguments), active, arguments))


Numbered: TypeAlias = "list[tuple[Slot, Item, list[Numbered]]]"
"""Steps with their numbers said, each with those of its branches, before conditions are decided."""


def _numbered(slots: Slots, arguments: Arguments) -> Numbered:
    return [
        (slot, _written(slot, arguments), [_numbered(inner, arguments) for inner in slot.branches]) for slot in slots
    ]


def _written(slot: Slot, arguments: Arguments) -> Item:
    sample = slot.sample
    args = _args(slot, arguments)
    if isinstance(sample, ForkItem):
        branches = [Branch([], name) for name in _branch_names(slot)]
        function = sample.node.function if sample.node is not None else sample.function
        return ForkItem(sample.operator, args, slot.name, sample.entry, sample.exit, branches, None, function)
    if not isinstance(sample, Leaf):
        raise AssertionError("only leaves and forks are compared")
    return Leaf(sample.operator, args, slot.name, sample.entry, sample.exit, sample.nodes)


def _branch_names(slot: Slot) -> list[str]:
    """What some body calls each branch of a fork."""
    several = [[branch.name for branch in item.branches] for item in slot.items if isinstance(item, ForkItem)]
    return [next(filter(None, names), "") for names in zip(*several, strict=True)]


def _args(slot: Slot, arguments: Arguments) -> dict[str, Any]:
    """The arguments of a step, each as the block says it."""
    there = [item for item in slot.items if isinstance(item, (Leaf, ForkItem))]
    names = dict.fromkeys(name for item in there for name in item.args)
    found = {}
    for name in names:
        values = [_value(item, name) for item in slot.items]
        if all(value is ANY for value in values):
            continue
        found[name] = arguments.express(name, values, slot.entries, optional=slot.optional)
    return {name: value for name, value in found.items() if not _is_default(there[0].operator, name, value)}


def _value(item: Item | None, name: str) -> Any:
    if not isinstance(item, (Leaf, ForkItem)):
        return ANY
    if name in item.args:
        return item.args[name]
    if name == "padding" and item.args.get("kernel_size") == 1:
        return ANY  # a padding of nothing: `same` as well as 0
    fields = ops.registered()[item.operator].model_fields if item.operator in ops.registered() else {}
    return fields[name].default if name in fields else ANY


def _is_default(operator: str, name: str, value: Any) -> bool:
    fields = ops.registered()[operator].model_fields if operator in ops.registered() else {}
    return name in fields and not fields[name].is_required() and fields[name].default == value


def _chosen(written: Numbered, active: list[int], arguments: Arguments) -> Iterator[Item]:
    """Steps that stand under the same condition together, and what stands where they do not as its other side."""
    for slot, item, inner in written:
        if isinstance(item, ForkItem):
            forked = [number for number, each in enumerate(slot.items) if isinstance(each, ForkItem)]
            for branch, steps in zip(item.branches, inner, strict=True):
                branch.items = list(_chosen(steps, forked, arguments))
    stands = [[slot.present[number] for number in active] for slot, *_ in written]
    number = 0
    while number < len(written):
        slot, item, _ = written[number]
        there = stands[number]
        if all(there):
            yield item
            number += 1
            continue
        then, number = _run(written, stands, number, there)
        other, number = _run(written, stands, number, [not each for each in there])
        said = None if other else widening(item, slot, there, active, arguments)
        said = said or condition(slot, there, active, arguments, _passes(other))
        yield ConditionItem(said, then, other, item.entry, item.exit)


def _passes(items: Items) -> bool:
    """Whether steps do nothing: a shortcut."""
    return any(isinstance(item, Leaf) and item.operator == "identity" for item in items)


def _run(written: Numbered, stands: list[list[bool]], number: int, there: list[bool]) -> tuple[Items, int]:
    """The steps from a number on that stand in the same bodies, and the number behind them."""
    end = number
    while end < len(written) and stands[end] == there:
        end += 1
    return [item for _, item, _ in written[number:end]], end
