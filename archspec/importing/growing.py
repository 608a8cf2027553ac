"""Concatenations that grow: a layer that is given a list of all results before it, as DenseNets are often written.

Each layer joins the whole list anew. Written as the join of the list without its last and that last, it is what the
layer before gives; so each layer takes one value and gives one, as the paper draws it. What is copied stays as much.
"""

from dataclasses import replace

from archspec.importing.flat import FlatGraph, FlatNode
from archspec.importing.program import NOWHERE, Place


def grown(graph: FlatGraph) -> FlatGraph:
    """The graph in which a join of another's inputs and one more takes that other, in the module of the last.

    What passes its input on is left out, but where it is an output.
    """
    known: dict[tuple[object, ...], str] = {}
    same: dict[str, str] = {}
    by_name, users = graph.by_name(), graph.users()
    nodes = []
    for node in graph.nodes:
        inputs = tuple(same.get(name, name) for name in node.inputs)
        if node.operator == "identity" and node.name not in graph.outputs:
            same[node.name] = inputs[0]
            continue
        found = replace(node, inputs=inputs) if inputs != node.inputs else node
        if node.operator == "concat":
            whole = known.get((inputs[:-1], node.args.get("dim"))) if len(inputs) > 2 else inputs[0]
            known.setdefault((inputs, node.args.get("dim")), node.name)
            last = by_name.get(inputs[-1])
            if whole is not None and last is not None and len(inputs) > 1:
                takers = [*users[whole], *(user for name, of in same.items() if of == whole for user in users[name])]
                place = _inside(last, node, takers)
                found = replace(node, inputs=(whole, last.name), place=place) if place is not None else found
        nodes.append(found)
    return replace(graph, nodes=tuple(nodes))


def _inside(last: FlatNode, join: FlatNode, takers: list[FlatNode]) -> Place | None:
    """The module that makes the last of what is joined, if it takes all the rest; None if there is none.

    Where nothing is known of modules, it stands nowhere, too.
    """
    names = last.place.names
    if not names and not join.place.names:
        return NOWHERE
    depth = next((n for n, (a, b) in enumerate(zip(names, join.place.names, strict=False)) if a != b), None)
    depth = min(len(names), len(join.place.names)) if depth is None else depth
    module = names[: depth + 1]
    if len(module) <= depth or not any(taker.place.names[: depth + 1] == module for taker in takers):
        return None
    return Place(module, last.place.kinds[: depth + 1])
