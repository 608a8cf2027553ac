"""Which of a source's layers are which of a network's: every way to lay its modules along the network.

A source is a tree of modules. Its keys do not say in which order the modules are computed, but for one thing: of two
modules whose labels differ in an index (`blocks.2`, `blocks.10`) the lower comes first. A module is a block: all its
layers are laid, each on a free layer of its kind whose predecessors are taken, before the next module's are. What is
found are all ways in which every layer has a place, and, of these, the best: those that lay most modules exactly on a
module of the network's, of these, those whose names share most words, and, where that is asked for, of these, those in
which modules with an index are in the order of the branches that a concatenation joins.

The search goes over sets of layers of the network that are taken; two ways that took the same set go on as one.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, field
from functools import cache
from typing import TypeAlias

from archspec.weights.words import LONGEST, before, natural

STEPS = 40_000
"""How far is searched, a second or so. Networks of the zoo take some thousands."""

WHOLE, WORD = 1 << 29, 1 << 13
"""What counts a module that is laid exactly on one of the network's, and what a shared word."""

Bits: TypeAlias = int
"""A set of numbers."""

Score: TypeAlias = Callable[[int, int], int]
"""How well the names of a layer here and of one of the source's agree."""


@dataclass(frozen=True, slots=True)
class Side:
    """The layers of one side, by number.

    Attributes:
        kinds: What a layer must share with one of the other side to be the same.
        spare: The kinds of which this side has more than the other, so that some stay without a match.
    """

    kinds: Sequence[int]
    spare: frozenset[int]


@dataclass(frozen=True, slots=True)
class Here(Side):
    """The network's layers.

    Attributes:
        above: For each layer, those that it depends on.
        modules: The sets of layers, two and more, that are the network's modules.
        after: For each layer, those in later branches of a concatenation; empty if that is not to count.
    """

    above: Sequence[Bits]
    modules: Set[Bits]
    after: Sequence[Bits] = ()


@dataclass(frozen=True, slots=True)
class Alignment:
    """What was found, by a layer's number here.

    Attributes:
        pairs: One of the best ways: by layer here, the source's.
        possible: The source's layers that it has in any way.
        best: Those that it has in a best way.
    """

    pairs: dict[int, int]
    possible: dict[int, set[int]]
    best: dict[int, set[int]]

    @property
    def open(self) -> set[int]:
        """The layers that have no single one, or one that another may have too."""
        wanted = Counter(other for those in self.best.values() for other in those)
        return {one for one, those in self.best.items() if len(those) > 1 or any(wanted[each] > 1 for each in those)}


class TooManyWaysError(Exception):
    """The search was given up."""


@dataclass(frozen=True, slots=True)
class _Module:
    """A module of the source: a layer, or parts; `earlier` has, for each part, those that come before it."""

    number: int
    layer: int
    parts: tuple["_Module", ...] = ()
    earlier: tuple[Bits, ...] = ()


def align(here: Here, there: Side, names: Sequence[str], score: Score, *, blocks: bool = True) -> Alignment | None:
    """The ways to lay a source along a network; None if there is none.

    Args:
        here: The network's layers, in topological order.
        there: The source's.
        names: Their names, whose modules are separated by dots.
        score: How well two names agree, 7 at most.
        blocks: Whether modules are blocks; if not, the indices in whole names are all that says an order.

    Raises:
        TooManyWaysError: There are too many.
    """
    tree = _tree(names) if blocks else _flat(names)
    return _AlignmentSearch(here, there, score).found(tree)


def _tree(names: Sequence[str]) -> _Module:
    count = iter(range(2 * len(names) + 1))

    def grown(layers: list[tuple[list[str], int]]) -> _Module:
        if len(layers) == 1:
            return _Module(next(count), layers[0][1])
        groups: dict[tuple[str, ...], list[tuple[list[str], int]]] = {}
        for parts, layer in layers:
            groups.setdefault(tuple(parts[:1]), []).append((parts[1:], layer))
        if len(groups) == 1:
            return grown(*groups.values())
        order = sorted(groups, key=lambda first: natural("".join(first)))
        labels = ["".join(first) for first in order]
        return _Module(next(count), -1, tuple(grown(groups[first]) for first in order), tuple(before(labels)))

    return grown([(name.split(".", LONGEST), layer) for layer, name in enumerate(names)])


def _flat(names: Sequence[str]) -> _Module:
    order = sorted(range(len(names)), key=lambda layer: natural(names[layer]))
    parts = tuple(_Module(number + 1, layer) for number, layer in enumerate(order))
    return _Module(0, -1, parts, tuple(before([names[layer] for layer in order])))


_State: TypeAlias = tuple[Bits, Bits]
"""Which parts of a module are laid, and which layers of the network are taken."""


_LastSteps: TypeAlias = Callable[[_Module, Bits, _State], Iterable[tuple[_State, int]]]
"""What finds the last steps to a state of a module that was begun with some layers taken."""


@dataclass(slots=True)
class _Ways:
    """The states of one module, begun with some layers taken: the best score of each, and the steps that lead there."""

    scores: dict[_State, int] = field(default_factory=dict)
    steps: dict[_State, list[tuple[_State, int]]] = field(default_factory=dict)


