"""Which results share one storage: views always, and what is written over its input where that is allowed."""

from dataclasses import dataclass, replace

from archspec.dims import Dim
from archspec.graph import Network, Node
from archspec.ops.base import same_size


@dataclass(frozen=True, slots=True)
class Storage:
    """A piece of memory that holds the result of a node, its views, and what is written over it.

    Attributes:
        name: The node that first writes it, or the input of the network.
        elements: How many numbers it holds.
        readers: The positions of the nodes that read it, or take a view of it.
        kept: Whether it holds a result of the network.
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
        storages: The storages; the first are the inputs'.
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
    roots = {name: name for name in network.inputs}  # of each value, the node that first wrote its storage
    for node in network.nodes:
        over = _overwritten(node, network, values, readers) if in_place else None
        if node.operator.view:
            roots[node.name] = roots[node.inputs[0]]
        else:
            roots[node.name] = node.name if over is None else roots[over]
    return _layout(network, roots)


def held(stored: StorageLayout) -> StorageLayout:
    """The storages as a module that calls modules holds them: what is handed to a part, until that part is done.

    A call keeps its arguments, and so does the caller: while a layer runs, the inputs of all the parts that it stands
    in are there, and the network's inputs are there to the end. So is a value with a name to which a step goes back,
    until the body that has the name is done. Each is read once more by the last node of such a part.
    """
    network = stored.network
    ends: dict[str, int] = {}  # of each part, its last node
    for position, node in enumerate(network.nodes):
        ends.update(dict.fromkeys(_parts(node.name), position))
    readers = [set(storage.readers) for storage in stored.storages]
    lies_in = dict(zip((node.name for node in network.nodes), stored.written, strict=True))
    lies_in |= {name: number for number, name in enumerate(network.inputs)}
    for node in network.nodes:
        for name in node.inputs:
            inside = set() if name in network.inputs else set(_parts(name))
            readers[lies_in[name]].update(ends[part] for part in _parts(node.name) if part not in inside)
    for name, bodies in network.gone_back.items():
        readers[lies_in[name]].update(ends.get(body, len(network.nodes) - 1) for body in bodies if name in lies_in)
    for number in range(len(network.inputs)):
        readers[number].add(len(network.nodes) - 1)
    storages = zip(stored.storages, readers, strict=True)
    return replace(stored, storages=tuple(replace(one, readers=tuple(sorted(of))) for one, of in storages))


def _parts(name: str) -> list[str]:
    """The parts of a network that a node stands in, from the outermost.

    >>> _parts("stage1/unit2/conv2d")
    ['stage1', 'stage1/unit2']
    """
    parts = name.split("/")
    return ["/".join(parts[:depth]) for depth in range(1, len(parts))]


def _values(network: Network) -> dict[str, str]:
    """Of each node the one whose result it is a view of; itself, if it is none."""
    values = {name: name for name in network.inputs}
    for node in network.nodes:
        values[node.name] = values[node.inputs[0]] if node.operator.view else node.name
    return values


def _overwritten(node: Node, network: Network, values: dict[str, str], readers: dict[str, set[str]]) -> str | None:
    """The input that a node may write its result over."""
    if not node.operator.in_place:
        return None
    untouchable = {*network.inputs, *(values[name] for name in network.outputs.values())}
    for name in node.inputs:
        value = values[name]
        if value not in untouchable and readers[value] == {node.name}:
            whole = network.tensor(value).elements
            if same_size(whole, node.output.elements):
                return name
    return None


def _layout(network: Network, roots: dict[str, str]) -> StorageLayout:
    numbers: dict[str, int] = {}
    kept = {roots[name] for name in network.outputs.values()}
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
            Storage(root, network.tensor(root).elements, tuple(readers[number]), root in kept)
            for root, number in numbers.items()
        ),
        tuple(numbers[roots[node.name]] for node in network.nodes),
        read,
    )
