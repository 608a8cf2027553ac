"""Two lists of layers beside each other: as many as can be in the order of both, the others by their place and name."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from archspec.errors import ArchspecError
from archspec.weights.layers import Layer
from archspec.weights.words import likeness, words

MOST = 4096
"""The most layers of a side: the table of all pairs has 4 bytes for each."""

NEAREST = 64
"""With how many layers of the source one that is left over is compared."""

Why: TypeAlias = Literal["key", "only", "order", "place", "names", "norm", "assumed", "run"]
"""Why a layer is matched with another; `matching.WHY` says each in words."""

Found: TypeAlias = dict[int, tuple[int, Why]]
"""By the number of a layer here, that of the source's and why."""

Scores: TypeAlias = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two layers that fit, both left over."""

    here: int
    there: int
    outside: bool
    distance: int
    words: int

    @property
    def cost(self) -> tuple[bool, float, int, int]:
        """What is low where they belong together: a place in another block is worst."""
        return (self.outside, self.distance / (1 + self.words), self.here, self.there)


def align(here: Sequence[Layer], there: Sequence[Layer]) -> Found:
    """For layers of one side those of the other: equal signatures, each used once.

    Raises:
        ArchspecError: There are too many layers.
    """
    if max(len(here), len(there)) > MOST:
        raise ArchspecError(f"{max(len(here), len(there))} layers are more than are matched: {MOST}")
    if not here or not there:
        return {}
    pairs = _in_order(_scores(here, there))
    mates = _Mates(here, there, pairs)
    pairs = {one: other for one, other in pairs.items() if mates.agree(one, other)}
    signatures, others = Counter(layer.signature for layer in here), Counter(layer.signature for layer in there)
    found: Found = {}
    for one, other in pairs.items():
        alone = signatures[here[one].signature] == 1 == others[there[other].signature]
        found[one] = other, "only" if alone else "order"
    for pair in _by_place(here, there, pairs, mates):
        alone = signatures[here[pair.here].signature] == 1 == others[there[pair.there].signature]
        found[pair.here] = pair.there, "only" if alone else "place"
    return found


def _scores(here: Sequence[Layer], there: Sequence[Layer]) -> Scores:
    """What each pair is worth, 0 where it does not fit: a pair more outweighs all else, then biases, then words."""
    pair = 64 * (min(len(here), len(there)) + 1)
    exact = _equal([layer.signature for layer in here], [layer.signature for layer in there])
    axes = np.array([len(layer.shape) for layer in here])[:, None] * [len(layer.shape) for layer in there]
    fits = exact | (_equal([layer.flat for layer in here], [layer.flat for layer in there]) & (axes == 2 * 4))
    biases = _equal(["bias" in layer.arrays for layer in here], ["bias" in layer.arrays for layer in there])
    return np.where(fits, pair + 16 * exact + 8 * biases + _shared_words(here, there), 0).astype(np.int32)


def _equal(here: Sequence[object], there: Sequence[object]) -> NDArray[np.bool_]:
    """The table of who equals whom."""
    numbers: dict[object, int] = {}
    one, two = (np.array([numbers.setdefault(key, len(numbers)) for key in side]) for side in (here, there))
    table: NDArray[np.bool_] = np.equal(one[:, None], two)
    return table


def _shared_words(here: Sequence[Layer], there: Sequence[Layer]) -> Scores:
    """How many words each pair shares, 7 at most."""
    one, two = [words(layer.path) for layer in here], [words(layer.name) for layer in there]
    known = {word: number for number, word in enumerate(sorted(set().union(*one) & set().union(*two)))}
    tables = []
    for side in (one, two):
        table = np.zeros((len(side), len(known)), np.float32)
        for row, found in enumerate(side):
            table[row, [known[word] for word in found if word in known]] = 1
        tables.append(table)
    shared: Scores = np.minimum(tables[0] @ tables[1].T, 7).astype(np.int32)
    return shared


def _in_order(scores: Scores) -> dict[int, int]:
    """The pairs of the highest sum that cross nowhere; O(n·m), a row at a time."""
    n, m = scores.shape
    best = np.zeros((n + 1, m + 1), np.int32)
    for row in range(n):
        taken = np.where(scores[row] > 0, best[row, :-1] + scores[row], 0)
        best[row + 1, 1:] = np.maximum.accumulate(np.maximum(best[row, 1:], taken))
    pairs, row, column = {}, n, m
    while row and column:
        if best[row, column] == best[row - 1, column]:
            row -= 1
        elif best[row, column] == best[row, column - 1]:
            column -= 1
        else:
            row, column = row - 1, column - 1
            pairs[row] = column
    return dict(sorted(pairs.items()))


class _Mates:
    """The blocks in which the other layers of a source's module stand."""

    def __init__(self, here: Sequence[Layer], there: Sequence[Layer], pairs: dict[int, int]) -> None:
        self.here, self.there = here, there
        self.blocks: dict[str, Counter[str]] = {}
        self.own = {other: here[one].block for one, other in pairs.items()}
        for one, other in pairs.items():
            for module in _modules(there[other].name):
                self.blocks.setdefault(module, Counter())[here[one].block] += 1

    def block(self, other: int) -> str | None:
        """The block of three in four of its mates, two at least, in the smallest module of which that can be said."""
        for module in _modules(self.there[other].name):
            mates = Counter(self.blocks.get(module, {}))
            if other in self.own:
                mates[self.own[other]] -= 1
            if mates.total() >= 2:
                (block, most), *_ = mates.most_common(1)
                if 4 * most >= 3 * mates.total():
                    return block
        return None

    def agree(self, one: int, other: int) -> bool:
        """Whether a pair does not stand apart from its mates."""
        return self.block(other) in (None, self.here[one].block)


