"""From a network to the parts of its drawing, by the tree of its names: the blocks, branches and units it was built of.

What does nothing (`identity`) is a line. A layer takes what follows it, batch normalisation and activation, into its
box. Units and blocks that are alike and stand one behind the other are one group, ×n. A branch that goes back to
something before (`from`) begins there: what lies between stands beside it, as papers draw it.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from archspec.draw.blocks.labels import follows, layer, own_name, word
from archspec.draw.blocks.layout import BoxPart, Chain, ForkPart, GroupPart, Kind, Part, boxes, nodes
from archspec.graph import Network, Node

PLAIN = ("branch", "unit", "repeat", "group")
"""The kinds of containers that are no blocks of the specification."""

UNIT = re.compile(r".*/unit\d+")
"""What the units of a repeat are called."""

DEEPEST = 100


@dataclass(eq=False, slots=True)
class NamedPart:
    """A part of the tree of names.

    Attributes:
        path: Its path; empty for the network.
        kind: What it is made of; see `graph.Container`.
        block: Whether that is a block of the specification.
        inner: The nodes and parts in it, in the order in which they begin.
    """

    path: str
    kind: str = ""
    block: bool = False
    inner: "dict[str, NamedPart | Node]" = field(default_factory=dict)

    def all(self) -> Iterator[Node]:
        """The nodes in it."""
        for each in self.inner.values():
            if isinstance(each, NamedPart):
                yield from each.all()
            else:
                yield each


def folders(network: Network) -> NamedPart:
    """The tree of a network's names."""
    root = NamedPart("")
    known = network.document.blocks if network.document else {}
    for node in network.nodes:
        here, path = root, ""
        *parts, name = node.name.split("/")
        for part in parts:
            path = f"{path}/{part}" if path else part
            if part not in here.inner:
                container = network.containers.get(path)
                kind = container.kind if container else ""
                block = kind in known and (kind not in PLAIN or bool(container and container.args))
                here.inner[part] = NamedPart(path, kind, block)
            below = here.inner[part]
            if not isinstance(below, NamedPart):
                raise AssertionError(f"{path} is a node")
            here = below
        here.inner[name] = node
    return root


