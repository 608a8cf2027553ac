"""Units of a graph that says nothing of modules, from what it computes alone: places for its nodes, as modules have.

A file of ONNX whose nodes are called `Conv_0`, or nothing, is one long body. Its convolutions, each with the
normalisation and the activation behind it, its other layers and its forks become tokens without sizes: a 1 × 1
convolution, a larger one, a depthwise one; a fork is what its longest branch is. Then

1. a run of tokens outside of forks which is a fork's longest branch is a unit as that fork is, without its shortcut;
2. forks that follow one of their own kind are units by themselves;
3. of other runs that occur again and again, each is a unit, the one that saves most first;
4. what is left of forks are units by themselves.

Within branches, runs that a branch repeats are units, too, and so are gates. A unit is called after what it is made
of, as papers call it. Whether such blocks say the network in fewer words, and are the same network, is asked of the
document that comes of them.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise, takewhile
from typing import TypeAlias

from archspec import ops
from archspec.importing.flat import FlatGraph, FlatNode
from archspec.importing.items import Back, ForkItem, Items, Leaf, flattened
from archspec.importing.program import NOWHERE, Place
from archspec.importing.wiring import wired
from archspec.ops.activation import activates

Token: TypeAlias = tuple[object, ...]

LONGEST = 10
"""Runs of more parts are not looked for."""

DEEPEST = 12
"""Graphs with more forks in one another are read without: no paper's units are so deep."""

LEAST_SAVED = 2
"""A run becomes units if so many parts need not be said again, or more."""

GATE: Token = ("gate",)
PASSED = frozenset({"split", "identity"})
"""Operators that hand on: units with and without them are of one kind."""


@dataclass(slots=True)
class GraphPart:
    """What stands as one in a body: a layer with what follows it, or a fork; or a unit of several.

    Attributes:
        token: What it is, without its sizes.
        nodes: The nodes that it stands for.
        main: Of a fork, the tokens of its longest branch.
        unit: Whether it is a unit.
    """

    token: Token
    nodes: list[FlatNode] = field(default_factory=list)
    main: tuple[Token, ...] = ()
    unit: bool = False


def with_units(graph: FlatGraph) -> FlatGraph | None:
    """The graph with places that say which nodes are a unit together; None if it has such, or no units are found."""
    if _says_units(graph):
        return None
    items = wired(graph, modules=False)
    if any(isinstance(item, Back) for item in items) or _depth(items) > DEEPEST:
        return None
    places = dict[str, Place]()
    parts = _repeated([_single(_like_forks(_parts(items)))], among_all=True)
    _put(places, [part for body in parts for part in body if part.unit or part.main], "unit")
    inner = _repeated([_parts(body) for body in _branches(items)], among_all=False)
    _put(places, [part for body in inner for part in body if part.unit], "part")
    _put(places, [GraphPart(GATE, nodes) for nodes in _gates(items)], "gate")
    if not places:
        return None
    above = _above_all(graph)
    return replace(graph, nodes=tuple(_placed(node, places.get(node.name, NOWHERE), above) for node in graph.nodes))


def _placed(node: FlatNode, unit: Place, above: int) -> FlatNode:
    """A node in its unit; what its layer is called is said inside of that."""
    names, kinds = node.place.names[above:], node.place.kinds[above:]
    return replace(node, place=Place((*unit.names, *names), (*unit.kinds, *kinds)))


def _above_all(graph: FlatGraph) -> int:
    """How many modules all layers with weights stand in."""
    several = [node.place.names for node in graph.nodes if _weighs(node)]
    alike = (len({*names}) == 1 for names in zip(*several, strict=False))
    return sum(takewhile(bool, alike))


def _depth(items: Items) -> int:
    """How many forks stand in one another."""
    forks = (item for item in items if isinstance(item, ForkItem))
    return max((1 + _depth(branch.items) for fork in forks for branch in fork.branches), default=0)


def _says_units(graph: FlatGraph) -> bool:
    """Whether some module holds several layers with weights, and not all; a name for each layer says nothing."""
    layers = [node for node in graph.nodes if _weighs(node)]
    held = Counter(node.place.names[: end + 1] for node in layers for end in range(len(node.place.names)))
    return any(1 < often < len(layers) for often in held.values())


def _weighs(node: FlatNode) -> bool:
    return any(word in node.operator for word in ("conv", "linear"))


def _put(places: dict[str, Place], units: Sequence[GraphPart], word: str) -> None:
    """Note the places of units, inside of those that are noted."""
    members = defaultdict[Token, list[GraphPart]](list)
    for unit in units:
        members[unit.token].append(unit)
    kinds = {token: _kind(alike) for token, alike in members.items()}
    for number, unit in enumerate(units, 1):
        for node in unit.nodes:
            outer = places.get(node.name, NOWHERE)
            places[node.name] = Place((*outer.names, f"{word}{number}"), (*outer.kinds, kinds[unit.token]))


