"""The layers of a network that a plan speaks of, and what in a plan does not fit them."""

from collections.abc import Iterable, Iterator, Mapping

from archspec.compress.binary import BINARY
from archspec.compress.plan import Plan
from archspec.dims import Dim, known_less, product
from archspec.errors import SpecError, SpecErrors
from archspec.graph import Network, Node
from archspec.ops import Weight
from archspec.writing import sizes


def planned(network: Network, plan: Plan) -> dict[Node, Weight]:
    """The layers with weights that a plan can speak of, in order, each with its kernel or first matrix.

    Raises:
        SpecErrors: The plan names layers that the network does not have, or does to one what cannot be done; all are
            named.
    """
    arrays = {node: network.weights_of(node) for node in network.nodes}
    layers = {node: own[0] for node, all_ in arrays.items() if (own := matrices(all_))}
    faults = [*_strays(plan, layers, network), *_misfits(plan, layers)]
    if faults:
        raise SpecErrors(faults)
    return layers


def matrices(arrays: Iterable[Weight]) -> tuple[Weight, ...]:
    """The kernel or matrix of a layer, stored in numbers of full precision; of a recurrent layer all that it has."""
    return tuple(w for w in arrays if w.role == "weight" and len(w.shape) > 1 and w.bits is None)


def matrix(weight: Weight) -> tuple[Dim, Dim]:
    """A kernel as a matrix: one row per filter."""
    return weight.shape[0], product(weight.shape[1:])


def _strays(plan: Plan, layers: Iterable[Node], network: Network) -> list[SpecError]:
    """Entries that name no layer with weights."""
    return [
        SpecError(f"'{network.name}' has no layer with weights called '{entry.layer}'", entry.value_at("layer"))
        for entry in plan.layers
        if not any(entry.names(node.name) for node in layers)
    ]


def _misfits(plan: Plan, layers: Mapping[Node, Weight]) -> Iterator[SpecError]:
    """Layers that cannot have what is planned for them."""
    for node, weight in layers.items():
        entry = plan.entry(node.name)
        if entry.binary and node.operator.name not in BINARY:
            message = f"'{node.name}' is a {node.operator.name}, which has no one-bit form"
            yield SpecError(message, entry.key_at("binary"))
        elif entry.rank and any(known_less(side, entry.rank) for side in matrix(weight)):
            sides = sizes(matrix(weight))
            yield SpecError(
                f"'{node.name}' is a matrix of {sides}, of no higher rank than either", entry.key_at("rank")
            )
