"""Weights that several layers have: the later ones have those of the first."""

from archspec.errors import ArchspecError
from archspec.importing.flat import FlatGraph, FlatNode


def sharing(graph: FlatGraph) -> dict[str, str]:
    """Of each node that has the arrays of an earlier one, the name of that.

    Raises:
        ArchspecError: Two nodes have some array in common, and not all; they are named.

    """
    first: dict[str, FlatNode] = {}
    found: dict[str, str] = {}
    for node in graph.nodes:
        owners = {first[array.key].name: first[array.key] for array in node.arrays.values() if array.key in first}
        for owner in owners.values():
            if _arrays(owner) != _arrays(node):
                raise ArchspecError(_partly(graph, owner, node))
            found[node.name] = owner.name
        first.update((array.key, node) for array in node.arrays.values() if array.key not in first)
    return found


def _arrays(node: FlatNode) -> dict[str, tuple[str, tuple[int, ...]]]:
    return {name: (array.key, array.shape) for name, array in node.arrays.items()}


def _partly(graph: FlatGraph, owner: FlatNode, node: FlatNode) -> str:
    here, there = (str(each.place) or each.name for each in (owner, node))
    common = {array.key for array in owner.arrays.values()} & {array.key for array in node.arrays.values()}
    return (
        f"{graph.name} uses {' and '.join(sorted(common))} at {here} and at {there}, which have not all arrays in "
        "common; a layer has all weights of another, or none"
    )