class Tree:
    """The parts of a network's drawing.

    Args:
        network: The network.
        depth: How many blocks deep it is opened; those below are closed boxes.
    """

    def __init__(self, network: Network, depth: int = DEEPEST) -> None:
        self.network = network
        self.depth = depth
        self.alias = {name: name for name in network.inputs}
        self._place = {node.name: place for place, node in enumerate(network.nodes)}
        for node in network.nodes:
            passes = node.operator.name == "identity" and len(node.inputs) == 1
            self.alias[node.name] = self.alias[node.inputs[0]] if passes else node.name
        kept = [node for node in network.nodes if self.alias[node.name] == node.name]
        self._users = Counter(name for node in kept for name in {self.alias[each] for each in node.inputs})
        self.root = folders(network)

    def chain(self, root: NamedPart) -> Chain:
        """What is in a folder; where that is one block alone, what is in the block."""
        level = 0
        while len(root.inner) == 1 and isinstance(only := next(iter(root.inner.values())), NamedPart):
            root = only
            level += root.block
        return Chain(self._sequence(root, level))

    # -------------------------------------------------------------- what a folder is made of

    def _sequence(self, folder: NamedPart, level: int) -> list[Part]:
        """The parts in a folder; branches stand side by side before their join."""
        parts: list[Part] = []
        waiting: list[NamedPart] = []
        inner = list(folder.inner.values())
        for _, alike in groupby(inner, self._signature):
            copies = list(alike)
            first = copies[0]
            if isinstance(first, NamedPart) and first.kind == "branch":
                waiting.extend(each for each in copies if isinstance(each, NamedPart))
            elif isinstance(first, Node) and len(first.inputs) > 1:
                parts.extend(self._fork(first, waiting, level))
                waiting = []
            else:
                parts.extend(self._open(waiting, level))
                waiting = []
                parts.extend(self._copies(copies, level))
        parts.extend(self._open(waiting, level))
        return _beside(_merged(parts, self._merges), lambda part: self.outside(nodes(part)))

    def _open(self, found: Sequence[NamedPart], level: int) -> Iterator[Part]:
        """Branches of which one alone does something are steps like others."""
        for folder in found:
            yield from self._sequence(folder, level)

    def _fork(self, join: Node, waiting: Sequence[NamedPart], level: int) -> Iterator[Part]:
        branches, sources, used = [], [], set[str]()
        for name in join.inputs:
            folder = next((each for each in waiting if name.startswith(f"{each.path}/")), None)
            if folder is not None:
                used.add(folder.path)
            branches.append(Chain([] if folder is None else self._branch(folder, level)))
            sources.append(self._begins(branches[-1], name))
        yield from self._open([folder for folder in waiting if folder.path not in used], level)
        kind: Kind = "sum" if len(word(join.operator)) == 1 else "join"
        yield ForkPart(branches, sources, BoxPart(kind, (word(join.operator),), (join.name,), join.name))

    def _branch(self, folder: NamedPart, level: int) -> list[Part]:
        parts = self._sequence(folder, level)
        if len(parts) == 1 and isinstance(parts[0], BoxPart):
            parts[0].caption = parts[0].caption or own_name(folder.path, folder.kind)
        return parts

    def _begins(self, branch: Chain, name: str) -> str:
        """What a branch begins with the result of; `name` is what it hands on, if it does nothing."""
        inside = nodes(branch)
        if not inside:
            return self.alias[name]
        return (self.outside(inside) or [self.alias[name]])[0]

    def outside(self, inside: set[str]) -> list[str]:
        """What nodes take from others, in the order in which they run."""
        found = (self.network.node(name) for name in sorted(inside, key=self._place.__getitem__))
        taken = (self.alias[name] for node in found for name in node.inputs)
        return list(dict.fromkeys(name for name in taken if name not in inside))

    def _copies(self, copies: Sequence[NamedPart | Node], level: int) -> Iterator[Part]:
        """Folders that are alike as one part, ×n; nodes as they are."""
        yield from self._leaves([each for each in copies if isinstance(each, Node)])
        twins = [each for each in copies if isinstance(each, NamedPart)]
        if not twins:
            return
        first, *others = twins
        part, times = self._folder(first, level), _times(twins)
        for other in others:
            twin = {node.name: each.name for node, each in zip(first.all(), other.all(), strict=True)}
            for each in part:
                for box in boxes(each):
                    box.nodes += tuple(twin[name] for name in box.nodes if name in twin)
        if times:
            yield from _grouped(part, first, times)
        else:
            yield from part

    def _folder(self, folder: NamedPart, level: int) -> list[Part]:
        """A folder as parts: a closed box, a box with a caption, or a frame."""
        parts = self._sequence(folder, level + folder.block)
        name = own_name(folder.path, folder.kind)
        if len(parts) == 1 and isinstance(parts[0], BoxPart):
            parts[0].caption = parts[0].caption or name
        elif folder.block and level >= self.depth:
            return [self._closed(folder)]
        elif folder.block and parts:
            return [GroupPart(_title(folder), Chain(parts))]
        return parts

    def _closed(self, folder: NamedPart) -> BoxPart:
        every = [node.name for node in folder.all()]
        inside = tuple(name for name in every if self.alias[name] == name)
        last = self.alias[every[-1]]
        return BoxPart("closed", (folder.kind,), inside, last, own_name(folder.path, folder.kind))

    def _leaves(self, found: Sequence[Node]) -> Iterator[BoxPart]:
        for node in found:
            if self.alias[node.name] == node.name:
                times = "" if type(node.times) is int else f"×{node.times}"
                text = layer(self.network, node)
                same = sorted({owner.rpartition("/")[0] or owner for owner in node.shared.values()})
                lines = (text, f"weights of {', '.join(same)}") if same else (text,)
                yield BoxPart("layer", lines, (node.name,), node.name, times=times)

    # -------------------------------------------------------------- what is alike, and what belongs together

    def _merges(self, before: BoxPart, box: BoxPart) -> bool:
        """Whether a box is what follows the layer before it, and nothing else needs what that gives."""
        if box.kind != "layer" or before.kind not in ("layer", "join") or box.times != before.times:
            return False
        node = self.network.node(box.nodes[0])
        chained = self.alias[node.inputs[0]] == before.output and self._users[before.output] == 1
        return chained and len(box.nodes) == 1 and follows(node.operator)

    def _signature(self, each: NamedPart | Node) -> Any:
        """What two parts must have in common to be alike: operators, shapes, and how their nodes are wired."""
        if isinstance(each, Node):
            return each.name
        if not UNIT.fullmatch(each.path):
            return each.path
        place: dict[str, int] = {}
        lines = []
        for number, node in enumerate(each.all()):
            wires = tuple(place.get(name, -1) for name in node.inputs)
            inputs = tuple(self.network.tensor(name) for name in node.inputs)
            lines.append((node.operator, inputs, node.output, wires, node.name[len(each.path) :]))
            place[node.name] = number
        return (each.kind, lines)