def _modules(name: str) -> Iterable[str]:
    """The modules that a layer is in, the smallest first; not the whole."""
    parts = name.split(".")[:-1]
    return (".".join(parts[:end]) for end in range(len(parts), 0, -1))


def _by_place(here: Sequence[Layer], there: Sequence[Layer], pairs: dict[int, int], mates: _Mates) -> list[Pair]:
    """Of the layers that are left over, those that fit: in the block of their mates, nearest, of the likest names."""
    chosen: list[Pair] = []
    used: tuple[set[int], set[int]] = set(), set()
    for pair in sorted(_possible(here, there, pairs, mates), key=lambda pair: pair.cost):
        if pair.here not in used[0] and pair.there not in used[1]:
            chosen.append(pair)
            used[0].add(pair.here)
            used[1].add(pair.there)
    return chosen


def _possible(here: Sequence[Layer], there: Sequence[Layer], pairs: dict[int, int], mates: _Mates) -> Iterable[Pair]:
    """The pairs that fit among the layers left over: each with the nearest of the source's."""
    expected, taken = _expected(len(there), pairs), {*pairs.values()}
    free: dict[object, list[int]] = {}
    for other in range(len(there)):
        if other not in taken:
            free.setdefault(there[other].flat, []).append(other)
    blocks = {other: mates.block(other) for others in free.values() for other in others}
    for one, layer in enumerate(here):
        if one not in pairs:
            fitting = [
                (blocks[other] not in (None, layer.block), abs(expected[other] - one), other)
                for other in free.get(layer.flat, ())
                if layer.fits(there[other])
            ]
            for outside, distance, other in nsmallest(NEAREST, fitting):
                yield Pair(one, other, outside, distance, likeness(layer.path, there[other].name))


def _expected(size: int, pairs: dict[int, int]) -> list[int]:
    """Where each of the source's layers would stand here, were it in order: behind the match of the last one before."""
    back, last, places = {other: one for one, other in pairs.items()}, 0, []
    for other in range(size):
        last = back.get(other, last)
        places.append(last)
    return places
