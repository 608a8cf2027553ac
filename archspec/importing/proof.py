"""That a document is the model it was recovered from: node by node, operators, settings, inputs and shapes."""

from collections.abc import Mapping
from typing import Any

from archspec import ops
from archspec.errors import ArchspecError
from archspec.graph import Network, Node, expand
from archspec.importing.flat import FlatGraph, FlatNode
from archspec.language import Document


class DifferentError(ArchspecError):
    """A document that is not the model it came from; where they part."""


def proved(
    document: Document, graph: FlatGraph, order: list[FlatNode], bindings: Mapping[str, Any] | None = None
) -> dict[str, str]:
    """The names of a document's nodes by those of the model's.

    Args:
        document: What was recovered.
        graph: The model.
        order: The model's nodes in the order in which the document's expansion makes them.
        bindings: The values of the document's symbols that the model has.

    Raises:
        DifferentError: They are not the same.
    """
    network = expand(document, bindings or {}, batch=graph.input[0])
    found = [node for node in network.nodes if node.operator.name != "identity"]
    wanted = [node for node in order if node.operator != "identity"]
    if len(found) != len(wanted) or len(wanted) != sum(node.operator != "identity" for node in graph.nodes):
        raise DifferentError(f"{len(found)} nodes for the model's {len(wanted)}")
    names = dict(zip(graph.inputs, network.inputs, strict=True))
    through = _through({node.name: node.inputs[0] for node in network.nodes if node.operator.name == "identity"})
    originals = _through({node.name: node.inputs[0] for node in graph.nodes if node.operator == "identity"})
    for node, flat in zip(found, wanted, strict=True):
        _compare(node, flat, network)
        names[flat.name] = node.name
        sources = [originals.get(source, source) for source in flat.inputs]
        if [through.get(source, source) for source in node.inputs] != [names.get(source) for source in sources]:
            raise DifferentError(f"{node.name} takes other inputs than {flat.name}")
    outputs = [originals.get(name, name) for name in graph.outputs]
    given = [through.get(name, name) for name in network.outputs.values()]
    if given != [names[name] for name in outputs]:
        raise DifferentError(f"the output is {', '.join(given)}, not that of {', '.join(outputs)}")
    return names


def _compare(node: Node, flat: FlatNode, network: Network) -> None:
    if node.operator.name != flat.operator:
        raise DifferentError(f"{node.name} is {node.operator.name}, and {flat.name} {flat.operator}")
    if tuple(node.output.shape) != tuple(flat.shape):
        raise DifferentError(f"{node.name} gives {node.output}, and {flat.name} {flat.shape}")
    settings, inputs = ops.operator(flat.operator)(**flat.args), network.inputs_of(node)
    if settings.known:  # settings that say the same in other words make one call of torch
        same = settings.torch_call(*inputs) == node.operator.torch_call(*inputs)
    else:
        same = settings == node.operator
    if not same:
        raise DifferentError(f"{node.name} has other settings than {flat.name}")


def _through(identities: Mapping[str, str]) -> dict[str, str]:
    """Whose result each identity passes on, through others before it."""
    found: dict[str, str] = {}
    for name, source in identities.items():
        found[name] = found.get(source, source)
    return found
