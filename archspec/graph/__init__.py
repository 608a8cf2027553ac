"""The network: a specification with its symbols bound, its shapes inferred."""

from archspec.graph.expand import expand
from archspec.graph.network import Container, Network, Node, Trace
from archspec.graph.single import Single, single

__all__ = ["Container", "Network", "Node", "Single", "Trace", "expand", "single"]
