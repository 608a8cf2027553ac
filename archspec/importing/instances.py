"""One document of several instances of a model: what differs between them is said by symbols."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from archspec.errors import ArchspecError
from archspec.importing.document import SIDE, Imported, arrays_of, document_from, refuse_sharing
from archspec.importing.flat import FlatGraph, FlatNode
from archspec.importing.growing import grown
from archspec.importing.items import flattened
from archspec.importing.proof import proved
from archspec.importing.structure.blocks import recovered
from archspec.importing.structure.tables import vary_repeats
from archspec.importing.tensorflow import with_tensorflow_padding
from archspec.importing.varied import is_plain, spread, varied
from archspec.importing.varied_numbers import Bindings, VariedNumbers, said_bound
from archspec.importing.wiring import wired
from archspec.language import Document
from archspec.writing import printable


def points(values: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """The instances that are needed: all symbols at their first values, then each at its others by itself.

    >>> points({"width": (1, 2), "side": (224, 192)})
    [{'width': 1, 'side': 224}, {'width': 2, 'side': 224}, {'width': 1, 'side': 192}]
    """
    first = {name: several[0] for name, several in values.items()}
    return [first, *({**first, name: value} for name, several in values.items() for value in several[1:])]


def of_instances(values: Mapping[str, Sequence[Any]], graph_at: Callable[[Bindings], FlatGraph]) -> Imported:
    """The document of a model with symbols, from instances at some of their values.

    Args:
        values: What each symbol is given, the default first; a multiplier's default is 1.
        graph_at: The model at some values.

    Raises:
        ArchspecError: The instances are not one network, or a number follows no rule that is known.
    """
    bound = points(values)
    graphs = with_tensorflow_padding([grown(graph_at(each)) for each in bound])
    for graph in graphs:
        refuse_sharing(graph)
    odd = _apart(graphs, bound)
    partners = {n: nodes for n, graph in enumerate(graphs) if (nodes := _partners(graphs[0], graph)) is not None}
    merged = _merged([graphs[number] for number in partners], list(partners.values()))
    found = recovered(wired(merged), *(wired(graphs[number]) for number in odd))
    structures = dict(zip(odd, found.bodies[1:], strict=True))
    own = [node.name for node in flattened(found.items)]
    orders = [
        list(flattened(structures[n])) if n in odd else _ordered(graph, own, merged) for n, graph in enumerate(graphs)
    ]
    items, repeats = vary_repeats(found.items, [structures.get(n) for n in range(len(bound))], found.blocks)
    numbers = VariedNumbers(values, ([bound[number] for number in partners], bound), repeats, _flows(graphs[0]))
    document_from(merged, items, found.blocks, numbers.note, symbols={})
    numbers.settle()
    sizes = _input([graphs[number] for number in partners], [bound[number] for number in partners])
    while True:
        symbols, functions = numbers.symbols(), numbers.functions()
        document = document_from(
            graphs[0], items, found.blocks, numbers.text, symbols=symbols, functions=functions, sizes=sizes
        )
        wrong = _disproved(document, graphs, orders, [numbers.bindings(each) for each in bound])
        if wrong is None:
            break
        number, error = wrong
        if not (number in odd and numbers.rule_out(bound[number])):
            raise ArchspecError(
                f"{odd[number]}; what was found is not that one: {error}" if number in odd else str(error)
            )
    names = proved(document, graphs[0], orders[0])
    said = numbers.said(document, _constants(merged))
    return Imported(document, arrays_of(graphs[0], names), (*graphs[0].notes, *said), names)


def _ordered(graph: FlatGraph, names: Sequence[str], merged: FlatGraph) -> list[FlatNode]:
    """The nodes of an instance in the order of those of the merged graph that have these names."""
    place = {node.name: number for number, node in enumerate(merged.nodes)}
    return [graph.nodes[place[name]] for name in names]


def _disproved(
    document: Document, graphs: Sequence[FlatGraph], orders: Sequence[list[FlatNode]], bound: Sequence[Bindings]
) -> tuple[int, ArchspecError] | None:
    """The first instance that a document is not, and where they part; None where it is all of them."""
    for number, (graph, order, bindings) in enumerate(zip(graphs, orders, bound, strict=True)):
        try:
            proved(document, graph, order, bindings)
        except ArchspecError as error:
            return number, error
    return None


def _flows(graph: FlatGraph) -> dict[int, set[int]]:
    """By numbers of channels and features, how many flow into layers that make so many."""
    shapes = {**graph.inputs, **{node.name: node.shape for node in graph.nodes}}
    found: dict[int, set[int]] = {}
    for node in graph.nodes:
        if len(node.inputs) == 1 and len(node.shape) > 1 and len(shapes[node.inputs[0]]) > 1:
            found.setdefault(node.shape[1], set()).add(shapes[node.inputs[0]][1])
    return found


def _constants(graph: FlatGraph) -> set[int]:
    """The numbers of channels and features that are the same in all instances."""
    widths = (node.args.get(name, 0) for node in graph.nodes for name in ("out_channels", "out_features"))
    return {int(width) for width in widths if is_plain(width) and width}


# ------------------------------------------------------------------ several graphs as one


def _apart(graphs: Sequence[FlatGraph], bound: Sequence[Bindings]) -> dict[int, ArchspecError]:
    """The instances that have other steps than the first one, each with where.

    They have no say in which steps there are: what is found must be them all the same, by its conditions and repeats.
    """
    odd = dict[int, ArchspecError]()
    for number, graph in enumerate(graphs[1:], 1):
        try:
            _check_alike(graphs[0], graph, said_bound(bound[number]))
        except ArchspecError as error:
            odd[number] = error
    return odd


def _partners(first: FlatGraph, other: FlatGraph) -> list[FlatNode] | None:
    """Another instance's nodes beside those of the first; None if it has other ones, but for sums.

    Where channels come to be as many as flow in, builders add a shortcut.
    """
    own, others = _by_layer(first), _by_layer(other)
    if [key for key, _ in own] != [key for key, _ in others]:
        return None
    found: dict[str, FlatNode] = {}
    for (_, several), (_, theirs) in zip(own, others, strict=True):
        for number, node in enumerate(several):
            there = number < len(theirs)
            found[node.name] = theirs[number] if there else replace(node, shape=found[node.inputs[0]].shape)
    return list(found.values())


def _by_layer(graph: FlatGraph) -> list[tuple[Any, list[FlatNode]]]:
    """The nodes by what they are, each with the sums that follow it."""
    found: list[tuple[Any, list[FlatNode]]] = []
    for node in graph.nodes:
        if node.operator == "add" and not node.args and found:
            found[-1][1].append(node)
        else:
            found.append(((node.operator, frozenset(node.args)), [node]))
    return found


def _merged(graphs: Sequence[FlatGraph], several: Sequence[Sequence[FlatNode]]) -> FlatGraph:
    """The first graph with numbers that know what they are in the others, whose nodes stand beside its own."""
    nodes = tuple(_merged_node(nodes) for nodes in zip(*several, strict=True))
    return replace(graphs[0], input=_shape([graph.input for graph in graphs]), nodes=nodes)


def _check_alike(first: FlatGraph, other: FlatGraph, where: str) -> None:
    position = {node.name: number for number, node in enumerate(first.nodes)}
    renamed = {node.name: number for number, node in enumerate(other.nodes)}
    for one, two in zip(first.nodes, other.nodes, strict=False):
        same = one.operator == two.operator and one.args.keys() == two.args.keys()
        if not same or [position.get(n) for n in one.inputs] != [renamed.get(n) for n in two.inputs]:
            places = f"{one.operator} at {one.place or one.name}, and {two.operator} at {two.place or two.name}"
            raise ArchspecError(f"at {where} it is another network: {printable(places, 160)}")
    if len(first.nodes) != len(other.nodes):
        raise ArchspecError(f"at {where} it is another network, of {len(other.nodes)} layers, not {len(first.nodes)}")


def _merged_node(nodes: Sequence[FlatNode]) -> FlatNode:
    args = {name: _value([node.args[name] for node in nodes]) for name in nodes[0].args}
    return replace(nodes[0], args=args, shape=_shape([node.shape for node in nodes]))


def _value(values: Sequence[Any]) -> Any:
    if all(isinstance(value, tuple) and len(value) == len(values[0]) for value in values):
        return tuple(map(_value, zip(*values, strict=True)))
    if all(type(value) is int for value in values):
        return varied(values)
    if any(value != values[0] for value in values):
        raise ArchspecError(f"a setting is {' and '.join(map(str, values[:3]))} in different instances, and no number")
    return values[0]


def _shape(shapes: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    if len({len(shape) for shape in shapes}) > 1:
        raise ArchspecError("instances have results of different numbers of axes")
    return tuple(varied(sizes) for sizes in zip(*shapes, strict=True))


def _input(graphs: Sequence[FlatGraph], bound: Sequence[Bindings]) -> tuple[Any, ...]:
    """The input's sizes: those that follow the side are it."""
    sizes, sides = _shape([graph.input for graph in graphs])[1:], tuple(each.get(SIDE) for each in bound)
    return tuple(SIDE if spread(size, len(bound)) == sides else int(size) for size in sizes)
