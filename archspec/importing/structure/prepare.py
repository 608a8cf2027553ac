"""Bodies made ready to be compared: what only holds others is dissolved, a convolution and what follows it are one."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace

from archspec.importing.items import (
    USE,
    Back,
    ForkItem,
    Item,
    Items,
    Leaf,
    ModuleItem,
    Repeated,
    bodies,
    change_bodies,
    everything,
    scopes,
    targets,
)
from archspec.ops import operator
from archspec.ops.activation import activates

HOLDERS = frozenset({"", "Sequential", "ModuleList", "ModuleDict", "Branch", "Group", "Repeat"})
"""Classes of modules that hold others in a row, and say nothing of what these are together."""

DENSE = frozenset({"conv2d", "conv_transpose2d"})


def prepared(several: Sequence[Items]) -> list[Items]:
    """Bodies whose scopes are what a person would give a name, and whose convolutions stand with what follows them.

    Args:
        several: The body of a model, or those of several instances of it: what one has twice, is a name in all.
    """
    kept = _sometimes_bare(several) if len(several) > 1 else frozenset[str]()
    ready = [_ready(items, kept) for items in several]
    _share_activations(ready)
    seen: Counter[str] = Counter()
    for items in ready:
        seen |= Counter(scope.kind for scope in scopes(items))
    alone = {kind for kind, often in seen.items() if often == 1 and not kind.startswith("conv")}
    return [_each(items, lambda body: _without(body, lambda scope: scope.kind in alone)) for items in ready]


def _ready(items: Items, kept: AbstractSet[str]) -> Items:
    items = _simplified(items, kept)
    _mark_same(items)
    held = targets(items)
    return _each(items, lambda body: _fused(body, held))


def _sometimes_bare(several: Sequence[Items]) -> frozenset[str]:
    """The kinds of scopes that hold one thing here and more there: a unit that has a shortcut in some instances."""
    found: dict[str, set[bool]] = {}
    for items in several:
        for scope in scopes(items):
            found.setdefault(scope.kind, set()).add(_is_bare(scope))
    return frozenset(kind for kind, bare in found.items() if len(bare) > 1)


def _is_bare(scope: ModuleItem) -> bool:
    """Whether a scope holds one call, one other scope, or a convolution with what follows it."""
    inside = list(_inside(scope.items))
    return _is_one(inside) or _is_convolution(inside)


def _inside(items: Items) -> Iterator[Item]:
    for item in items:
        if isinstance(item, ModuleItem) and (item.kind in HOLDERS or _is_bare(item)):
            yield from _inside(item.items)
        else:
            yield item


def _each(items: Items, change: Callable[[Items], Items]) -> Items:
    """A body and all inside it changed, the inner ones first."""
    for item in items:
        change_bodies(item, lambda body: _each(body, change))
    return change(items)


def _simplified(items: Items, kept: AbstractSet[str]) -> Items:
    """Holders dissolved, branches called after the holder that was all they had.

    Args:
        items: A body.
        kept: The kinds of scopes that stay, though they hold one thing.
    """
    for item in items:
        if isinstance(item, ForkItem):
            for branch in item.branches:
                only = branch.items[0] if len(branch.items) == 1 else None
                if isinstance(only, ModuleItem) and only.kind in HOLDERS:
                    for inner in only.items if len(only.items) == 1 else []:
                        _inherit(inner, only)
                    branch.name, branch.items = only.name, only.items
                branch.items = _simplified(branch.items, kept)
                if not branch.items:
                    branch.items = [Leaf("identity", {}, "", item.entry, item.entry, [])]
        elif isinstance(item, ModuleItem):
            item.items = _simplified(item.items, kept)
    return _without(
        items,
        lambda scope: (
            scope.kind in HOLDERS or (scope.kind not in kept and (_is_one(scope.items) or _is_convolution(scope.items)))
        ),
    )


def _is_one(items: Items) -> bool:
    """Whether there is one call, or one other scope."""
    return len(items) == 1 and isinstance(items[0], (Leaf, ModuleItem))


def _is_convolution(items: Items) -> bool:
    names = [item.operator if isinstance(item, Leaf) else "" for item in items]
    return names[0] in DENSE and all(name == "batch_norm" or _activates(name) for name in names[1:])


def _activates(name: str) -> bool:
    return bool(name) and "." not in name and activates(operator(name))


def _without(items: Items, goes: Callable[[ModuleItem], bool]) -> Items:
    """A body in which some scopes' members stand in their place; Python's own numbers are no names."""
    found: Items = []
    for item in items:
        if isinstance(item, ModuleItem) and goes(item):
            before = found[-1] if found else None
            _turn_back(item.items, before.to if isinstance(before, Back) else before)
            for inner in item.items:
                _inherit(inner, item)
            found += item.items
            last = item.items[-1]
            item.moved = last.to if isinstance(last, Back) else last
        else:
            found.append(item)
    return found


def _turn_back(items: Items, to: Item | None) -> None:
    """Ways back to the beginning of a scope lead to what stood before it."""
    for item in items:
        if isinstance(item, Back) and item.to is None:
            item.to = to  # type: ignore[assignment]  # a Back is followed
        for body in bodies(item) if not isinstance(item, ModuleItem) else []:
            _turn_back(body, to)


def _inherit(inner: Item, holder: ModuleItem) -> None:
    """A member of a dissolved scope: what has only a number is called after the scope."""
    if not isinstance(inner, (Leaf, ForkItem, ModuleItem, Repeated)):
        return
    first = inner is holder.items[0]
    alone = len(holder.items) == 1 or (first and _is_convolution(holder.items))
    if alone or not inner.name:
        inner.name = holder.name if alone else ""
    else:
        inner.name = _of(holder, inner.name)
    if isinstance(inner, (Leaf, ModuleItem)):
        own = inner.stage if inner.stage == holder.stage else _of(holder, inner.stage)  # a call has its scope's
        inner.stage = own or ("" if alone else holder.name) or holder.stage


def _of(holder: ModuleItem, name: str) -> str:
    """A name; one that is only a number behind its holder's."""
    return f"{holder.name}_{name}" if name and holder.name and not name[:1].isalpha() else name


