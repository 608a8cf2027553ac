"""Which weights of a network a plan of compression speaks of."""

from typing import TYPE_CHECKING

from archspec.compress.plan import LayerPlan, load
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
    found = {}
    read = load(plan)
    nodes = [node for node in network.nodes if node.operator.name in PRUNED]
    for layer in read.layers:
        if not any(layer.names(node.name) for node in network.nodes):
            raise ArchspecError(
                f"{method}: the plan {read.name} speaks of '{layer.layer}', which {network.name} does not have"
            )
    for node in nodes:
        if (entry := read.entry(node.name)) is not None:
            found[state_key(node.name, "weight")] = entry
    if not found:
        raise ArchspecError(f"{method}: the plan {read.name} speaks of no weights of {network.name}")
    return found
