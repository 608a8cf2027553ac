"""Counting a network: one row per node, totals that are sums of rows, and the same rows grouped."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any

from archspec.cost.conventions import Convention, Term
from archspec.cost.counting import USUAL, CountedNode, Counting, counted, requested
from archspec.cost.quantities import QUANTITIES, Quantity, quantity
from archspec.dims import Dim, remembered
from archspec.errors import UnknownNameError
from archspec.extras import data_frame
from archspec.graph import Network, Node
from archspec.ops import KINDS, Operations
from archspec.result import Reported, short

GROUPINGS = ("layer", "block", "operator", "stage", "total")
"""What rows can be grouped by, besides a depth in the tree of names."""

FIRST = ("params", "buffers", "flops", "activations", "weight_bytes")
"""What is counted at once, so that a rule that refuses a node does so when the network is counted."""


class Figures:
    """What has figures: a row, or a table for the row that is its total."""

    def figure(self, name: str) -> Any:
        """What it has of a quantity, by the quantity's name; None where that is undefined.

        Raises:
            UnknownNameError: There is no such quantity.
        """
        raise NotImplementedError

    @property
    def params(self) -> Dim:
        """Numbers that the convention calls parameters."""
        return self.figure("params")

    @property
    def buffers(self) -> Dim:
        """Statistics kept beside the parameters."""
        return self.figure("buffers")

    @property
    def macs(self) -> Dim:
        """Multiply-accumulates of convolutions, linear and recurrent layers, and products of matrices."""
        return self.figure("macs")

    @property
    def operations(self) -> Operations:
        """The arithmetic by kind."""
        return Operations(*map(self.figure, KINDS))

    @property
    def flops(self) -> Dim:
        """The operations, as the convention adds them up."""
        return self.figure("flops")

    @property
    def activations(self) -> Dim:
        """Elements of the results that are new tensors; a view (flatten, dropout, identity) adds none."""
        return self.figure("activations")

    @property
    def weight_bytes(self) -> Dim:
        """Bytes of all arrays, parameters and statistics."""
        return self.figure("weight_bytes")

    def _short_line(self, name: str) -> str:
        """A short line that tells it from others."""
        return short(self, name, f"params {self.params}", f"macs {self.macs}")


@dataclass(frozen=True, repr=False)
class CostRow(Figures):
    """What one node costs, or a group of them.

    Attributes:
        name: The node's path, or the group's.
        operator: The operator's name; of a group, the block's name in the specification.
        output: The shape of the result, batch first; of a group, that of its last node.
        table: The table that it is of.
        members: The places of its nodes in the network.
    """

    name: str
    operator: str
    output: tuple[Dim, ...]
    table: "CostTable"
    members: tuple[int, ...]
    _known: dict[str, Any] = field(default_factory=dict, init=False, compare=False)

    @property
    def nodes(self) -> int:
        """How many nodes it stands for."""
        return len(self.members)

    @cached_property
    def opaque(self) -> int:
        """How many of its nodes are opaque: their arithmetic is not in its figures."""
        works = self.table.works
        return sum(not works[place].operator.known for place in self.members)

    def figure(self, name: str) -> Any:
        """What it has of a quantity, by the quantity's name; None where that is undefined."""
        if name not in self._known:
            self._known[name] = quantity(name).of(self)
        return self._known[name]

    def each(self, of: Quantity) -> tuple[Dim, ...]:
        """What each of its nodes has of a quantity."""
        column = self.table.column(of)
        return tuple(column[place] for place in self.members)

    def figures(self) -> tuple[Any, ...]:
        """All that is counted, without the name: rows with the same figures are repeats."""
        return (self.operator, self.output, self.nodes, *map(self.figure, (*FIRST, *KINDS)))

    def __repr__(self) -> str:
        return self._short_line(self.name)