def _mark_same(items: Items) -> None:
    """Paddings that keep the size are called so: ⌈h/s⌉ whatever h is."""
    for item in everything(items):
        if isinstance(item, Leaf) and item.operator == "conv2d":
            keeping = _keeping(item.args)
            if keeping and item.args.get("padding", 0) == keeping:
                item.args["padding"] = "same"


def _keeping(args: dict[str, object]) -> object:
    """The padding d(k − 1)/2 of odd kernels, if it is the same on all sides."""
    kernel, dilation = args["kernel_size"], args.get("dilation", 1)
    kernels = kernel if isinstance(kernel, tuple) else (kernel, kernel)
    dilations = dilation if isinstance(dilation, tuple) else (dilation, dilation)
    if any(k % 2 == 0 for k in kernels):
        return None
    height, width = (d * (k - 1) // 2 for k, d in zip(kernels, dilations, strict=True))
    return height if height == width else (height, width)


def _fused(items: Items, kept: set[int]) -> Items:
    """Convolutions with the normalisation and the activation behind them, each as a scope called after its parts.

    Args:
        items: A body.
        kept: What ways back lead to: nothing follows it in such a scope.
    """
    found: Items = []
    last: Item | None = None
    for item in items:
        before = found[-1] if found else None
        held = id(last) in kept
        last = item
        if isinstance(item, Leaf) and isinstance(before, ModuleItem) and not held and _follows(before, item):
            before.items.append(replace(item, name=""))
            item.moved = before
            before.exit, before.kind = item.exit, f"{before.kind}_{short(item.operator)}"
        elif isinstance(item, Leaf) and item.operator in DENSE:
            scope = ModuleItem(
                item.name, short(item.operator), [replace(item, name="")], item.entry, item.exit, item.stage
            )
            item.moved = scope
            found.append(scope)
        else:
            found.append(item)
    alone = {short(name) for name in DENSE}
    return [_alone(item) if isinstance(item, ModuleItem) and item.kind in alone else item for item in found]


def _share_activations(bodies_of: Sequence[Items]) -> None:
    """Convolutions with normalisation whose activations differ in one model are one block, which is told which."""
    several = [scope for items in bodies_of for scope in scopes(items) if _activated(scope)]
    if len({scope.kind for scope in several}) > 1:
        for scope in several:
            last = scope.items[-1]
            if isinstance(last, Leaf):
                last.args, last.operator, scope.kind = {"act": last.operator}, USE, "conv_bn_act"


def _activated(scope: ModuleItem) -> bool:
    match scope.items:
        case [Leaf("conv2d"), Leaf("batch_norm"), Leaf(name, args)]:
            return _activates(name) and not args
    return False


def _alone(scope: ModuleItem) -> Item:
    """A convolution behind which nothing follows."""
    (leaf,) = scope.items
    if isinstance(leaf, Leaf):
        leaf.name = scope.name
    scope.moved = leaf
    return leaf


def _follows(scope: ModuleItem, leaf: Leaf) -> bool:
    """Whether what stands behind a convolution belongs to it: once a normalisation, then once an activation."""
    kinds = [item.operator for item in scope.items if isinstance(item, Leaf)]
    if not scope.kind.startswith("conv") or scope.label or any(map(_activates, kinds)) or kinds[0] not in DENSE:
        return False
    return (leaf.operator == "batch_norm" and len(kinds) == 1) or _activates(leaf.operator)


def short(operator_name: str) -> str:
    """What an operator is called in the name of a block.

    >>> short("conv2d"), short("batch_norm"), short("hard_swish")
    ('conv', 'bn', 'hard_swish')
    """
    return {"conv2d": "conv", "conv_transpose2d": "conv_transpose", "batch_norm": "bn"}.get(
        operator_name, operator_name
    )


def dissolved(items: Items, kind: str) -> Items:
    """A body in which the scopes of a kind, at any depth, are dissolved."""
    return _each(items, lambda body: _without(body, lambda scope: scope.kind in {kind, ""}))
