"""How much memory a network's activations need: the peak, when it is reached, and by which order of the nodes.

    layerwise   a layer at a time: what a node reads and what it writes; the largest of these
    liveness    in the order of the nodes: what is alive while each runs, a skip connection from where it leaves to
                where it joins; the largest of these
    eager       the same of a PyTorch module that calls modules: what is handed to one is held until it returns
    training    all results are kept, as if for the backward pass: all of it (gradients and optimiser are not counted)

Views share their input's storage (`storage.py`); the network's input counts until it was read last, its result to the
end. The workspace of a kernel is not counted. Sizes may be ints, int64 arrays or SymPy expressions: a peak over free
symbols is one maximum of the few sizes that can be the largest.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from archspec.dims import Dim, alternatives, at_least_one, ceil_div, exact_div, is_array, maximum
from archspec.errors import ArchspecError, UndecidableError
from archspec.graph import Network, Node
from archspec.memory import DTYPES, check_request
from archspec.memory.order import best_order
from archspec.memory.storage import StorageLayout, held, layout
from archspec.result import Reported, short

FREES = ("liveness", "eager")
"""The policies under which results are given back."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A node while it runs.

    Attributes:
        node: The node.
        bytes: What is in memory, weights included if they count.
    """

    node: Node
    bytes: Dim


@dataclass(frozen=True)
class Memory(Reported):
    """What a network needs in memory.

    Attributes:
        network: The network.
        policy: What is in memory while a node runs; see `POLICIES`.
        dtype: The type of a number; see `DTYPES`.
        in_place: Whether activations, batch normalisations and sums are written over their input where they can be.
        weight_bytes: The bytes of all weights and statistics; 0 if they do not count.
        timeline: The nodes in the order in which they run.
        optimal: Whether no order needs less, so far as that is known.
    """

    network: Network
    policy: str
    dtype: str
    in_place: bool
    weight_bytes: Dim
    timeline: tuple[Moment, ...]
    optimal: bool
    _layout: StorageLayout

    @cached_property
    def peak(self) -> Dim:
        """The bytes at the highest point."""
        return _highest((moment.bytes for moment in self.timeline), self.policy)

    @property
    def order(self) -> tuple[str, ...]:
        """The names of the nodes in the order in which they run."""
        return tuple(moment.node.name for moment in self.timeline)

    @property
    def at(self) -> tuple[str, ...]:
        """The nodes at which the peak is reached; over free symbols, those at which it can be."""
        highest = alternatives(self.peak)
        return tuple(moment.node.name for moment in self.timeline if any(_same(moment.bytes, h) for h in highest))

    def alive(self, name: str) -> tuple[str, ...]:
        """What is in memory while a node runs: the nodes that wrote it first, and "input"; KeyError if there is none.

        >>> from archspec.graph import expand
        >>> from archspec.language import load
        >>> memory(expand(load("resnet18")), "liveness").alive("conv2_x/unit1/residual/conv1/batch_norm")
        ('pool1', 'conv2_x/unit1/residual/conv1/conv2d', 'conv2_x/unit1/residual/conv1/batch_norm')
        """
        positions = {node.name: i for i, node in enumerate(self.network.nodes)}
        order = [positions[other] for other in self.order]
        storages = dict(zip(self.order, _in_memory(self._layout, order, self.policy), strict=True))
        return tuple(self._layout.storages[storage].name for storage in sorted(storages[name]))

    def __repr__(self) -> str:
        return short(self, self.network.name, self.policy, self.dtype, f"peak {self.peak} B")


def memory(
    network: Network,
    policy: str = "layerwise",
    dtype: str = "float32",
    order: str = "given",
    *,
    in_place: bool = False,
    weights: bool = False,
) -> Memory:
    """The memory of a network under a policy.

    Args:
        network: Its sizes may be ints, int64 arrays or SymPy expressions; so are the figures.
        policy: What is in memory while a node runs; see `POLICIES`.
        dtype: The type of activations and weights; see `DTYPES`. Weights that need fewer bits are counted with those.
        order: "given", or "best": that with the least peak of what is alive, for sizes that are numbers.
        in_place: Whether activations, batch normalisations and sums are written over an input that nobody else reads.
        weights: Whether the weights are in memory too, all of them and all the time.

    Raises:
        UnknownNameError: There is no such policy, type or order.
        UndecidableError: The units of a repeat whose number is free keep something from before it alive.
        ArchspecError: The best order is asked for, and symbols are free.

    >>> from archspec.graph import expand
    >>> from archspec.language import load
    >>> found = memory(expand(load("lenet_5")))
    >>> found.peak, found.at  # 4·(20·24·24 + 20·12·12)
    (57600, ('pool1',))
    """
    check_request(policy, dtype, order)
    if (policy, order) == ("eager", "best"):
        raise ArchspecError("a module runs its layers in the given order; the best one is of the policy liveness")
    stored = _stored(network, policy, in_place)
    bits = DTYPES[dtype]
    sizes = tuple(_bytes(storage.elements, bits) for storage in stored.storages)
    schedule = best_order(stored, sizes) if order == "best" else None
    positions = tuple(range(len(network.nodes))) if schedule is None else schedule.order
    resident = _weight_bytes(network, bits) if weights else 0
    moments = (
        Moment(network.nodes[position], live + resident)
        for position, live in zip(positions, _heights(stored, positions, sizes, policy), strict=True)
    )
    optimal = schedule is not None and schedule.optimal
    return Memory(network, policy, dtype, in_place, resident, tuple(moments), optimal, stored)


def addends(
    network: Network, policy: str = "layerwise", dtype: str = "float32", *, in_place: bool = False
) -> Iterator[tuple[Dim, ...]]:
    """The bytes of each result that is in memory while each node runs, in the given order: a moment's summands.

    The peak is the largest of their sums. A sum is left to whoever asks, who may have arrays that grow when they meet.
    """
    stored = _stored(network, policy, in_place)
    sizes = [_bytes(storage.elements, DTYPES[dtype]) for storage in stored.storages]
    if policy == "training":
        yield tuple(times * size for times, size in zip(_times(stored), sizes, strict=True))
        return
    for storages in _in_memory(stored, range(len(network.nodes)), policy):
        yield tuple(sizes[storage] for storage in sorted(storages))


def peak_bytes(network: Network, policy: str = "layerwise", dtype: str = "float32", **options: Any) -> Dim:
    """The most bytes that are in memory at once; the options are those of `memory`."""
    return memory(network, policy, dtype, **options).peak


def _stored(network: Network, policy: str, in_place: bool) -> StorageLayout:
    stored = layout(network, in_place)
    if policy in FREES:
        _check_repeats(stored)
    return held(stored) if policy == "eager" else stored


def _highest(sizes: Iterable[Dim], policy: str) -> Dim:
    """The largest of sizes, of those that stand there often once; the last, if nothing is given back on the way."""
    sizes = list(sizes)
    if policy == "training":
        return sizes[-1]
    return maximum(*(sizes if any(map(is_array, sizes)) else dict.fromkeys(sizes)))


def _same(a: Dim, b: Dim) -> bool:
    """Whether two sizes are one expression; of arrays, whether any of their numbers are the same."""
    return bool((a == b).any()) if is_array(a) or is_array(b) else bool(a == b)


def _bytes(elements: Dim, bits: int) -> Dim:
    return elements * exact_div(bits, 8) if bits % 8 == 0 else ceil_div(elements * bits, 8)


def _weight_bytes(network: Network, bits: int) -> Dim:
    return sum(
        node.times * _bytes(weight.elements, min(weight.bits or bits, bits))
        for node in network.nodes
        for weight in network.weights_of(node)
    )


def _heights(stored: StorageLayout, order: tuple[int, ...], sizes: tuple[Dim, ...], policy: str) -> Iterator[Dim]:
    """The bytes in memory while each node of an order runs.

    Of a repeat whose number n is free there is one unit beside the first; that there is such a one, n ≥ 2, is recorded.
    """
    for times in dict.fromkeys(node.times for node in stored.network.nodes if type(node.times) is not int):
        at_least_one(times)
    if policy == "training":
        sizes = tuple(times * size for times, size in zip(_times(stored), sizes, strict=True))
    if policy == "layerwise":
        for node in order:
            yield sum(sizes[storage] for storage in dict.fromkeys((*stored.read[node], stored.written[node])))
        return
    live: Dim = 0
    for arrived, left in _changes(stored, order, frees=policy in FREES):
        live = live + sum(sizes[storage] for storage in arrived)
        yield live
        live = live - sum(sizes[storage] for storage in left)


def _times(stored: StorageLayout) -> Iterator[Dim]:
    """How many such storages each stands for."""
    inputs = stored.network.inputs
    return (1 if s.name in inputs else stored.network.node(s.name).times for s in stored.storages)


def _check_repeats(stored: StorageLayout) -> None:
    """See that no unit of a repeat reads what was there before the first, which would stay alive for the next."""
    for node, storages in zip(stored.network.nodes, stored.read, strict=True):
        for name in (stored.storages[storage].name for storage in storages):
            once = name in stored.network.inputs or stored.network.node(name).times == 1
            repeated = type(node.times) is not int and once
            if repeated and not _in_unit_before(name, node.name):
                raise UndecidableError(f"every unit of '{node.name}' keeps '{name}' alive; bind {node.times}")


def _in_unit_before(name: str, node: str) -> bool:
    """Whether a node lies in the first unit of the repeat that another is in the second unit of."""
    before, parts = name.split("/"), node.split("/")
    return any(parts[: i + 1] == [*before[:i], "unit2"] and before[i] == "unit1" for i in range(len(before)))


def _changes(stored: StorageLayout, order: Iterable[int], frees: bool) -> Iterator[tuple[list[int], list[int]]]:
    """While each node runs: the storages that come into use with it, and those that nobody needs behind it."""
    order = tuple(order)
    step_of = {node: step for step, node in enumerate(order)}
    users = [list(storage.readers) for storage in stored.storages]
    for node in order:
        users[stored.written[node]].append(node)
    last = [max((step_of[node] for node in nodes), default=0) for nodes in users]
    leaving: dict[int, list[int]] = {}
    for storage, step in enumerate(last):
        if not stored.storages[storage].kept:
            leaving.setdefault(step, []).append(storage)
    known: set[int] = set()
    inputs = range(len(stored.network.inputs))
    for step, node in enumerate(order):
        touched = dict.fromkeys((*(() if step else inputs), *stored.read[node], stored.written[node]))
        arrived = [storage for storage in touched if storage not in known]
        known.update(arrived)
        yield arrived, leaving.get(step, []) if frees else []


def _in_memory(stored: StorageLayout, order: Iterable[int], policy: str) -> Iterator[set[int]]:
    """The storages in memory while each node of an order runs."""
    if policy == "layerwise":
        yield from ({*stored.read[node], stored.written[node]} for node in order)
        return
    alive: set[int] = set()
    for arrived, left in _changes(stored, order, frees=policy in FREES):
        alive.update(arrived)
        yield set(alive)
        alive.difference_update(left)
