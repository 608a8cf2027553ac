"""A model as a flat list of the language's operators, each with its arguments, its inputs, its place and its arrays."""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field, replace
from typing import Any

from archspec.importing.program import NOWHERE, HeldArray, Place

INPUT = "input"
"""What nodes call the model's input."""


@dataclass(frozen=True, slots=True)
class FlatNode:
    """One operator.

    Attributes:
        name: What its result is called; no other node's is called so.
        operator: An operator of the language; of a `foreign` node, the function as its exporter names it.
        args: The operator's fields, those at their defaults left out.
        inputs: The results that it takes, in order.
        shape: The sizes of its result, batch first.
        place: Where in the source's tree of modules it stood.
        arrays: Its arrays by the names that the operator gives them.
        foreign: Whether no operator of the language is known for it.
        reason: Of a foreign node, what is in the way.
        function: Of an opaque node, what it computes, as its exporter calls it.
    """

    name: str
    operator: str
    args: Mapping[str, Any]
    inputs: tuple[str, ...]
    shape: tuple[int, ...]
    place: Place = NOWHERE
    arrays: Mapping[str, HeldArray] = field(default_factory=dict)
    foreign: bool = False
    reason: str = ""
    function: str = ""

    def tells_of(self, held: Set[str]) -> bool:
        """Whether somebody would miss it: it has arrays that no other node has, or nobody knows what it is."""
        if self.foreign:
            return not self.operator.startswith("~")
        return any(array.key not in held for array in self.arrays.values())

    def with_arrays(self, arrays: Mapping[str, HeldArray]) -> "FlatNode":
        """The same with these arrays."""
        return replace(self, arrays=arrays)


@dataclass(frozen=True, slots=True)
class FlatGraph:
    """A model: its nodes in an order in which they can run.

    Attributes:
        name: What it is called.
        input: The sizes of its input, batch first.
        nodes: What is computed.
        output: The name of the node whose result is the model's; of several, of the first.
        notes: What a reader should know of how it was read.
        more_inputs: The sizes of its further inputs, by the names by which nodes take them.
        more_outputs: The names of the nodes whose results its further outputs are.
        labels: What the source calls inputs, and nodes that are outputs, where there are several.
    """

    name: str
    input: tuple[int, ...]
    nodes: tuple[FlatNode, ...]
    output: str
    notes: tuple[str, ...] = ()
    more_inputs: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    more_outputs: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def inputs(self) -> dict[str, tuple[int, ...]]:
        """The sizes of all inputs, batch first, by the names by which nodes take them."""
        return {INPUT: self.input, **self.more_inputs}

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of all outputs, in order."""
        return (self.output, *self.more_outputs)

    def shape(self, name: str) -> tuple[int, ...]:
        """The sizes of a result, or of the input."""
        return self.inputs[name] if name in self.inputs else self.by_name()[name].shape

    def without_idle_inputs(self) -> "FlatGraph":
        """The same without inputs that nothing takes; they are noted."""
        taken = {name for node in self.nodes for name in node.inputs}
        idle = [name for name in self.inputs if name not in taken]
        if not idle or len(idle) == len(self.inputs):
            return self
        notes = tuple(f"the input {self.labels.get(name, name)} is never used: left out" for name in idle)
        first, *more = (name for name in self.inputs if name in taken)
        renamed = {first: INPUT}
        nodes = tuple(
            replace(node, inputs=tuple(renamed.get(name, name) for name in node.inputs)) for node in self.nodes
        )
        return replace(
            self,
            input=self.inputs[first],
            nodes=nodes,
            notes=(*self.notes, *notes),
            more_inputs={name: self.inputs[name] for name in more},
            labels={**self.labels, INPUT: self.labels.get(first, first)},
        )

    def by_name(self) -> dict[str, FlatNode]:
        """The nodes by their names."""
        return {node.name: node for node in self.nodes}

    def users(self) -> dict[str, list[FlatNode]]:
        """Who takes each result, once for each time that it is taken."""
        found: dict[str, list[FlatNode]] = {name: [] for name in (*self.inputs, *self.by_name())}
        for node in self.nodes:
            for source in node.inputs:
                found[source].append(node)
        return found

    def live(self, *, note: bool = True) -> "FlatGraph":
        """The same without nodes on which the output does not depend; what of them has arrays is noted."""
        needed, by_name = set[str](), self.by_name()
        ahead = [*self.outputs]
        while ahead:
            name = ahead.pop()
            if name not in needed and name not in self.inputs:
                needed.add(name)
                ahead += by_name[name].inputs
        nodes = tuple(node for node in self.nodes if node.name in needed)
        held = {array.key for node in nodes for array in node.arrays.values()}
        dead = [node for node in self.nodes if node.name not in needed and node.tells_of(held)]
        said = tuple(
            f"{node.operator} at {node.place or node.name} is computed and never used: left out"
            for node in dead
            if note
        )
        return replace(self, nodes=nodes, notes=(*self.notes, *said))