def _times(copies: Sequence[NamedPart]) -> str:
    """How many copies there are: a number from 2, or an expression where a repeat is free."""
    free = [node.times for node in copies[0].all() if type(node.times) is not int]
    if free:
        return f"×{free[0]}"
    return f"×{len(copies)}" if len(copies) > 1 else ""


def _grouped(parts: list[Part], folder: NamedPart, times: str) -> Iterator[Part]:
    """Parts that stand there several times: a box that says so, or a frame."""
    if len(parts) == 1 and isinstance(parts[0], (BoxPart, GroupPart)) and not parts[0].times:
        parts[0].times = times
        yield parts[0]
    else:
        yield GroupPart(_title(folder), Chain(parts), times)


def _title(folder: NamedPart) -> str:
    name, kind = own_name(folder.path, folder.kind), folder.kind if folder.block else ""
    return f"{name}: {kind}" if name and kind else name or kind


def _merged(parts: Sequence[Part], merges: Any) -> list[Part]:
    """The parts, those that follow a layer in its box."""
    found: list[Part] = []
    for part in parts:
        before = found[-1] if found else None
        if isinstance(part, BoxPart) and isinstance(before, BoxPart) and merges(before, part):
            before.lines = (before.lines[0], ", ".join((*before.lines[1:], *part.lines)))
            before.nodes += part.nodes
            before.output = part.output
        else:
            found.append(part)
    return found


def _beside(parts: list[Part], source: Any) -> list[Part]:
    """The parts, those beside each other that lead to the two branches of a join from one place, or from two inputs."""
    found: list[Part] = []
    for part in parts:
        if isinstance(part, ForkPart) and (place := _goes_back(part, found, source)) is not None:
            far, start, second = place
            near = 1 - far
            part.branches[near].parts[:0] = found[second:]
            part.branches[far].parts[:0] = found[start:second]
            if second > start:
                part.sources[far] = next(iter(source(found[start])), part.sources[far])
            part.sources[near] = next(iter(source(found[second])), part.sources[near])
            del found[start:]
        found.append(part)
    return list(map(_alone, found))


def _alone(part: Part) -> Part:
    """A join without branches as a box like others: what it takes from further up goes around."""
    if isinstance(part, ForkPart) and not any(branch.parts for branch in part.branches):
        return part.join
    return part


def _goes_back(fork: ForkPart, before: Sequence[Part], source: Any) -> tuple[int, int, int] | None:
    """Which branch of a join of two goes back, to behind which part before it, and where the parts of the other begin.

    None if neither does. In the first case nothing lies on the way of the one that goes back, a shortcut; in the second
    two rows of parts lead to the join, and the second begins where the first does, or at another input.
    """
    if len(fork.branches) != 2 or not before or fork.sources[0] == fork.sources[1]:
        return None
    last = nodes(before[-1])
    for far, near in ((0, 1), (1, 0)):
        if fork.sources[near] not in last or fork.sources[far] in last:
            continue
        for start in range(len(before)):
            if fork.sources[far] in source(before[start]):
                return far, start, start
        for second in range(len(before) - 1, 0, -1):
            if fork.sources[far] in nodes(before[second - 1]):
                return _two_rows(before, source, far, second)
    return None


def _two_rows(before: Sequence[Part], source: Any, far: int, second: int) -> tuple[int, int, int] | None:
    """Where two rows of parts begin, the second at a place; None if the second goes on from the first."""
    taken = set(source(before[second]))
    if taken & nodes(before[second - 1]):
        return None
    origin = [number for number in range(second) if taken & nodes(before[number])]
    start = origin[-1] + 1 if origin else 0
    return (far, start, second) if start < second else None
