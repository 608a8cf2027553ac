"""A model as a flat list of the language's operators, each with its arguments, its inputs, its place and its arrays."""

from collections.abc import Mapping
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


@dataclass(frozen=True, slots=True)
class FlatGraph:
    """A model: its nodes in an order in which they can run.

    Attributes:
        name: What it is called.
        input: The sizes of its input, batch first.
        nodes: What is computed.
        output: The name of the node whose result is the model's.
        notes: What a reader should know of how it was read.
    """

    name: str
    input: tuple[int, ...]
    nodes: tuple[FlatNode, ...]
    output: str
    notes: tuple[str, ...] = ()

    def shape(self, name: str) -> tuple[int, ...]:
        """The sizes of a result, or of the input."""
        return self.input if name == INPUT else self.by_name()[name].shape

    def by_name(self) -> dict[str, FlatNode]:
        """The nodes by their names."""
        return {node.name: node for node in self.nodes}

    def users(self) -> dict[str, list[FlatNode]]:
        """Who takes each result, once for each time that it is taken."""
        found: dict[str, list[FlatNode]] = {INPUT: [], **{node.name: [] for node in self.nodes}}
        for node in self.nodes:
            for source in node.inputs:
                found[source].append(node)
        return found

    def live(self, *, note: bool = True) -> "FlatGraph":
        """The same without nodes on which the output does not depend; what of them has arrays is noted."""
        needed, by_name = set[str](), self.by_name()
        ahead = [self.output]
        while ahead:
            name = ahead.pop()
            if name not in needed and name != INPUT:
                needed.add(name)
                ahead += by_name[name].inputs
        dead = [node for node in self.nodes if node.name not in needed and (node.arrays or node.foreign)]
        said = tuple(
            f"{node.operator} at {node.place or node.name} is computed and never used: left out"
            for node in dead
            if note
        )
        nodes = tuple(node for node in self.nodes if node.name in needed)
        return replace(self, nodes=nodes, notes=(*self.notes, *said))