# ------------------------------------------------------------------ parts and their tokens


def _parts(items: Items) -> list[GraphPart]:
    """The parts of a body."""
    found: list[GraphPart] = []
    for item in items:
        if isinstance(item, ForkItem):
            found.append(_fork(item))
        elif isinstance(item, Leaf):
            last = found[-1] if found else None
            if last is not None and _joins(last, item.operator):
                last.nodes += item.nodes
                last.token = (*last.token[:2], last.token[2] or item.operator != "batch_norm")
            else:
                found.append(GraphPart(_token(item), [*item.nodes]))
    return found


def _token(leaf: Leaf) -> Token:
    if leaf.operator != "conv2d":
        return ("activation",) if _activates(leaf.operator) else (leaf.operator,)
    groups, kernel = leaf.args.get("groups", 1), leaf.args["kernel_size"]
    depthwise = groups != 1 and groups == leaf.entry[1]
    return leaf.operator, "depthwise" if depthwise else "pointwise" if kernel == 1 else "wide", False


def _joins(part: GraphPart, operator: str) -> bool:
    """Whether what stands behind a convolution belongs to it: a normalisation, and an activation."""
    if part.token[0] != "conv2d" or part.token[2]:
        return False
    return (operator == "batch_norm" and len(part.nodes) == 1) or _activates(operator)


def _activates(operator: str) -> bool:
    return operator in ops.registered() and activates(ops.operator(operator))


def _fork(fork: ForkItem) -> GraphPart:
    nodes = [*flattened([fork])]
    branches = [
        tuple(part.token for part in _parts(branch.items) if part.token != GATE and part.token[0] not in PASSED)
        for branch in fork.branches
    ]
    if not any(map(_weighs, nodes)):
        return GraphPart((fork.operator, *branches), nodes)
    if _is_gate(fork, nodes):
        return GraphPart(GATE, nodes)
    main = max(branches, key=lambda branch: (len(branch), repr(branch)))
    several = (fork.operator, *sorted(branches, key=repr)) if len(branches) > 2 else main
    return GraphPart(("fork", *several), nodes, main)


def _is_gate(fork: ForkItem, nodes: Sequence[FlatNode]) -> bool:
    """Whether it is a product of a value and what layers with weights make of its means."""
    pools = any(node.operator == "global_avg_pool" for node in nodes)
    return fork.operator == "mul" and pools and any(map(_weighs, nodes))


def _branches(items: Items) -> Iterator[Items]:
    """The bodies of all branches, but for those of gates."""
    for item in items:
        if isinstance(item, ForkItem) and not _is_gate(item, [*flattened([item])]):
            for branch in item.branches:
                yield branch.items
                yield from _branches(branch.items)


def _gates(items: Items) -> Iterator[list[FlatNode]]:
    """The nodes of each gate."""
    for item in items:
        if isinstance(item, ForkItem):
            nodes = [*flattened([item])]
            if _is_gate(item, nodes):
                yield nodes
            else:
                for branch in item.branches:
                    yield from _gates(branch.items)


# ------------------------------------------------------------------ units


def _like_forks(parts: list[GraphPart]) -> list[GraphPart]:
    """The parts, of which runs that are the longest branch of a fork stand as it does; also without its first layer."""
    kinds = [main for main, _ in Counter(part.main for part in parts if len(part.main) > 1).most_common()]
    for main in kinds:
        parts = _as_forks(parts, main, main, anywhere=True)
    for main in kinds:
        parts = _as_forks(parts, main, main[1:], anywhere=False) if len(main) > 2 else parts
    return parts


def _as_forks(
    parts: list[GraphPart], main: tuple[Token, ...], wanted: tuple[Token, ...], *, anywhere: bool
) -> list[GraphPart]:
    """The parts, of which runs of these tokens stand as a fork; all, or those before such a fork."""
    found: list[GraphPart] = []
    number = 0
    while number < len(parts):
        end = _matched(parts, number, wanted)
        if end > number and (anywhere or (end < len(parts) and parts[end].main == main)):
            nodes = [node for part in parts[number:end] for node in part.nodes]
            found.append(GraphPart(("fork", *main), nodes, main))
            number = end
        else:
            found.append(parts[number])
            number += 1
    return found


def _matched(parts: list[GraphPart], start: int, wanted: tuple[Token, ...]) -> int:
    """Where a run of parts that are these tokens ends, gates among them left out; where it starts, if it is another."""
    number = start
    for place, token in enumerate(wanted):
        while place and number < len(parts) and parts[number].token == GATE:
            number += 1
        if number >= len(parts) or parts[number].token != token:
            return start
        number += 1
    return number


