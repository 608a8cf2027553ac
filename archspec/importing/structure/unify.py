"""Bodies that are alike as one: which steps stand in all, which in some, and where their numbers differ."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from archspec.importing.flat import FlatNode
from archspec.importing.items import Branch, ForkItem, Item, Items, Leaf, Shape

MOST_OPTIONAL = 4
"""Bodies that differ in more steps than these are not one block."""


@dataclass(eq=False, slots=True)
class Slot:
    """A step of several bodies.

    Attributes:
        items: The step in each body; None where it has none.
        entries: The sizes of what flows there, in each body, also where it has no such step.
        branches: Of a fork, the slots of each branch.
        key: What a step must be to stand here.
    """

    items: list[Item | None]
    entries: list[Shape]
    branches: "list[Slots]" = field(default_factory=list)
    key: str | None = None

    @property
    def sample(self) -> Item:
        """The step, in the first body that has it."""
        return next(item for item in self.items if item is not None)

    @property
    def name(self) -> str:
        """What at least half of the bodies that have it call it."""
        names = [item.name for item in self.items if isinstance(item, (Leaf, ForkItem))]
        name, often = Counter(names).most_common(1)[0]
        return name if 2 * often >= len(names) else ""

    @property
    def present(self) -> tuple[bool, ...]:
        """Which bodies have it."""
        return tuple(item is not None for item in self.items)

    @property
    def optional(self) -> bool:
        """Whether some body has not."""
        return None in self.items


Slots: TypeAlias = list[Slot]


def unified(several: Sequence[Items], entries: Sequence[Shape]) -> Slots | None:
    """The steps of several bodies side by side; None where these are too different to be one block.

    Args:
        several: The bodies.
        entries: The sizes of what flows into each.
    """
    several = _with_forks(several)
    slots = _aligned(several)
    if slots is None or sum(1 for _ in _optional(slots)) > MOST_OPTIONAL:
        return None
    _note_entries(slots, list(entries))
    return slots


def _keys(several: Sequence[Items]) -> list[list[str | None]]:
    """What each step must be to stand for another; None for what cannot.

    Where a body has several convolutions, the depthwise ones stand for one another alone.
    """
    counts: Counter[str] = Counter()
    for items in several:
        counts |= Counter(item.operator for item in items if isinstance(item, Leaf))
    return [[_key(item, counts) for item in items] for items in several]


def _key(item: Item, counts: Counter[str]) -> str | None:
    match item:
        case Leaf(nodes=[FlatNode(function=function), *_]) if function:
            return f"opaque {function}"
        case Leaf(operator):
            return f"{operator} depthwise" if counts[operator] > 1 and _is_depthwise(item) else operator
        case ForkItem(operator):
            return f"fork {operator} {len(item.branches)} {item.node.function if item.node else ''}"
    return None


def _is_depthwise(leaf: Leaf) -> bool:
    groups = leaf.args.get("groups", leaf.args.get("g", 1))
    return groups != 1 and len(leaf.entry) > 1 and groups == leaf.entry[1]


def _aligned(several: Sequence[Items]) -> Slots | None:
    keys = _keys(several)
    if any(each is None for body in keys for each in body):
        return None
    slots: Slots = []
    for number, items in enumerate(several):
        slots = _merged(slots, items, keys[number], number, len(several))
    for slot in slots:
        forks = [item for item in slot.items if isinstance(item, ForkItem)]
        for position in range(len(forks[0].branches) if forks else 0):
            bodies = [item.branches[position].items if isinstance(item, ForkItem) else [] for item in slot.items]
            inner = _aligned(bodies)
            if inner is None:
                return None
            slot.branches.append(inner)
    return slots


def _merged(slots: Slots, items: Items, right: list[str | None], number: int, total: int) -> Slots:
    """The slots with one more body: the longest common subsequence of both stays together."""
    left = [slot.key for slot in slots]
    lengths = [[0] * (len(right) + 1) for _ in range(len(left) + 1)]
    for i in range(len(left) - 1, -1, -1):
        for j in range(len(right) - 1, -1, -1):
            same = lengths[i + 1][j + 1] + 1 if left[i] == right[j] else 0
            lengths[i][j] = max(same, lengths[i + 1][j], lengths[i][j + 1])
    found: Slots = []
    i = j = 0
    while i < len(left) or j < len(right):
        if i < len(left) and j < len(right) and left[i] == right[j] and lengths[i][j] == lengths[i + 1][j + 1] + 1:
            slots[i].items[number] = items[j]
            found.append(slots[i])
            i, j = i + 1, j + 1
        elif j == len(right) or (i < len(left) and lengths[i + 1][j] >= lengths[i][j + 1]):
            found.append(slots[i])
            i += 1
        else:
            whole: list[Item | None] = [None] * total
            whole[number] = items[j]
            found.append(Slot(whole, [], key=right[j]))
            j += 1
    return found


def _optional(slots: Slots) -> Iterator[Slot]:
    for slot in slots:
        if slot.optional:
            yield slot
        else:
            for branch in slot.branches:
                yield from _optional(branch)


def _note_entries(slots: Slots, flowing: list[Shape]) -> None:
    for slot in slots:
        slot.entries = list(flowing)
        for branch in slot.branches:
            _note_entries(branch, list(flowing))
        for number, item in enumerate(slot.items):
            if item is not None:
                flowing[number] = item.exit


def _with_forks(several: Sequence[Items]) -> Sequence[Items]:
    """Where one body adds to what comes out of another, that is a sum with a branch that does nothing."""
    model = next((items for items in several if _sums(items)), None)
    if model is None or all(map(_sums, several)):
        return several
    at, fork = next((n, item) for n, item in enumerate(model) if isinstance(item, ForkItem) and item.operator == "add")
    behind = len(model) - at - 1
    longest = max(range(len(fork.branches)), key=lambda number: sum(map(_computes, fork.branches[number].items)))
    return [items if _sums(items) else _forked(items, fork, at, behind, longest) for items in several]


def _computes(item: Item) -> bool:
    return not (isinstance(item, Leaf) and item.operator == "identity")


def _sums(items: Items) -> bool:
    return any(isinstance(item, ForkItem) and item.operator == "add" for item in items)


def _forked(items: Items, model: ForkItem, at: int, behind: int, longest: int) -> Items:
    inner = items[at : len(items) - behind]
    if not inner or at > len(items) - behind:
        return items
    branches = [Branch(inner if n == longest else [], branch.name) for n, branch in enumerate(model.branches)]
    lone = ForkItem(model.operator, {}, model.name, inner[0].entry, inner[-1].exit, branches, None)
    return [*items[:at], lone, *items[len(items) - behind :]]
