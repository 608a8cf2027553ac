"""What a body is made of while it is being recovered: leaves, forks of branches, scopes under a name, ways back.

Items are mutable: structure is found by replacing several of them by one. One that was replaced has `moved` say by
which, so that ways back still lead to it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from archspec import ops
from archspec.importing.flat import FlatNode

Shape: TypeAlias = tuple[Any, ...]

USE = "use"
"""What a leaf calls whose operator is its argument `act`."""


@dataclass(eq=False, slots=True, kw_only=True)
class Placed:
    """What ways back can lead to.

    Attributes:
        label: What `from` calls it, once that was decided.
        moved: What it was replaced by.
    """

    label: str | None = None
    moved: "Item | None" = None


@dataclass(eq=False, slots=True)
class Leaf(Placed):
    """A call of an operator, or of a block that was found.

    Attributes:
        operator: What is called.
        args: Its arguments.
        name: What the source calls it; a name that was made up is empty.
        entry: The sizes of what flows in.
        exit: The sizes of what flows out.
        nodes: The flat nodes that it stands for, in the order in which they are expanded.
        stage: What the source calls the part that it is a member of.
    """

    operator: str
    args: dict[str, Any]
    name: str
    entry: Shape
    exit: Shape
    nodes: list[FlatNode]
    stage: str = ""

    @property
    def name_in_stage(self) -> str:
        """Its name behind that of its stage, unless it begins with it."""
        known = not self.stage or self.name.startswith(f"{self.stage}_")
        return self.name if known else f"{self.stage}_{self.name}"


@dataclass(eq=False, slots=True)
class ForkItem(Placed):
    """Branches from one value and the operator that joins them; an empty branch passes the value on."""

    operator: str
    args: dict[str, Any]
    name: str
    entry: Shape
    exit: Shape
    branches: "list[Branch]"
    node: FlatNode | None
    function: str = ""


@dataclass(eq=False, slots=True)
class Branch:
    """One branch of a fork; without a name it is branch1, branch2, …"""

    items: "Items"
    name: str = ""


@dataclass(eq=False, slots=True)
class ModuleItem(Placed):
    """Items that a module of the source holds: a single value flows in, a single one out."""

    name: str
    kind: str
    items: "Items"
    entry: Shape
    exit: Shape
    stage: str = ""


@dataclass(eq=False, slots=True)
class Back:
    """Going on from an earlier item's result; from the body's input, if that is None."""

    to: "Leaf | ForkItem | ModuleItem | Repeated | None"
    entry: Shape
    exit: Shape


@dataclass(eq=False, slots=True)
class Repeated(Placed):
    """A body several times over.

    Attributes:
        times: How often.
        items: What a repetition is made of.
        nodes: The flat nodes of all repetitions.
    """

    times: int
    items: "Items"
    name: str
    entry: Shape
    exit: Shape
    nodes: list[FlatNode] = field(default_factory=list)


@dataclass(eq=False, slots=True)
class ConditionItem:
    """Items on a condition, and those that stand where it does not hold."""

    condition: str
    then: "Items"
    other: "Items"
    entry: Shape
    exit: Shape


@dataclass(eq=False, slots=True)
class Row:
    """A row of a table: what its calls are given, and how many there are."""

    name: str
    args: dict[str, Any]
    times: int
    calls: list[Leaf]


@dataclass(eq=False, slots=True)
class TableItem:
    """Calls of one block as rows.

    Attributes:
        block: What is called.
        defaults: What the block takes for arguments that are left out.
        rows: The rows.
        after_first: What the second and later calls of a row are given instead.
    """

    block: str
    defaults: dict[str, Any]
    rows: list[Row]
    after_first: dict[str, Any]
    entry: Shape
    exit: Shape


Item: TypeAlias = Leaf | ForkItem | ModuleItem | Back | Repeated | ConditionItem | TableItem
Items: TypeAlias = list[Item]


def flattened(items: Items) -> Iterator[FlatNode]:
    """The flat nodes in the order in which the body's expansion makes them; branches come before their join."""
    for item in items:
        match item:
            case Leaf() | Repeated():
                yield from item.nodes
            case TableItem():
                yield from (node for row in item.rows for leaf in row.calls for node in leaf.nodes)
            case ForkItem(node=join):
                yield from (node for branch in item.branches for node in flattened(branch.items))
                yield from [join] if join is not None else []
            case ModuleItem():
                yield from flattened(item.items)


def is_expression(value: Any) -> bool:
    """Whether an argument is said by others or by what flows in, which means something else in another row.

    >>> is_expression("in_channels // 4"), is_expression("relu"), is_expression("same"), is_expression(3)
    (True, False, False, False)
    """
    return isinstance(value, str) and value not in {"same", *ops.registered()}


def settled(item: Item | None) -> Item | None:
    """What stands now for an item that a way back leads to."""
    while isinstance(item, Placed) and item.moved is not None:
        item = item.moved
    return item


def targets(items: Items) -> set[int]:
    """The identities of what ways back lead to."""
    return {id(settled(item.to)) for item in everything(items) if isinstance(item, Back)}


def everything(items: Items) -> Iterator[Item]:
    """All items of a body and of those inside it, each before what it holds."""
    for item in items:
        yield item
        for body in bodies(item):
            yield from everything(body)


def scopes(items: Items) -> Iterator[ModuleItem]:
    """All scopes below, the inner ones before those that hold them."""
    for item in items:
        for inner in bodies(item):
            yield from scopes(inner)
        if isinstance(item, ModuleItem):
            yield item


def bodies(item: Item) -> list[Items]:
    """The bodies inside an item."""
    if isinstance(item, ForkItem):
        return [branch.items for branch in item.branches]
    if isinstance(item, ConditionItem):
        return [item.then, item.other]
    return [item.items] if isinstance(item, (ModuleItem, Repeated)) else []


def change_bodies(item: Item, change: Callable[[Items], Items]) -> None:
    """Put other bodies inside an item."""
    match item:
        case ForkItem():
            for branch in item.branches:
                branch.items = change(branch.items)
        case ConditionItem():
            item.then, item.other = change(item.then), change(item.other)
        case ModuleItem() | Repeated():
            item.items = change(item.items)
