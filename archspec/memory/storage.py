"""Which results share one storage: views always, and what is written over its input where that is allowed."""

from dataclasses import dataclass

from archspec.dims import Dim
from archspec.graph import Network, Node
from archspec.graph.network import INPUT
from archspec.ops.base import same_size


@dataclass(frozen=True, slots=True)
class Storage:
    """A piece of memory that holds the result of a node, its views, and what is written over it.

    Attributes:
        name: The node that first writes it, or the network's input.
        elements: How many numbers it holds.
        readers: The positions of the nodes that read it, or take a view of it.
        kept: Whether it holds the network's result.
    """

    name: str
    elements: Dim
    readers: tuple[int, ...]
    kept: bool


@dataclass(frozen=True, slots=True)
class StorageLayout:
    """What a network's results are stored in.

    Attributes:
        network: The network.
        storages: The storages; the first is the input's.
        written: Of each node in the network's order, the storage that its result lies in.
        read: Of each node, the storages that its inputs lie in, each once.
    """

    network: Network
    storages: tuple[Storage, ...]
    written: tuple[int, ...]
    read: tuple[tuple[int, ...], ...]


def layout(network: Network, in_place: bool = False) -> StorageLayout:
    """The storages of a network.

    A view (flatten, split, dropout, identity) lies in its input's storage. With `in_place`, so does the result of an
    activation, a batch normalisation or a sum, if nothing else reads that input, it is as large, and it is neither the
    network's input nor its result; whatever the order of the nodes, nobody then misses what was written over.
    """
    values = _values(network)
    readers: dict[str, set[str]] = {}
    for node in network.nodes:
        if not node.operator.view:
            for name in node.inputs:
                readers.setdefault(values[name], set()).add(node.name)
    roots = {INPUT: INPUT}  # of each value, the node that first wrote its storage
    for node in network.nodes:
        over = _overwritten(node, network, values, readers) if in_place else None
        if node.operator.view:
            roots[node.name] = roots[node.inputs[0]]
        else:
            roots[node.name] = node.name if over is None else roots[over]
    return _layout(network, roots)


def _values(network: Network) -> dict[str, str]:
    """Of each node the one whose result it is a view of; itself, if it is none."""
    values = {INPUT: INPUT}
    for node in network.nodes:
        values[node.name] = values[node.inputs[0]] if node.operator.view else node.name
    return values


def _overwritten(node: Node, network: Network, values: dict[str, str], readers: dict[str, set[str]]) -> str | None:
    """The input that a node may write its result over."""
    if not node.operator.in_place:
        return None
    untouchable = {INPUT, values[network.output]}
    for name in node.inputs:
        value = values[name]
        if value not in untouchable and readers[value] == {node.name}:
            whole = network.tensor(value).elements
            if same_size(whole, node.output.elements):
                return name
    return None


def _layout(network: Network, roots: dict[str, str]) -> StorageLayout:
    numbers: dict[str, int] = {}
    for root in roots.values():
        numbers.setdefault(root, len(numbers))
    read = tuple(tuple(dict.fromkeys(numbers[roots[name]] for name in node.inputs)) for node in network.nodes)
    readers: list[list[int]] = [[] for _ in numbers]
    for position, storages in enumerate(read):
        for storage in storages:
            readers[storage].append(position)
    return StorageLayout(
        network,
        tuple(
            Storage(root, network.tensor(root).elements, tuple(readers[number]), root == roots[network.output])
            for root, number in numbers.items()
        ),
        tuple(numbers[roots[node.name]] for node in network.nodes),
        read,
    )
