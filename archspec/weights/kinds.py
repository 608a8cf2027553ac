"""Which layers of a network and of a source can be the same at all."""

from collections import Counter
from collections.abc import Sequence, Set
from dataclasses import dataclass
from itertools import compress

from archspec.weights.alignment import Side
from archspec.weights.layers import Layer


@dataclass(frozen=True, slots=True)
class Kinds:
    """The layers of both sides that have a like on the other one, and what they are.

    Attributes:
        here: The network's.
        there: The source's.
        of_here: For each, its kind; layers of one kind fit each other.
        of_there: For each, its kind.
    """

    here: tuple[Layer, ...]
    there: tuple[Layer, ...]
    of_here: tuple[int, ...]
    of_there: tuple[int, ...]

    @property
    def sides(self) -> tuple[Side, Side]:
        """Both, for the search."""
        ours, theirs = Counter(self.of_here), Counter(self.of_there)
        return Side(self.of_here, frozenset(ours - theirs)), Side(self.of_there, frozenset(theirs - ours))

    @property
    def single(self) -> frozenset[int]:
        """The kinds of which each side has one."""
        ours, theirs = Counter(self.of_here), Counter(self.of_there)
        return frozenset(kind for kind in ours if ours[kind] == 1 == theirs[kind])

    def equal(self) -> "Kinds":
        """The layers of which both sides have as many."""
        ours, theirs = Counter(self.of_here), Counter(self.of_there)
        return self.only({kind for kind in ours if ours[kind] == theirs[kind]})

    def only(self, wanted: Set[int]) -> "Kinds":
        """The layers of some kinds."""
        here = [kind in wanted for kind in self.of_here]
        there = [kind in wanted for kind in self.of_there]
        return Kinds(
            tuple(compress(self.here, here)),
            tuple(compress(self.there, there)),
            tuple(compress(self.of_here, here)),
            tuple(compress(self.of_there, there)),
        )


def kinds(here: Sequence[Layer], there: Sequence[Layer]) -> Kinds:
    """What each layer must share with its like, as strictly as both sides allow.

    The shape, and that both have a bias or neither, where both sides have as many such layers; else the shape; and
    where the other side has that shape nowhere, what a convolution shares with the linear layer that does the same.
    """
    exact = [Counter(_exact(layer) for layer in side) for side in (here, there)]
    same = {key for key, number in exact[0].items() if exact[1][key] == number}
    shapes = {layer.signature for layer in here} & {layer.signature for layer in there}
    numbers: dict[object, int] = {}

    def kind(layer: Layer, axes: int) -> int:
        flat = (*layer.flat, axes)
        key = _exact(layer) if _exact(layer) in same else layer.signature if layer.signature in shapes else flat
        return numbers.setdefault(key, len(numbers))

    ours = tuple(kind(layer, len(layer.shape)) for layer in here)
    theirs = tuple(kind(layer, {2: 4, 4: 2}.get(len(layer.shape), 0)) for layer in there)
    return Kinds(tuple(here), tuple(there), ours, theirs).only({*ours} & {*theirs})


def _exact(layer: Layer) -> tuple[object, ...]:
    return ("exact", layer.signature, "bias" in layer.arrays)