@dataclass(frozen=True, repr=False)
class CostTable(Figures, Reported):
    """What a network costs.

    Attributes:
        network: The network that was counted.
        counting: How it was counted.
        works: What each node does, in topological order.
    """

    network: Network
    counting: Counting
    works: tuple[CountedNode, ...] = field(compare=False)
    _columns: dict[str, tuple[Dim, ...]] = field(default_factory=dict, init=False, compare=False)

    @property
    def convention(self) -> Convention:
        """What counts as a parameter and as an operation."""
        return self.counting.convention

    @cached_property
    def rows(self) -> tuple[CostRow, ...]:
        """One row per node, in topological order."""
        return tuple(
            CostRow(node.name, node.operator.name, node.output.shape, self, (place,))
            for place, node in enumerate(self.network.nodes)
        )

    @cached_property
    def total(self) -> CostRow:
        """All rows as one."""
        return self.together(self.network.name, "total", range(len(self.works)))

    def figure(self, name: str) -> Any:
        """What the whole network has of a quantity, by the quantity's name.

        >>> import archspec
        >>> archspec.load("lenet_5").count().figure("comparisons")
        11540
        """
        return self.total.figure(name)

    def column(self, of: Quantity) -> tuple[Dim, ...]:
        """What each node has of a quantity."""
        if of.name not in self._columns:
            self._columns[of.name] = of.each(self)
        return self._columns[of.name]

    def together(self, name: str, operator: str, members: Iterable[int]) -> CostRow:
        """Some nodes as one row, by their places, with the result of the last."""
        members = tuple(members)
        return CostRow(name, operator, self.network.nodes[members[-1]].output.shape, self, members)

    def records(self, by: str | int = "layer") -> list[dict[str, Any]]:
        """One record per row: its name, its operator, its output, and every quantity of the register.

        >>> import archspec
        >>> archspec.load("lenet_5").count().records()[0]["params"]  # 5·5·1·20 + 20
        520
        """
        return [
            {"name": row.name, "operator": row.operator, "output": row.output, **{q: row.figure(q) for q in QUANTITIES}}
            for row in self.by(by)
        ]

    def to_pandas(self, by: str | int = "layer") -> Any:
        """The records as a data frame.

        Raises:
            MissingExtraError: pandas is not installed.
        """
        return data_frame(self.records(by))

    @cached_property
    def terms(self) -> tuple[Term, ...]:
        """The summands of `flops`: what does what how often, and what each of those is worth."""
        return _collected(
            replace(term, count=node.times * term.count)
            for node, work in zip(self.network.nodes, self.works, strict=True)
            for term in self.convention.terms(work)
        )

    @cached_property
    def param_terms(self) -> tuple[Term, ...]:
        """The summands of `params`: the elements of arrays of each role."""
        roles = self.convention.params
        return _collected(
            Term(weight.role, "elements", 1, node.times * weight.elements)
            for node, work in zip(self.network.nodes, self.works, strict=True)
            for weight in work.owned
            if weight.role in roles and not work.left_out
        )

    def by(self, grouping: str | int) -> tuple[CostRow, ...]:
        """The rows grouped: "layer", "block", "operator", "stage", "total", or a depth in the tree of names.

        Groups come in the order in which they begin, and their sum is the total.

        Raises:
            UnknownNameError: There is no such grouping.
        """
        if grouping == "layer":
            return self.rows
        if grouping == "total":
            return (self.total,)
        groups: dict[str, list[int]] = {}
        for index, name in enumerate(self.groups(grouping)):
            groups.setdefault(name, []).append(index)
        return tuple(self._group(name, members, grouping) for name, members in groups.items())

    def groups(self, grouping: str | int) -> tuple[str, ...]:
        """The name of the group that each row belongs to.

        Raises:
            UnknownNameError: There is no such grouping.
        """
        return tuple(map(_key(grouping), self.network.nodes))

    def _group(self, name: str, members: list[int], grouping: str | int) -> CostRow:
        nodes = self.network.nodes
        kinds = {nodes[index].kind for index in members}
        kind = kinds.pop() if len(kinds) == 1 else "…"
        if grouping == "operator":
            kind = name
        elif len(members) == 1 and nodes[members[0]].name == name:
            kind = nodes[members[0]].operator.name
        return self.together(name, kind, members)

    def __repr__(self) -> str:
        return self._short_line(self.network.name)


def _collected(terms: Iterable[Term]) -> tuple[Term, ...]:
    """Terms of the same kind as one, in the order in which the kinds appear."""
    counts: dict[tuple[str, str, int], Dim] = {}
    for term in terms:
        key = (term.of, term.what, term.factor)
        counts[key] = counts.get(key, 0) + term.count
    return tuple(Term(*key, count) for key, count in counts.items())


def _key(grouping: str | int) -> Callable[[Node], str]:
    if isinstance(grouping, int) and not isinstance(grouping, bool) and grouping > 0:
        return lambda node: "/".join(node.name.split("/")[:grouping])
    keys: Mapping[Any, Callable[[Node], str]] = {
        "layer": lambda node: node.name,
        "block": lambda node: node.block,
        "stage": lambda node: node.stage,
        "operator": lambda node: node.operator.name,
    }
    if grouping not in keys:
        raise UnknownNameError(f"cannot group by '{grouping}'; use {', '.join(GROUPINGS)} or a depth from 1")
    return keys[grouping]


def summed(name: str, operator: str, rows: Iterable[CostRow]) -> CostRow:
    """What rows of one table cost together, as one row with the result of the last."""
    rows = list(rows)
    return rows[0].table.together(name, operator, (member for row in rows for member in row.members))


def count(network: Network, counting: Counting | Convention | str = USUAL) -> CostTable:
    """Count a network.

    Args:
        network: Its sizes may be ints, int64 arrays or SymPy expressions; so are the figures.
        counting: How to count it; a convention, or its name, will do. The batch is the network's.

    >>> from archspec.graph import expand
    >>> from archspec.language import load
    >>> count(expand(load("lenet_300_100"))).params
    266610
    """
    asked = requested(counting, {"batch": network.batch})
    table = CostTable(network, asked, tuple(_works(network, asked)))
    for name in FIRST:
        table.column(QUANTITIES[name])
    return table


def _works(network: Network, counting: Counting) -> Iterator[CountedNode]:
    """What each node does, that of nodes that are alike but once."""
    known: dict[Any, CountedNode] = {}
    left_out = None if counting.convention.classifier else classifier(network)
    for node in network.nodes:
        inputs = network.inputs_of(node)
        key = (id(node.operator), inputs, node is left_out, tuple(node.shared))
        asked = (node.operator, inputs, node.output, counting, node is left_out, node.shared)
        yield remembered(known, key, partial(counted, *asked))


def classifier(network: Network) -> Node | None:
    """The last node with weights; None if no node has any."""
    return next((node for node in reversed(network.nodes) if node.operator.weights(*network.inputs_of(node))), None)
