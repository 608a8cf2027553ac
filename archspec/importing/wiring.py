"""From the graph of a model to nested bodies: modules become scopes, branches that meet again become forks.

A module is a scope where one value flows into it and one out of it; others are taken apart, and their members stand
where they stood. Within a scope, a join whose branches part at one value and share nothing is a fork. What is woven
otherwise is written one step after the other, with ways back to named steps.
"""

from collections.abc import Sequence, Set
from dataclasses import dataclass

import networkx as nx

from archspec.importing.flat import INPUT, FlatGraph, FlatNode
from archspec.importing.items import Back, Branch, ForkItem, Item, Items, Leaf, ModuleItem, Shape

DEEPEST = 40
"""Forks in forks are followed so deep; a specification may be 60 deep."""


@dataclass(eq=False, slots=True)
class Unit:
    """What stands as one in a scope: a node, or a module's nodes together."""

    output: str
    inputs: tuple[str, ...]
    item: Leaf | ModuleItem | None
    node: FlatNode | None
    name: str = ""


def wired(graph: FlatGraph, *, modules: bool = True) -> Items:
    """The body of a model.

    Args:
        graph: The model.
        modules: Whether its modules become scopes; else there is one body.
    """
    return _Wiring(graph, modules).body(list(graph.nodes), 0, INPUT, graph.output)


class _Wiring:
    """The walk down the tree of modules."""

    def __init__(self, graph: FlatGraph, modules: bool) -> None:
        self.graph, self.modules = graph, modules
        self.shapes: dict[str, Shape] = {INPUT: graph.input, **{node.name: node.shape for node in graph.nodes}}
        self.position = {node.name: number for number, node in enumerate(graph.nodes)}
        self.users = {name: [user.name for user in users] for name, users in graph.users().items()}

    def body(self, nodes: Sequence[FlatNode], depth: int, entry: str, output: str) -> Items:
        """The items that lead from one value to another."""
        units = self.units(nodes, depth, output)
        units.sort(key=lambda unit: self.position[unit.output])
        return _Sequence(units, entry, output, self.shapes).items()

    def units(self, nodes: Sequence[FlatNode], depth: int, output: str) -> list[Unit]:
        """The nodes by the modules that they stand in at a depth of the tree."""
        groups: dict[str, list[FlatNode]] = {}
        units = []
        for node in nodes:
            if self.modules and len(node.place.names) > depth:
                groups.setdefault(node.place.names[depth], []).append(node)
            else:
                units.append(self._single(node, ""))
        for name, members in groups.items():
            units += self._module(name, members, depth, output)
        return units

    def _module(self, name: str, members: list[FlatNode], depth: int, output: str) -> list[Unit]:
        if len(members) == 1:
            return [self._single(members[0], name)]
        inside = {node.name for node in members}
        entries = dict.fromkeys(source for node in members for source in node.inputs if source not in inside)
        exits = [node.name for node in members if node.name == output or set(self.users[node.name]) - inside]
        if len(entries) != 1 or len(exits) != 1:
            return self.units(members, depth + 1, output)
        (entry,), (exit_name,) = entries, exits
        items = self.body(members, depth + 1, entry, exit_name)
        kind = members[0].place.kinds[depth]
        scope = ModuleItem(name, kind, items, self.shapes[entry], self.shapes[exit_name])
        return [Unit(exit_name, (entry,), scope, None, name)]

    def _single(self, node: FlatNode, name: str) -> Unit:
        if len(node.inputs) > 1:
            return Unit(node.name, node.inputs, None, node, name)
        entry = self.shapes[node.inputs[0]] if node.inputs else ()
        leaf = Leaf(node.operator, dict(node.args), name, entry, node.shape, [node])
        return Unit(node.name, node.inputs, leaf, node, name)


class _Sequence:
    """The units of one scope, in an order in which they can run."""

    def __init__(self, units: list[Unit], entry: str, output: str, shapes: dict[str, Shape]) -> None:
        self.units, self.entry, self.output, self.shapes = units, entry, output, shapes
        self.by = {unit.output: unit for unit in units}
        self.users: dict[str, set[str]] = {entry: set(), **{unit.output: set() for unit in units}}
        for unit in units:
            for source in unit.inputs:
                self.users[source].add(unit.output)
        ways = nx.DiGraph((source, unit.output) for unit in units for source in unit.inputs)
        self.dominator = nx.immediate_dominators(ways, entry)
        """The last value that every way to a unit leads through."""

    def items(self) -> Items:
        """The items from the entry to the output: forks where all branches are apart, else one step after the other."""
        found = self._between(self.entry, self.output)
        return found if found is not None else self._one_after_the_other()

    def _between(self, source: str, target: str, depth: int = 0) -> Items | None:
        """What leads from one value to another, if that is steps and forks alone."""
        items: Items = []
        while target != source:
            unit = self.by[target]
            if unit.item is not None:
                items.append(unit.item)
                target = unit.inputs[0]
                continue
            fork = self._fork(unit, depth)
            if fork is None:
                return None
            items.append(fork)
            target = self.dominator[target]
        return items[::-1]

    def _fork(self, unit: Unit, depth: int = 0) -> ForkItem | None:
        """A join and its branches, if they share nothing but where they begin, and nothing else reads them.

        One that stands in too many others is none, and is written with ways back.
        """
        source = self.dominator[unit.output]
        branches, seen = [], set[str]()
        for branch in unit.inputs:
            region = self._region(source, branch)
            if region & seen or any(self.users[name] - region - {unit.output} for name in region):
                return None
            items = self._between(source, branch, depth + 1) if depth < DEEPEST else None
            if items is None:
                return None
            branches.append(Branch(items))
            seen |= region
        return self._joined(unit, branches, source)

    def _joined(self, unit: Unit, branches: list[Branch], source: str) -> ForkItem:
        node = unit.node
        if node is None:
            raise AssertionError("a unit that joins is a node")
        return ForkItem(node.operator, dict(node.args), unit.name, self.shapes[source], node.shape, branches, node)

    def _region(self, source: str, target: str) -> Set[str]:
        """The values on the ways from one value to another, the first left out."""
        found, ahead = set[str](), [target]
        while ahead:
            name = ahead.pop()
            if name != source and name not in found:
                found.add(name)
                ahead += self.by[name].inputs
        return found

    def _one_after_the_other(self) -> Items:
        forks: dict[str, ForkItem] = {}
        absorbed = set[str]()
        for unit in reversed(self.units):
            if unit.item is None and unit.output not in absorbed:
                fork = self._fork(unit)
                if fork is not None:
                    forks[unit.output] = fork
                    absorbed |= self._region(self.dominator[unit.output], unit.output) - {unit.output}
        items: Items = []
        made: dict[str, Item | None] = {self.entry: None}
        flowing = self.entry
        for unit in self.units:
            if unit.output in absorbed:
                continue
            fork = forks.get(unit.output)
            source = self.dominator[unit.output] if fork is not None else unit.inputs[0]
            if unit.item is not None or fork is not None:
                if source != flowing:
                    items.append(self._back(source, made))
                item: Item = fork if fork is not None else unit.item  # type: ignore[assignment]
            else:
                branches = [Branch([self._back(name, made)]) for name in unit.inputs]
                item = self._joined(unit, branches, flowing)
            items.append(item)
            made[unit.output], flowing = item, unit.output
        return items

    def _back(self, name: str, made: dict[str, Item | None]) -> Back:
        return Back(made[name], self.shapes[name], self.shapes[name])  # type: ignore[arg-type]  # a Back is made nowhere
