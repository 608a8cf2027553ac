"""Modules of one kind become one block with arguments, and each of them a call of it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from archspec import ops
from archspec.importing.items import Branch, Choice, Fork, Item, Items, Leaf, Scope, bodies, flattened, scopes
from archspec.importing.structure.arguments import ANY, Arguments
from archspec.importing.structure.conditions import condition
from archspec.importing.structure.prepare import dissolved, prepared
from archspec.importing.structure.rows import rows
from archspec.importing.structure.unify import Slot, Slots, unified
from archspec.language.expression import BUILTINS, CONSTANTS
from archspec.language.rules import FLOWING


@dataclass(slots=True)
class FoundBlock:
    """A block that was found: its arguments with their defaults, and its body."""

    args: dict[str, Any]
    items: Items


@dataclass(slots=True)
class Recovered:
    """A body, and the blocks that it calls."""

    items: Items
    blocks: dict[str, FoundBlock] = field(default_factory=dict)


def recovered(items: Items) -> Recovered:
    """The structure of a body whose scopes are its source's modules."""
    found = Recovered(prepared(items))
    for kind in _inner_first(found.items):
        _replace(found, kind)
    found.items = rows(found.items, found.blocks)
    return found


def _inner_first(items: Items) -> list[str]:
    """The kinds of scopes, each behind those that it holds."""
    height: dict[str, int] = {}
    for scope in scopes(items):
        inside = [height[inner.kind] for inner in scopes(scope.items)]
        height[scope.kind] = max(height.get(scope.kind, 0), 1 + max(inside, default=0))
    return sorted(height, key=lambda kind: height[kind])


def _replace(found: Recovered, kind: str) -> None:
    """Scopes of a kind as calls of a block; what is alone, or unlike all others, is dissolved."""
    members = [scope for scope in scopes(found.items) if scope.kind == kind]
    while len(members) > 1:
        alike = _alike(members)
        if len(alike) > 1:
            _block(found, kind, alike)
        else:
            members[0].kind = ""
        members = [scope for scope in members if scope not in alike and scope.kind == kind]
    found.items = dissolved(found.items, kind)


def _alike(members: list[Scope]) -> list[Scope]:
    """The members that make one block with the first: all, else those of the same steps."""
    if unified([scope.items for scope in members], [scope.entry for scope in members]) is not None:
        return members
    skeleton = _skeleton(members[0].items)
    same = [scope for scope in members if _skeleton(scope.items) == skeleton]
    return same if unified([scope.items for scope in same], [scope.entry for scope in same]) is not None else members[:1]


def _skeleton(items: Items) -> tuple[Any, ...]:
    return tuple(
        (getattr(item, "operator", type(item).__name__), *(_skeleton(body) for body in bodies(item))) for item in items
    )


def _block(found: Recovered, kind: str, members: list[Scope]) -> None:
    slots = unified([scope.items for scope in members], [scope.entry for scope in members])
    if slots is None:
        raise AssertionError("members are alike")
    arguments = Arguments(len(members))
    body = _body(slots, arguments)
    name = _free(kind, found.blocks)
    body = rows(body, found.blocks)
    found.blocks[name] = FoundBlock({arg: arguments.default(arg) for arg in arguments.columns}, body)
    for number, scope in enumerate(members):
        nodes = list(flattened(scope.items))
        call = Leaf(name, arguments.called(number), scope.name, scope.entry, scope.exit, nodes, scope.stage, scope.label)
        scope.items, scope.kind = [call], f"={kind}"
    found.items = dissolved(found.items, f"={kind}")


def _free(kind: str, taken: dict[str, FoundBlock]) -> str:
    """A name for a block: its class's in the language's spelling.

    >>> _free("InvertedResidual", {}), _free("SEBlock", {}), _free("Concat", {})
    ('inverted_residual', 'se_block', 'concat_block')
    """
    base = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", kind).lower()
    base = re.sub(r"[^a-z0-9_]+", "_", base).strip("_")[:40]
    if not base[:1].isalpha() or base in {*ops.names(), *ops.words(), *BUILTINS, *CONSTANTS, *FLOWING}:
        base = f"{base}_block" if base[:1].isalpha() else "block"
    name, number = base, 2
    while name in taken:
        name, number = f"{base}_{number}", number + 1
    return name


# ------------------------------------------------------------------ the body of a block


def _body(slots: Slots, arguments: Arguments) -> Items:
    """The steps of a block: first all numbers become arguments or expressions, then conditions are over these."""
    written = [(slot, _written(slot, arguments)) for slot in slots]
    return list(_chosen(written, arguments))


def _written(slot: Slot, arguments: Arguments) -> Item:
    sample = slot.sample
    args = _args(slot, arguments)
    if isinstance(sample, Fork):
        names = [branch.name for branch in sample.branches]
        branches = [Branch(_body(inner, arguments), name) for inner, name in zip(slot.branches, names, strict=True)]
        return Fork(sample.operator, args, sample.name, sample.entry, sample.exit, branches, None)
    if not isinstance(sample, Leaf):
        raise AssertionError("only leaves and forks are compared")
    some = next((item.nodes for item in slot.items if isinstance(item, Leaf)), [])
    return Leaf(sample.operator, args, slot.name, sample.entry, sample.exit, some)


def _args(slot: Slot, arguments: Arguments) -> dict[str, Any]:
    """The arguments of a step, each as the block says it."""
    there = [item for item in slot.items if isinstance(item, (Leaf, Fork))]
    names = dict.fromkeys(name for item in there for name in item.args)
    found = {}
    for name in names:
        values = [_value(item, name) for item in slot.items]
        if all(value is ANY for value in values):
            continue
        found[name] = arguments.express(name, values, slot.entries)
    return {name: value for name, value in found.items() if not _is_default(there[0].operator, name, value)}


def _value(item: Item | None, name: str) -> Any:
    if not isinstance(item, (Leaf, Fork)):
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


def _chosen(written: list[tuple[Slot, Item]], arguments: Arguments) -> Iterator[Item]:
    """Steps that stand under the same condition together, and what stands where they do not as its other side."""
    number = 0
    while number < len(written):
        slot, item = written[number]
        if not slot.optional:
            yield item
            number += 1
            continue
        there = slot.present
        then = [item]
        number += 1
        while number < len(written) and written[number][0].present == there:
            then.append(written[number][1])
            number += 1
        other: Items = []
        while number < len(written) and written[number][0].present == tuple(not each for each in there):
            other.append(written[number][1])
            number += 1
        yield Choice(condition(slot, arguments), then, other, item.entry, item.exit)


def defaults(found: Recovered) -> dict[str, dict[str, Any]]:
    """The defaults of the arguments of each block."""
    return {name: block.args for name, block in found.blocks.items()}
