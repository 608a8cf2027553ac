"""Which weights of a network a plan of compression speaks of."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from archspec.compress.layout import CodingChoice, layout
from archspec.compress.plan import UNTOUCHED, LayerPlan, Plan, load
from archspec.errors import ArchspecError
from archspec.graph.names import state_key

if TYPE_CHECKING:
    from archspec.graph import Network

PRUNED = ("conv2d", "linear")
"""The operators whose weights plans prune and share."""


def entries(plan: str, network: "Network", method: str) -> dict[str, LayerPlan]:
    """The plan's entries by the name of the array of weights, in the network's order.

    Raises:
        ArchspecError: The plan is of another network: it speaks of no layer of this one, or of one that is not there.
    """
    return _entries(load(plan), network, method)


def choices(plan: str, network: "Network", method: str, change: Mapping[str, Any]) -> dict[str, CodingChoice]:
    """How each array of weights may be packed that the plan speaks of, by its name.

    Args:
        plan: The plan's name or file.
        network: The network.
        method: Who asks.
        change: What is another in all entries.

    Raises:
        ArchspecError: The plan is of another network.
    """
    read = load(plan)
    wanted = _entries(read, network, method)
    changed = read.model_copy(update={"layers": tuple(layer.model_copy(update=change) for layer in read.layers)})
    found = {choice.key: choice for blob in layout(network, changed).blobs for choice in blob}
    return {name: found[name] for name in wanted}


def _entries(read: Plan, network: "Network", method: str) -> dict[str, LayerPlan]:
    found = {}
    nodes = [node for node in network.nodes if node.operator.name in PRUNED]
    for layer in read.layers:
        if not any(layer.names(node.name) for node in network.nodes):
            raise ArchspecError(
                f"{method}: the plan {read.name} speaks of '{layer.layer}', which {network.name} does not have"
            )
    for node in nodes:
        if (entry := read.entry(node.name)) is not UNTOUCHED:
            found[state_key(node.name, "weight")] = entry
    if not found:
        raise ArchspecError(f"{method}: the plan {read.name} speaks of no weights of {network.name}")
    return found
