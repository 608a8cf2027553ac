"""Counting a network: one row a node, totals that are sums of rows, and the same rows grouped."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from archspec.cost.conventions import DEFAULT, Convention, Term
from archspec.cost.features import Work
from archspec.dims import Dim, ceil_div
from archspec.errors import UnknownNameError
from archspec.graph import Network, Node
from archspec.ops import FREE, Operations, Operator, Tensor, Weight
from archspec.result import Reported, short

GROUPINGS = ("layer", "block", "operator", "stage", "total")
"""What rows can be grouped by, besides a depth in the tree of names."""


@dataclass(frozen=True, slots=True)
class Row:
    """What one node costs, or a group of them.

    Attributes:
        name: The node's path, or the group's.
        operator: The operator's name; of a group, the block's name in the specification.
        output: The shape of the result, batch first; of a group, that of its last node.
        params: Numbers that the convention calls parameters.
        buffers: Statistics kept beside them.
        operations: The arithmetic by kind.
        flops: The operations as the convention adds them up.
        activations: Elements of the results that are new tensors; a view (flatten, dropout, identity) adds none.
        weight_bytes: Bytes of all its arrays, parameters and statistics.
        nodes: How many nodes it stands for.
    """

    name: str
    operator: str
    output: tuple[Dim, ...]
    params: Dim
    buffers: Dim
    operations: Operations
    flops: Dim
    activations: Dim
    weight_bytes: Dim
    nodes: int = 1

    @property
    def macs(self) -> Dim:
        """Multiply-accumulates of convolutions and linear layers."""
        return self.operations.macs

    def figures(self) -> tuple[Any, ...]:
        """All that is counted, without the name: rows with the same figures are repeats."""
        return (
            self.operator,
            self.output,
            self.params,
            self.buffers,
            self.operations,
            self.activations,
            self.weight_bytes,
            self.nodes,
        )


@dataclass(frozen=True, repr=False)
class CostTable(Reported):
    """What a network costs under a convention.

    Attributes:
        network: The network that was counted.
        convention: How it was counted.
        rows: One row a node, in topological order.
    """

    network: Network
    convention: Convention
    rows: tuple[Row, ...]

    def __repr__(self) -> str:
        return short(self, self.network.name, f"{self.params} params", f"{self.macs} macs", self.convention.name)

    @cached_property
    def total(self) -> Row:
        """The sum of all rows."""
        return summed(self.network.name, "total", self.rows)

    @property
    def params(self) -> Dim:
        """Parameters, as the convention counts them."""
        return self.total.params

    @property
    def buffers(self) -> Dim:
        """Statistics kept beside the parameters."""
        return self.total.buffers

    @property
    def macs(self) -> Dim:
        """Multiply-accumulates of convolutions and linear layers."""
        return self.total.macs

    @property
    def flops(self) -> Dim:
        """The operations, as the convention adds them up."""
        return self.total.flops

    @cached_property
    def terms(self) -> tuple[Term, ...]:
        """The summands of `flops`: what does what how often, and what each of those is worth."""
        return _collected(
            replace(term, count=node.times * term.count)
            for node, work in self._work()
            for term in self.convention.terms(work)
        )

    @cached_property
    def param_terms(self) -> tuple[Term, ...]:
        """The summands of `params`: the elements of arrays of each role."""
        left_out = None if self.convention.classifier else classifier(self.network)
        weights = (
            (node.times, weight)
            for node in self.network.nodes
            if node is not left_out
            for weight in node.operator.weights(*self.network.inputs_of(node))
        )
        roles = self.convention.params
        return _collected(Term(w.role, "elements", 1, n * w.elements) for n, w in weights if w.role in roles)

    def _work(self) -> Iterator[tuple[Node, Work]]:
        """Each node, and what it does once."""
        for node, row in zip(self.network.nodes, self.rows, strict=True):
            operations = row.operations
            if type(node.times) is not int:
                operations = self.convention.operations(node.operator, self.network.inputs_of(node))
            yield node, Work(node.operator, self.network.inputs_of(node), node.output, operations)

    @property
    def operations(self) -> Operations:
        """The arithmetic by kind."""
        return self.total.operations

    @property
    def activations(self) -> Dim:
        """Elements of all results that are new tensors."""
        return self.total.activations

    @property
    def weight_bytes(self) -> Dim:
        """Bytes of all arrays, parameters and statistics."""
        return self.total.weight_bytes

    def by(self, grouping: str | int) -> tuple[Row, ...]:
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

    def _group(self, name: str, members: list[int], grouping: str | int) -> Row:
        nodes, rows = self.network.nodes, self.rows
        kinds = {nodes[index].kind for index in members}
        kind = kinds.pop() if len(kinds) == 1 else "…"
        if grouping == "operator":
            kind = name
        elif len(members) == 1 and nodes[members[0]].name == name:
            kind = rows[members[0]].operator
        return summed(name, kind, [rows[index] for index in members])


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


def summed(name: str, operator: str, rows: Iterable[Row]) -> Row:
    """What rows cost together, as one row with the result of the last."""
    rows = list(rows)
    return Row(
        name=name,
        operator=operator,
        output=rows[-1].output,
        params=sum(row.params for row in rows),
        buffers=sum(row.buffers for row in rows),
        operations=sum((row.operations for row in rows), FREE),
        flops=sum(row.flops for row in rows),
        activations=sum(row.activations for row in rows),
        weight_bytes=sum(row.weight_bytes for row in rows),
        nodes=sum(row.nodes for row in rows),
    )


def count(network: Network, convention: Convention = DEFAULT) -> CostTable:
    """Count a network.

    Args:
        network: Its sizes may be ints, int64 arrays or SymPy expressions; so are the figures.
        convention: What counts as a parameter and as an operation.

    >>> from archspec.graph import expand
    >>> from archspec.language import load
    >>> count(expand(load("lenet_300_100"))).params
    266610
    """
    counted = dict[Any, tuple[Any, ...]]()
    left_out = None if convention.classifier else classifier(network)
    rows = []
    for node in network.nodes:
        inputs = network.inputs_of(node)
        key = (id(node.operator), inputs, node is left_out)
        try:
            figures = counted.get(key)
        except TypeError:  # an array has no hash
            figures = _figures(node.operator, inputs, node.output, convention, node is left_out)
        if figures is None:
            figures = _figures(node.operator, inputs, node.output, convention, node is left_out)
            counted[key] = figures
        if type(node.times) is not int:
            figures = _repeated(figures, node.times)
        rows.append(Row(node.name, node.operator.name, node.output.shape, *figures))
    return CostTable(network, convention, tuple(rows))


def _figures(
    operator: Operator, inputs: tuple[Tensor, ...], output: Tensor, convention: Convention, left_out: bool
) -> tuple[Any, ...]:
    weights: tuple[Weight, ...] = operator.weights(*inputs)
    operations = FREE if left_out else convention.operations(operator, inputs)
    return (
        0 if left_out else sum(weight.elements for weight in weights if weight.role in convention.params),
        sum(weight.elements for weight in weights if not weight.trainable),
        operations,
        convention.flops_at(Work(operator, inputs, output, operations)),
        0 if operator.view else output.elements,
        sum(_bytes(weight.elements, weight.bits or convention.bits) for weight in weights),
    )


def _bytes(elements: Dim, bits: int) -> Dim:
    """The bytes of an array; whole bytes stay whole when the elements are an expression that may not be."""
    return elements * (bits // 8) if bits % 8 == 0 else ceil_div(elements * bits, 8)


def _repeated(figures: tuple[Any, ...], times: Dim) -> tuple[Any, ...]:
    return tuple(f.times(times) if isinstance(f, Operations) else times * f for f in figures)


def classifier(network: Network) -> Node | None:
    """The last node with weights; None if no node has any."""
    return next((node for node in reversed(network.nodes) if node.operator.weights(*network.inputs_of(node))), None)
