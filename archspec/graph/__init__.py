"""The network: a specification with its symbols bound, its shapes inferred."""

from archspec.graph.binding import bind
from archspec.graph.expand import expand
from archspec.graph.network import Container, Network, Node, Trace, before_softmax, without_softmax

__all__ = [
    "Container",
    "Network",
    "Node",
    "Trace",
    "before_softmax",
    "bind",
    "expand",
    "without_softmax",
]
