"""Which of a network's layers depend on which, by their numbers."""

from collections.abc import Sequence
from functools import reduce
from operator import or_

from archspec.graph import Network
from archspec.weights.alignment import Bits, numbers
from archspec.weights.layers import Layer


class Wiring:
    """How a network's layers are connected.

    Attributes:
        number: By a layer's name, its number in topological order.
        above: By a layer's name, the layers that it depends on.
        after: By a layer's number, the layers in later branches of a concatenation.
        behind: By a layer's name, the one that normalises what it gives.
    """

    def __init__(self, network: Network, layers: Sequence[Layer]) -> None:
        self.number = {layer.name: number for number, layer in enumerate(layers)}
        self.above: dict[str, Bits] = {}
        self.after: list[Bits] = [0] * len(layers)
        self.behind: dict[str, Layer] = {}
        by_path = {layer.path: layer for layer in layers}
        reached: dict[str, Bits] = {}
        for node in network.nodes:
            own = by_path.get(node.name)
            branches = [reached.get(name, 0) for name in node.inputs]
            above = reduce(or_, branches, 0)
            reached[node.name] = above | (1 << self.number[own.name] if own else 0)
            if node.operator.name == "concat":
                self._concatenate(branches)
            if own is not None:
                self.above[own.name] = above
                feeder = by_path.get(node.inputs[0])
                if feeder is not None and feeder.kernel:
                    self.behind[feeder.name] = own

    def _concatenate(self, branches: Sequence[Bits]) -> None:
        for place, branch in enumerate(branches):
            later = reduce(or_, branches[place + 1 :], 0)
            for number in numbers(branch & ~later):
                self.after[number] |= later & ~branch

    def parallel(self, one: Layer, other: Layer) -> bool:
        """Whether of two layers, the first one first, neither depends on the other."""
        return not self.above[other.name] >> self.number[one.name] & 1
