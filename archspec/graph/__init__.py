"""The network: a specification with its symbols bound, its shapes inferred."""

from archspec.graph.binding import bind
from archspec.graph.expand import expand
from archspec.graph.logits import before_softmax, without_softmax
from archspec.graph.network import Container, Network, Node, Trace
from archspec.graph.single import Single, single

__all__ = [
    "Container",
    "Network",
    "Node",
    "Single",
    "Trace",
    "before_softmax",
    "bind",
    "expand",
    "single",
    "without_softmax",
]
