"""A network: operators in topological order, each with its ordered inputs and the shape it gives."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from archspec.errors import ArchspecError, Mark
from archspec.language.document import Call, Document
from archspec.ops import Operator, Tensor, Weight
from archspec.result import Reported, short

if TYPE_CHECKING:
    import networkx

    from archspec.symbols import Condition

OUTPUT = "output"
"""What the one output of a network is called, if nothing else."""


@dataclass(frozen=True, slots=True)
class Node:
    """One operator of a network.

    Attributes:
        name: A path such as "stage3/unit2/expand/conv2d"; with dots for slashes, the prefix of its state-dict keys.
        operator: What it computes.
        inputs: The names of the nodes it takes, in order; a name can stand twice. One of the network's inputs stands
            there by its own name; the only one is `INPUT`, unless the specification names it.
        output: The shape of its result.
        block: The path of the outermost block it belongs to; its own name if it belongs to none.
        kind: The name of that block in the specification, or its operator's.
        at: Where it stands in the specification.
        times: How many such nodes it stands for: 1, unless it is in a repeat whose number is an expression.
        shared: Of its arrays those that are another node's, too, and by name the first node that has each.
    """

    name: str
    operator: Operator
    inputs: tuple[str, ...]
    output: Tensor
    block: str
    kind: str
    at: Mark | None
    times: Any = 1
    shared: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def stage(self) -> str:
        """The first part of its name: the step of the network, or the row of the table, that it comes from."""
        return self.name.partition("/")[0]

    def __repr__(self) -> str:
        return short(self, self.name, self.operator.name, f"output {self.output}")


@dataclass(frozen=True, slots=True)
class Container:
    """What a part of the tree of names is made of.

    Attributes:
        kind: The name of a block of the specification; "repeat", "unit", "branch" or "group" for its other steps.
        args: The arguments a block was called with.
    """

    kind: str
    args: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Trace:
    """What became of one row of a table, or of one step of the network's body.

    Attributes:
        columns: The header of the table; the arguments of the step.
        name: The last node that came of it, or the row's name.
        callee: The block or operator it is made of.
        nominal: What is printed, by column: a row's numbers, a step's expressions; None where a cell is empty.
        built: The numbers handed on.
        table: Which table; rows of one table share it. None for a step.
        input: The shape that flows in.
        output: The shape that flows out.
    """

    columns: tuple[str, ...]
    name: str
    callee: str
    nominal: Mapping[str, Any]
    built: Mapping[str, Any]
    table: int | None
    input: Tensor
    output: Tensor


@dataclass(frozen=True, repr=False)
class Network(Reported):
    """A network with all its shapes.

    Attributes:
        name: The specification's name.
        bindings: The symbols' values, defaults included; a free symbol is a SymPy symbol.
        batch: The number of images or vectors at once.
        inputs: The shape of each input, batch first, by name.
        nodes: The operators in topological order.
        outputs: Of each output, by name, the node whose result it is.
        conditions: What had to be taken for true of free symbols.
        traces: The rows of the specification's tables and the steps around them, with nominal and built numbers.
        containers: What the inner parts of the tree of names are made of, by path.
        document: The specification that it was expanded from.
        gone_back: Of each value that a step goes back to by its name, the paths of the bodies that have that name.
    """

    name: str
    bindings: Mapping[str, Any]
    batch: Any
    inputs: Mapping[str, Tensor]
    nodes: tuple[Node, ...]
    outputs: Mapping[str, str]
    conditions: "tuple[Condition, ...]" = ()
    traces: tuple[Trace, ...] = ()
    containers: Mapping[str, Container] = field(default_factory=dict)
    document: Document | None = field(default=None, repr=False, compare=False)
    gone_back: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def _by_name(self) -> dict[str, Node]:
        return {node.name: node for node in self.nodes}

    @property
    def input(self) -> Tensor:
        """The shape of the input, batch first; of several, that of the first."""
        return next(iter(self.inputs.values()))

    @property
    def output(self) -> str:
        """The name of the node whose result is the output; of several, of the first."""
        return next(iter(self.outputs.values()))

    @property
    def one_to_one(self) -> bool:
        """Whether it has one input and one output."""
        return len(self.inputs) == len(self.outputs) == 1

    @property
    def results(self) -> tuple[Tensor, ...]:
        """The shapes of its outputs."""
        return tuple(map(self.tensor, self.outputs.values()))

    def node(self, name: str) -> Node:
        """The node of that name; KeyError if there is none."""
        return self._by_name[name]

    def tensor(self, name: str) -> Tensor:
        """The result of the node of that name, or the input of that name."""
        return self.inputs[name] if name in self.inputs else self._by_name[name].output

    def below(self, name: str) -> Any:
        """Where an input is of whole numbers, from 0, what they lie below; None where it is of real numbers."""
        rooted = {name}
        for node in self.nodes:
            if node.operator.view and node.inputs[0] in rooted:
                rooted.add(node.name)
        found = (node.operator.below for node in self.nodes if not rooted.isdisjoint(node.inputs))
        return min((most for most in found if most is not None), default=None)

    def inputs_of(self, node: Node) -> tuple[Tensor, ...]:
        """What flows into a node, in order."""
        return tuple(self.tensor(name) for name in node.inputs)

    def weights_of(self, node: Node) -> tuple[Weight, ...]:
        """The arrays of a node that are its own, or of which it is the first of several nodes that have them."""
        arrays = node.operator.weights(*self.inputs_of(node))
        return tuple(array for array in arrays if array.name not in node.shared) if node.shared else arrays

    @cached_property
    def opaque(self) -> tuple[str, ...]:
        """The nodes of which it is not known what they compute, so that no total has their arithmetic."""
        return tuple(node.name for node in self.nodes if not node.operator.known)

    @cached_property
    def sharing(self) -> frozenset[str]:
        """The nodes that have an array in common with another."""
        owners = {owner for node in self.nodes for owner in node.shared.values()}
        return frozenset({*owners, *(node.name for node in self.nodes if node.shared)})

    def digraph(self) -> "networkx.MultiDiGraph[str]":
        """The network as a networkx graph: one edge per input, numbered by its position."""
        import networkx

        graph: networkx.MultiDiGraph[str] = networkx.MultiDiGraph(name=self.name)
        for name, tensor in self.inputs.items():
            graph.add_node(name, output=tensor)
        for node in self.nodes:
            graph.add_node(node.name, operator=node.operator, output=node.output)
            graph.add_edges_from((source, node.name, {"position": i}) for i, source in enumerate(node.inputs))
        return graph

    def __repr__(self) -> str:
        taken, given = (", ".join(map(str, tensors)) for tensors in (self.inputs.values(), self.results))
        return short(self, self.name, f"{len(self.nodes)} nodes", f"input {taken}", f"output {given}")


# ------------------------------------------------------------------ without the last softmax, as losses want it


N = TypeVar("N", bound=Network)

SOFTMAXES = frozenset({"softmax", "log_softmax"})


def before_softmax(network: N) -> N:
    """The network up to its last softmax; itself, if it does not end with one, or names its outputs.

    >>> from archspec.graph import expand
    >>> from archspec.language import load
    >>> before_softmax(expand(load("vgg16"))).output
    'fc8'
    """
    named = network.document is not None and network.document.outputs
    if named or network.output in network.inputs:
        return network
    last = network.node(network.output)
    used = any(last.name in node.inputs for node in network.nodes)
    if last.operator.name not in SOFTMAXES or used:
        return network
    outputs = dict.fromkeys(network.outputs, last.inputs[0])
    return replace(network, nodes=tuple(node for node in network.nodes if node is not last), outputs=outputs)


def without_softmax(document: Document, network: Network) -> Document:
    """The specification without the last step of its network, where that is a softmax; else itself.

    Raises:
        ArchspecError: The network ends with a softmax, and a step of the specification makes more than that.
    """
    if before_softmax(network) is network:
        return document
    last = document.network[-1]
    if not isinstance(last, Call) or last.name not in SOFTMAXES:
        raise ArchspecError(f"{document.name} ends with a softmax inside a block; make it the network's last step")
    return document.model_copy(update={"network": document.network[:-1]})
