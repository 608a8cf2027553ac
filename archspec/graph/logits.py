"""A network without its last softmax: what a loss is made of, and what other programs often want."""

from dataclasses import replace
from typing import TypeVar

from archspec.errors import ArchspecError
from archspec.graph.network import Network
from archspec.language.document import Document
from archspec.language.steps import Call

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
