"""From items to the steps of the language, under names that are free in their body."""

import re
from collections import Counter
from collections.abc import Callable, Container, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import count
from typing import Any, TypeAlias

from archspec import ops
from archspec.importing.items import (
    USE,
    Back,
    Branch,
    ConditionItem,
    ForkItem,
    Item,
    Items,
    Leaf,
    ModuleItem,
    Repeated,
    Row,
    TableItem,
    everything,
    is_expression,
    settled,
)
from archspec.importing.varied import Varied
from archspec.language.document import (
    Body,
    Call,
    From,
    Group,
    Join,
    Repeat,
    TableColumn,
    TableRows,
    TableStep,
    Use,
    When,
)
from archspec.language.steps import STEP_KEYS, AnyStep

RESERVED = frozenset({"input", *STEP_KEYS})
"""What no step may be called."""


Defaults: TypeAlias = Mapping[str, Mapping[str, Any]]
"""What blocks take for arguments that are left out, by the block's name."""


Text: TypeAlias = Callable[[Varied], Any]
"""What stands for a number that differs between instances of a model."""


def steps(items: Items, defaults: Defaults, text: Text = int) -> Body:
    """The steps of a body."""
    _label(items)
    return _Writer(defaults, text).body(items)


def written(args: Mapping[str, Any], text: Text) -> dict[str, Any]:
    """Arguments with numbers that differ between instances as expressions."""
    return {name: _written(value, text) for name, value in args.items()}


def _written(value: Any, text: Text) -> Any:
    if isinstance(value, tuple):
        return tuple(_written(part, text) for part in value)
    return text(value) if isinstance(value, Varied) else value


def cleaned(name: str) -> str:
    """What a source calls something as a name of the language: letters, digits and _, a letter first.

    >>> cleaned("layer1"), cleaned("0"), cleaned("my-conv.2"), cleaned("_x@1")
    ('layer1', '', 'my_conv_2', 'x_1')
    """
    found = re.sub(r"[^A-Za-z0-9_]+", "_", name).strip("_")[:60]
    return found if found[:1].isalpha() and found.isascii() and found not in RESERVED else ""


def free_name(name: str, taken: Container[str]) -> str:
    """A name that nothing has: the second of a name has a number.

    >>> free_name("unit", {"conv"}), free_name("unit", {"unit", "unit_2"})
    ('unit', 'unit_3')
    """
    further = (f"{name}_{number}" for number in count(2))
    return name if name not in taken else next(each for each in further if each not in taken)


def _label(items: Items) -> None:
    """Give what is gone back to a label of its own, in the whole body."""
    within = list(everything(items))
    wanted: list[Any] = [to for item in within if isinstance(item, Back) and (to := settled(item.to)) is not None]
    names = Counter(cleaned(getattr(item, "name", "")) for item in within)
    callees = {getattr(item, "operator", "") for item in within} | _branch_names(within)
    taken = set[str]()
    for item in dict.fromkeys(wanted):
        base = unlike_given(cleaned(item.name) or getattr(item, "operator", "part"), callees)
        free = base not in taken and names[base] <= 1
        further = (f"{base}{'x' if base[-1].isdigit() else ''}{number}" for number in range(1, 10**6))
        item.label = base if free else next(name for name in further if name not in taken and not names[name])
        taken.add(item.label)


def unlike_given(name: str, callees: AbstractSet[str]) -> str:
    """A name that is none of those which steps and branches without a name get: relu, relu_2, branch1."""
    stem = re.sub(r"_\d+\Z", "", name)
    given = stem in callees or stem in ops.registered() or re.fullmatch(r"branch\d+", name)
    return f"{name}_out" if given else name


def _branch_names(items: Items) -> set[str]:
    """What branches are called, which take names of the body that they are in, conv, conv_2, …"""
    return {cleaned(branch.name) for item in items if isinstance(item, ForkItem) for branch in item.branches} - {""}


