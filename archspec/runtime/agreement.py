"""What an analytic count and a running model say of each node, side by side."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

from archspec.result import Reported, short


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """What is known of one node, or of a whole network.

    Attributes:
        inputs: The nodes whose results it takes, in order.
        output: The shape of its result; of a network with several, their shapes.
        weights: Its arrays as they stand in the state dict: key, shape, and whether it is learned.
        params: The numbers that are learned.
        buffers: The numbers kept beside them; torch's `num_batches_tracked` is not counted.
        macs: The multiply-accumulates that torch carries out. One-bit layers are computed by real ones.
        activations: The elements of its result, if that is memory of its own.
    """

    inputs: tuple[str, ...]
    output: tuple[Any, ...]
    weights: tuple[tuple[str, tuple[int, ...], bool], ...]
    params: int
    buffers: int
    macs: int
    activations: int


MEASURED = ("params", "buffers", "macs", "activations")
"""The quantities among them."""

FACTS: tuple[str, ...] = tuple(fact.name for fact in fields(NodeFacts))
"""What is compared, in the order in which it is printed."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One node: what the rules say, and what the model does.

    Attributes:
        name: The node's path.
        operator: The operator's name.
        analytic: What the rules say.
        real: What the model does; None if it never came to this node.
        note: What else is wrong.
    """

    name: str
    operator: str
    analytic: NodeFacts
    real: NodeFacts | None
    note: str = ""

    def __bool__(self) -> bool:
        return self.analytic == self.real and not self.note

    @property
    def differing(self) -> tuple[str, ...]:
        """The names of the facts in which they differ."""
        if self.real is None:
            return FACTS
        return tuple(fact for fact in FACTS if getattr(self.analytic, fact) != getattr(self.real, fact))

    def __str__(self) -> str:
        if self.real is None:
            return f"node '{self.name}' ({self.operator}) was not computed"
        facts = (_apart(fact, getattr(self.analytic, fact), getattr(self.real, fact)) for fact in self.differing)
        sentence = "; ".join(filter(None, (*facts, self.note)))
        return f"node '{self.name}' ({self.operator}): {sentence or 'agrees'}"


SHOWN = 2
"""How many of the arrays that differ are named."""


def _apart(fact: str, ours: Any, theirs: Any) -> str:
    """In what both differ; of many arrays the first that do."""
    if fact != "weights":
        return f"{fact} {ours} ≠ {theirs}"
    own, other = [each for each in ours if each not in theirs], [each for each in theirs if each not in ours]
    more = max(len(own), len(other)) - SHOWN
    further = f" and {more} more" if more > 0 else ""
    return f"weights {_listed(own)} ≠ {_listed(other)}{further}" if own or other else "weights in another order"


def _listed(arrays: list[tuple[str, tuple[int, ...], bool]]) -> str:
    shown = (f"{key} {shape}" + ("" if learned else ", not learned") for key, shape, learned in arrays[:SHOWN])
    return "; ".join(shown) or "none"


@dataclass(frozen=True)
class Agreement(Reported):
    """A network held against its model; true when all agree, to the unit.

    Attributes:
        name: The specification's name.
        bindings: The symbols' values, defaults included, as text.
        rows: One per node, in topological order.
        total: The network as a whole, its state dict and its output.
        source: The same of its written source, if that was run, too.
    """

    name: str
    bindings: dict[str, str]
    rows: tuple[Comparison, ...]
    total: Comparison
    source: Comparison | None = None

    def __bool__(self) -> bool:
        return all(self.compared)

    @property
    def compared(self) -> tuple[Comparison, ...]:
        """All that was compared: the nodes, the source if it was, and the whole."""
        return (*self.rows, *(() if self.source is None else (self.source,)), self.total)

    @property
    def first(self) -> Comparison | None:
        """The first node that disagrees, or the whole where every node agrees and it does not."""
        return next((row for row in self.compared if not row), None)

    @property
    def sentence(self) -> str:
        """What came of it, in one sentence."""
        first = self.first
        if first is None:
            return f"{self.name}: {len(self.rows)} nodes agree"
        return f"{self.name}: {sum(not row for row in self.rows)} of {len(self.rows)} nodes disagree, first {first}"

    def __repr__(self) -> str:
        return short(self, self.sentence)


def added(facts: Iterable[NodeFacts], inputs: tuple[str, ...], output: tuple[Any, ...]) -> NodeFacts:
    """The facts of a whole, of those of its parts."""
    parts = list(facts)
    sums: dict[str, Any] = {name: sum(getattr(part, name) for part in parts) for name in MEASURED}
    return NodeFacts(inputs, output, tuple(weight for part in parts for weight in part.weights), **sums)