class _AlignmentSearch:
    def __init__(self, here: Here, there: Side, score: Score) -> None:
        self.there, self.score, self.left = there, cache(score), STEPS
        self.above, self.modules, self.after = here.above, here.modules, here.after
        self.members: dict[int, list[int]] = {}
        for layer, kind in enumerate(here.kinds):
            self.members.setdefault(kind, []).append(layer)
        self.needed = sum(1 << layer for layer, kind in enumerate(here.kinds) if kind not in here.spare)
        self.below = [0] * len(here.above)
        for layer, those in enumerate(here.above):
            for other in numbers(those):
                self.below[other] |= 1 << layer
        self.ends: dict[tuple[int, Bits], dict[Bits, int]] = {}
        self.ways: dict[tuple[int, Bits], _Ways] = {}

    def found(self, tree: _Module) -> Alignment | None:
        """The ways in which all layers that must be are taken."""
        ends = {taken: score for taken, score in self._ends(tree, 0).items() if not self.needed & ~taken}
        if not ends:
            return None
        most = max(ends.values())
        best = [taken for taken, score in ends.items() if score == most]
        possible = self._alternatives(tree, ends, self._any)
        return Alignment(self._pairs(tree, max(best)), possible, self._alternatives(tree, best, self._best))

    def _spend(self, steps: int) -> None:
        self.left -= steps
        if self.left < 0:
            raise TooManyWaysError

    def _ends(self, module: _Module, taken: Bits) -> dict[Bits, int]:
        """The layers that may be taken once a module is laid, with the best score of each."""
        key = module.number, taken
        if key not in self.ends:
            self.ends[key] = self._laid(module, taken) if module.parts else self._placed(module.layer, taken)
        return self.ends[key]

    def _placed(self, layer: int, taken: Bits) -> dict[Bits, int]:
        """One layer: on each of its kind that is free, that depends on nothing free, and that nothing taken needs."""
        kind = self.there.kinds[layer]
        self._spend(1 + len(self.members.get(kind, ())) // 16)
        ends = {taken: 0} if kind in self.there.spare else {}
        for place in self.members.get(kind, ()):
            bit = 1 << place
            if not (taken & bit or self.above[place] & self.needed & ~taken or self.below[place] & taken):
                ends[taken | bit] = WORD * self.score(place, layer)
        return ends

    def _laid(self, module: _Module, taken: Bits) -> dict[Bits, int]:
        """The parts of a module one behind the other, in every order that their indices allow."""
        ways = self.ways[module.number, taken] = _Ways({(0, taken): 0})
        states: list[_State] = [(0, taken)]
        width = 1 + len(module.parts) // 64  # sets of more numbers take longer
        for _ in module.parts:
            following: dict[_State, int] = {}
            for state in states:
                done, now = state
                self._spend(width)
                for part, child in enumerate(module.parts):
                    if done >> part & 1 or module.earlier[part] & ~done:
                        continue
                    self._spend(width)
                    for then in self._ends(child, now):
                        end = done | 1 << part, then
                        score = ways.scores[state] + self._step(module, taken, state, part, then)
                        following[end] = max(following.get(end, 0), score)
                        ways.steps.setdefault(end, []).append((state, part))
            ways.scores |= following
            states = sorted(following)
        return {now: ways.scores[done, now] + WHOLE * (now ^ taken in self.modules) for done, now in states}

    def _step(self, module: _Module, start: Bits, state: _State, part: int, then: Bits) -> int:
        """What laying a part counts: what it counts itself, and 1 if no later branch of a concatenation is taken."""
        now = state[1]
        if not self.after or not module.earlier[part]:
            return self._ends(module.parts[part], now)[then]
        late = any(self.after[layer] & (now ^ start) for layer in numbers(then ^ now))
        return self._ends(module.parts[part], now)[then] + (not late)

    def _any(self, module: _Module, taken: Bits, end: _State) -> Iterable[tuple[_State, int]]:
        """The last steps of the ways to a state."""
        return self.ways[module.number, taken].steps.get(end, ())

    def _best(self, module: _Module, taken: Bits, end: _State) -> Iterable[tuple[_State, int]]:
        """The last steps of the best ways to a state."""
        ways = self.ways[module.number, taken]
        for state, part in self._any(module, taken, end):
            if ways.scores[state] + self._step(module, taken, state, part, end[1]) == ways.scores[end]:
                yield state, part

    def _pairs(self, tree: _Module, taken: Bits) -> dict[int, int]:
        """One best way: where several are, the one in which names and places are both in order."""
        pairs, open_ = {}, [(tree, 0, taken)]
        while open_:
            module, start, then = open_.pop()
            if not module.parts:
                if then != start:
                    pairs[(then ^ start).bit_length() - 1] = module.layer
                continue
            state: _State = (1 << len(module.parts)) - 1, then
            while state != (0, start):
                last, part = max(self._best(module, start, state), key=lambda step: (step[1], -step[0][1]))
                open_.append((module.parts[part], last[1], state[1]))
                state = last
        return pairs

    def _alternatives(self, tree: _Module, ends: Iterable[Bits], last: _LastSteps) -> dict[int, set[int]]:
        """What each layer here has in any way to one of the ends, of those that such last steps make."""
        found: dict[int, set[int]] = {}
        open_ = [(tree, 0, then) for then in ends]
        seen = {(module.number, start, then) for module, start, then in open_}
        while open_:
            module, start, then = open_.pop()
            if not module.parts:
                if then != start:
                    found.setdefault((then ^ start).bit_length() - 1, set()).add(module.layer)
                continue
            states: list[_State] = [((1 << len(module.parts)) - 1, then)]
            passed = {*states}
            while states:
                state = states.pop()
                for earlier, part in last(module, start, state):
                    child = module.parts[part], earlier[1], state[1]
                    if (child[0].number, *child[1:]) not in seen:
                        seen.add((child[0].number, *child[1:]))
                        open_.append(child)
                    if earlier not in passed:
                        passed.add(earlier)
                        states.append(earlier)
        return found


def numbers(bits: Bits) -> Iterator[int]:
    """The numbers of a set, the lowest first."""
    while bits:
        low = bits & -bits
        yield low.bit_length() - 1
        bits ^= low
