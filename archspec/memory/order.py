"""The order of a network's nodes that needs the least memory.

A state is the set of nodes that have run. How much is alive in a state does not depend on how it was reached, so the
search is for a path from nothing to everything whose highest point is lowest: Dijkstra's algorithm with the maximum in
place of the sum. Two facts keep it small. A node that is ready, does not lift the highest point so far, and leaves no
more alive than there is now, can always run at once: it frees later at least what it would free now. And the states
are sets closed under "comes before", of which a network of blocks in a row has few.
"""

import heapq
from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce

from archspec.dims import is_number
from archspec.errors import ArchspecError
from archspec.memory.storage import StorageLayout

MAX_WORK = 200_000
BEAM = 16


@dataclass(frozen=True, slots=True)
class Schedule:
    """An order of the nodes, and whether it was proved that none needs less."""

    order: tuple[int, ...]
    optimal: bool


def best_order(layout: StorageLayout, sizes: tuple[int, ...], max_work: int = MAX_WORK) -> Schedule:
    """The order whose peak of live storages is least.

    Args:
        layout: What is stored where.
        sizes: The size of each storage.
        max_work: After so many steps the search goes on for as many with the `BEAM` best states of each length alone,
            and its result is the better of what that finds and the given order.

    Raises:
        ArchspecError: A size is not a number.
    """
    if not all(map(is_number, sizes)):
        raise ArchspecError("the best order depends on the sizes; bind the free symbols, or take the given order")
    search = _OrderSearch(layout, sizes)
    found = search.exhaustively(max_work)
    if found is not None:
        return Schedule(found, optimal=True)
    given = tuple(range(len(layout.written)))
    near = search.with_beam(BEAM, 2 * max_work)
    return Schedule(given if near is None else min((near, given), key=search.peak), optimal=False)


@dataclass(frozen=True, slots=True)
class _State:
    """A set of nodes that have run, and the best way to it that is known.

    Attributes:
        done: The nodes, as bits.
        highest: The most that was alive at once on this way.
        alive: The storages that are in use.
        live: How large they are together.
        ready: The nodes that can run.
        path: The last node, and the path before it.
    """

    done: int
    highest: int
    alive: frozenset[int]
    live: int
    ready: frozenset[int]
    path: "_Path"

    def order(self) -> tuple[int, ...]:
        """The nodes in the order in which they ran."""
        nodes, path = [], self.path
        while path is not None:
            node, path = path
            nodes.append(node)
        return tuple(reversed(nodes))


_Path = tuple[int, "_Path"] | None


class _OrderSearch:
    """The states of a network, as bit sets of positions."""

    def __init__(self, layout: StorageLayout, sizes: tuple[int, ...]) -> None:
        self.sizes, self.written, self.read = sizes, layout.written, layout.read
        self.readers = [sum(1 << reader for reader in storage.readers) for storage in layout.storages]
        self.kept = [storage.kept for storage in layout.storages]
        position = {node.name: i for i, node in enumerate(layout.network.nodes)}
        needs = [{position[name] for name in node.inputs if name in position} for node in layout.network.nodes]
        self.needs = [sum(1 << other for other in inputs) for inputs in needs]
        self.followers: list[list[int]] = [[] for _ in needs]
        for node, inputs in enumerate(needs):
            for other in inputs:
                self.followers[other].append(node)
        self.work = 0
        given = len(layout.network.inputs)
        ready = frozenset(node for node, before in enumerate(self.needs) if not before)
        self.first = _State(0, 0, frozenset(range(given)), sum(sizes[:given]), ready, None)

    def after(self, state: _State, node: int) -> _State:
        """The state once a node has run."""
        self.work += 1
        done, storage = state.done | 1 << node, self.written[node]
        alive = state.alive | {storage}
        during = state.live if storage in state.alive else state.live + self.sizes[storage]
        used = alive.intersection((*self.read[node], storage))
        freed = {other for other in used if not self.kept[other] and not self.readers[other] & ~done}
        ready = (state.ready - {node}).union(after for after in self.followers[node] if not self.needs[after] & ~done)
        live = during - sum(self.sizes[other] for other in freed)
        return _State(done, max(state.highest, during), alive - freed, live, ready, (node, state.path))

    def peak(self, order: Iterable[int]) -> int:
        """The highest point of an order."""
        return reduce(self.after, order, self.first).highest

    def next(self, state: _State) -> list[_State]:
        """The states that have to be looked at behind one: that of a node that can run at once without loss, or all."""
        found = []
        for node in sorted(state.ready):
            after = self.after(state, node)
            if after.highest == state.highest and after.live <= state.live:
                return [after]
            found.append(after)
        return found

    def exhaustively(self, max_work: int) -> tuple[int, ...] | None:
        """The best order; None if it takes too many steps to find."""
        queue: list[tuple[int, int, int, _State]] = [(0, 0, 0, self.first)]
        seen: set[int] = set()
        count = 0
        while queue:
            _, _, _, state = heapq.heappop(queue)
            if state.done.bit_count() == len(self.written):
                return state.order()
            if state.done in seen:
                continue
            seen.add(state.done)
            if self.work > max_work:
                return None
            for after in self.next(state):
                count += 1
                if after.done not in seen:
                    heapq.heappush(queue, (after.highest, -after.done.bit_count(), count, after))
        raise AssertionError("every network can be run to its end")

    def with_beam(self, width: int, max_work: int) -> tuple[int, ...] | None:
        """A good order: of the states of each length only the best go on; None if that takes too many steps."""
        beam = [self.first]
        for _ in self.written:
            if self.work > max_work:
                return None
            best: dict[int, _State] = {}
            for after in (after for state in beam for after in self.next(state)):
                known = best.get(after.done)
                if known is None or after.highest < known.highest:
                    best[after.done] = after
            beam = heapq.nsmallest(width, best.values(), key=lambda state: (state.highest, state.live))
        return beam[0].order()
