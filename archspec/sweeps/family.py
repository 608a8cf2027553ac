"""What a question over many networks is asked of: a specification, the symbols that are held, and how to count."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from archspec import cost, graph
from archspec.cost import USUAL, Counting
from archspec.graph import Network
from archspec.language.document import Document
from archspec.language.rules import refuse_opaque


@dataclass(frozen=True, slots=True)
class Family:
    """The networks of a specification, one for each choice of the symbols that are not held, all counted alike.

    Attributes:
        document: The specification.
        bindings: Values of symbols that are held; the others are at their defaults, where no question moves them.
        counting: How the networks are counted.

    Raises:
        ArchspecError: The specification has opaque steps, whose costs are in no total.

    >>> from archspec.language import load
    >>> family = Family(load("mobilenet"), {"alpha": "1/2"})
    >>> family.figures(family.at({"side": 128}), ["macs"])
    {'macs': 49160192}
    """

    document: Document
    bindings: Mapping[str, Any] = field(default_factory=dict)
    counting: Counting = USUAL

    def __post_init__(self) -> None:
        refuse_opaque(self.document)

    def at(self, values: Mapping[str, Any], free: Iterable[str] = ()) -> Network:
        """The network at some values of symbols, which win over those that are held."""
        return graph.expand(self.document, {**self.bindings, **values}, free=free, batch=self.counting.batch)

    def figures(self, network: Network, quantities: Iterable[str]) -> dict[str, Any]:
        """What a network costs, by quantity."""
        table = cost.count(network, self.counting)
        return {name: table.figure(name) for name in quantities}