def _single(parts: list[GraphPart]) -> list[GraphPart]:
    """The parts, of which forks that follow one of their own kind are units."""
    alike = {part.token for part, behind in pairwise(parts) if part.main and part.token == behind.token}
    return [replace(part, unit=True) if part.token in alike else part for part in parts]


def _repeated(bodies: list[list[GraphPart]], *, among_all: bool) -> list[list[GraphPart]]:
    """The bodies, of which runs that occur again are units.

    Args:
        bodies: The parts of each.
        among_all: Whether a run may occur once in each of several bodies; else it must occur again in its own.
    """
    while run := _best_run(bodies, among_all=among_all):
        bodies = [_with_run(parts, run) for parts in bodies]
    return bodies


def _with_run(parts: list[GraphPart], run: tuple[Token, ...]) -> list[GraphPart]:
    found: list[GraphPart] = []
    number = 0
    while number < len(parts):
        piece = parts[number : number + len(run)]
        if tuple(part.token for part in piece) == run and not any(part.unit for part in piece):
            found.append(GraphPart(("run", *run), [node for part in piece for node in part.nodes], unit=True))
            number += len(run)
        else:
            found.append(parts[number])
            number += 1
    return found


def _best_run(bodies: list[list[GraphPart]], *, among_all: bool) -> tuple[Token, ...]:
    """The run that saves most; nothing, if none saves enough."""
    saved = Counter[tuple[Token, ...]]()
    for parts in bodies:
        for run, often in _runs(parts).items():
            saved[run] += (often - (not among_all)) * (len(run) - 1)
    if among_all:
        saved.subtract({run: len(run) - 1 for run in saved})
    best = max(saved, key=lambda run: (saved[run], -len(run)), default=())
    return best if best and saved[best] >= LEAST_SAVED else ()


def _runs(parts: list[GraphPart]) -> Counter[tuple[Token, ...]]:
    """How often each run that may be a unit occurs in a body, one behind the other."""
    counts, free = Counter[tuple[Token, ...]](), dict[tuple[Token, ...], int]()
    for length in range(2, min(LONGEST, len(parts) // 2) + 1):
        for start in range(len(parts) - length + 1):
            piece = parts[start : start + length]
            run = tuple(part.token for part in piece)
            if free.get(run, 0) <= start and not any(part.unit for part in piece) and _is_unit(run):
                counts[run] += 1
                free[run] = start + length
    return counts


def _is_unit(run: tuple[Token, ...]) -> bool:
    """Whether a run has layers with weights, each of its forks once, and is no smaller run again and again."""
    forks = [token for token in run if token[0] == "fork"]
    weighs = any(token[0] in {"conv2d", "linear", "fork"} for token in run)
    return (
        weighs
        and len({*forks}) == len(forks)
        and not any(run[size:] == run[:-size] for size in range(1, len(run) // 2 + 1))
    )


# ------------------------------------------------------------------ what units are called


BY_LAYERS: Mapping[tuple[object, ...], str] = {
    ("add", "pointwise", "depthwise", "pointwise"): "InvertedResidual",
    ("add", "wide", "wide"): "BasicBlock",
    ("add", "pointwise", "wide", "pointwise"): "Bottleneck",
    ("concat", "pointwise", "wide"): "Fire",
    ("", "depthwise", "pointwise"): "Separable",
}
"""What papers call units of these convolutions along their longest way, by what they join with."""


def _kind(members: Sequence[GraphPart]) -> str:
    """What papers call units that are of one kind, in the spelling of a class."""
    token, operators = members[0].token, {node.operator for part in members for node in part.nodes}
    if token == GATE:
        return "SqueezeExcite"
    if "scaled_dot_product_attention" in operators:
        return "TransformerLayer"
    if "channel_shuffle" in operators:
        return "ShuffleUnit"
    joins = next((join for join in ("add", "concat") if join in operators), "")
    if joins == "concat" and any(map(_hands_on, members)):
        return "DenseLayer"
    if not joins and "avg_pool2d" in operators:
        return "Transition"
    known = BY_LAYERS.get((joins, *_convolutions(token)))
    return known or {"add": "Residual", "concat": "Inception", "": "Unit"}[joins]


def _hands_on(unit: GraphPart) -> bool:
    """Whether a unit joins what flows into it with what it makes of that."""
    made = {node.name for node in unit.nodes}
    return any(node.operator == "concat" and not {*node.inputs} <= made for node in unit.nodes)


def _convolutions(token: Token) -> Iterator[object]:
    """The kinds of the convolutions of a token, along the longest way."""
    if token[0] == "conv2d":
        yield token[1]
    elif token[0] in {"fork", "run"}:
        for part in token[1:]:
            if isinstance(part, tuple) and part and isinstance(part[0], str):
                yield from _convolutions(part)