class _Writer:
    """The walk over a body, which knows the names that are taken."""

    def __init__(self, defaults: Defaults, text: Text) -> None:
        self.defaults, self.text = defaults, text
        self.taken: set[str] = set()
        self.given = set(defaults)
        self.names: dict[int, str] = {}

    def body(self, items: Items) -> Body:
        """The steps of items in one body."""
        for item in everything(items):
            if getattr(item, "label", None):
                self.taken.add(str(item.label))  # type: ignore[union-attr]
        self.given |= _branch_names(items)
        self._tell_apart([item for item in items if isinstance(item, (Leaf, Repeated))])
        return tuple(self._step(item) for item in items)

    def _tell_apart(self, items: list[Leaf | Repeated]) -> None:
        """What has a name that others have, too, is called after the part of the source that it is in as well."""
        names = Counter(item.name for item in items)
        for item in items:
            if isinstance(item, Leaf) and item.stage and names[item.name] > 1:
                self.names[id(item)] = item.name_in_stage

    def _step(self, item: Item) -> AnyStep:
        match item:
            case Back():
                return From(**{"from": getattr(settled(item.to), "label", None) or "input"})
            case Leaf():
                return self._call(item)
            case ModuleItem():
                return Group(body=self._inner(item.items), **self._as(item, cleaned(item.name)))
            case Repeated():
                times, body = _written(item.times, self.text), self._inner(item.items)
                return Repeat(repeat=times, body=body, **self._as(item, cleaned(item.name)))
            case ConditionItem():
                other = {"else": self.body(item.other)} if item.other else {}
                return When(when=item.condition, then=self.body(item.then), **other)
        return self._table(item) if isinstance(item, TableItem) else self._join(item)

    def _call(self, leaf: Leaf) -> Call | Use:
        """A call; of an operator that is an argument by its name."""
        if leaf.operator == USE and leaf.args["act"] not in ops.registered():
            return Use(use=leaf.args["act"])
        if leaf.operator == USE:
            return Call(name=leaf.args["act"])
        return Call(name=leaf.operator, args=self._given(leaf), **self._as(leaf, self._told(leaf)))

    def _table(self, table: TableItem) -> TableStep:
        """A table with the columns in which its rows differ from the block's defaults."""
        known = table.defaults
        used = [name for name in known if any(row.args.get(name, known[name]) != known[name] for row in table.rows)]
        used += [name for name in table.after_first if name not in used]
        names = [self._as_free(cleaned(row.name) or f"{table.block}{n}") for n, row in enumerate(table.rows, 1)]
        columns: list[list[Any]] = [[_cell(row, each, table) for row in table.rows] for each in used]
        after = written(table.after_first, self.text)
        filled = [self._column(name, cells, name in after) for name, cells in zip(used, columns, strict=True)]
        header = [TableColumn(name="as"), *(column for column, _ in filled)]
        rows = [names, *(cells for _, cells in filled)]
        repeat: dict[str, Any] = {}
        if any(row.times != 1 for row in table.rows):
            column, cells = self._column("n", [row.times for row in table.rows], again=False)
            header.append(column)
            rows.append(cells)
            repeat = {"repeat": "n", "after_first": after}
        by_row = tuple(zip(*rows, strict=True))
        return TableStep(table=TableRows(columns=tuple(header), block=table.block, rows=by_row, **repeat))

    def _column(self, name: str, cells: list[Any], again: bool) -> tuple[TableColumn, list[Any]]:
        """A column; where each of its numbers is made by one function, the header says by which."""
        texts = [_written(cell, self.text) for cell in cells]
        numbers = [int(cell) for cell in cells if isinstance(cell, Varied)]
        told = [str(text) for text in texts if text is not None]
        symbol = told[0].rpartition(" * ")[2] if told else ""
        function = told[0].partition("(")[0] if told else ""
        built = None
        if symbol.isidentifier() and told == [f"{number} * {symbol}" if number > 1 else symbol for number in numbers]:
            built = f"{symbol} * {name}"
        elif told and not again and told == [f"{function}({number})" for number in numbers]:
            built = f"{function}({name})"
        if built is None:
            return TableColumn(name=name), texts
        return TableColumn(name=name, built=built), [None if cell is None else int(cell) for cell in cells]

    def _join(self, fork: ForkItem) -> Join:
        branches = {
            name: self._inner(branch.items) if branch.items else (Call(name="identity"),)
            for name, branch in zip(_names_of(fork.branches), fork.branches, strict=True)
        }
        name = fork.node.function if fork.node is not None else fork.function
        return Join(
            operator=fork.operator, branches=branches, args=written(fork.args, self.text), **self._as(fork, name)
        )

    def _told(self, leaf: Leaf) -> str:
        """The name of a call, where it says something: of what has weights, or is a block."""
        if leaf.operator == "opaque":
            return cleaned(leaf.nodes[0].function)
        name = cleaned(self.names.get(id(leaf), leaf.name))
        if leaf.operator in {USE, name} or not (
            leaf.operator not in ops.registered() or any(node.arrays for node in leaf.nodes)
        ):
            return ""
        return "" if re.fullmatch(r"branch\d+", name) else name

    def _as(self, item: Leaf | ForkItem | ModuleItem | Repeated, name: str) -> dict[str, Any]:
        if item.label:
            return {"as": item.label}
        if not name:
            return {}
        return {"as": self._as_free(name)}

    def _as_free(self, name: str) -> str:
        free = free_name(unlike_given(name, self.given), self.taken)
        self.taken.add(free)
        return free

    def _inner(self, items: Items) -> Body:
        return _Writer(self.defaults, self.text).body(items)

    def _given(self, leaf: Leaf) -> dict[str, Any]:
        known = self.defaults.get(leaf.operator, {})
        args = {name: value for name, value in leaf.args.items() if name not in known or known[name] != value}
        return written(args, self.text)


def _cell(row: Row, column: str, table: TableItem) -> Any:
    """A row's argument; nothing, if it does not matter, or is the block's default and follows what flows in."""
    value = row.args.get(column)
    return None if value == table.defaults[column] and is_expression(value) else value


def _names_of(branches: Sequence[Branch]) -> list[str]:
    """What branches are called, each by a name of its own; the second of a name has a number."""
    named, found = any(branch.name for branch in branches), list[str]()
    for number, branch in enumerate(branches, 1):
        found.append(free_name(cleaned(branch.name) or _called(branch.items, number, named), found))
    return found


def _called(items: Items, number: int, named: bool) -> str:
    """What a branch without a name is called: beside ones that have names, the one that passes on is the shortcut."""
    only = items[0] if len(items) == 1 else None
    only = only.then[0] if isinstance(only, ConditionItem) else only
    passes = isinstance(only, Leaf) and only.operator == "identity"
    return "shortcut" if named and passes else f"branch{number}"
