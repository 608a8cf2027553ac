"""How a network becomes a tree of modules: one plan per container, with what goes into it and comes out.

Node `stage3/unit2/expand/conv2d` stands in the container `stage3/unit2/expand`, which stands in `stage3/unit2`, and so
on to the network itself. A container takes the values that its nodes use and that come from outside, and gives those
of its own that are used outside.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from keyword import iskeyword

from archspec.errors import ArchspecError
from archspec.graph import Container, Network, Node
from archspec.graph.names import attribute

UNNAMED = Container("sequence")


@dataclass(frozen=True, slots=True)
class ChildCall:
    """One call: which children's results go in, under which variables its own are kept."""

    child: str
    inputs: tuple[str, ...]
    results: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ForwardPlan:
    """What a container's `forward` does; two of one plan are one class.

    Attributes:
        kind: The name of the class.
        inputs: The variables that come in.
        lines: The calls of its children, in order.
        outputs: The variables that go out.
    """

    kind: str
    inputs: tuple[str, ...]
    lines: tuple[ChildCall, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ModuleTree:
    """A container with its plan and its children by attribute, or a node."""

    path: str
    made: Container
    plan: ForwardPlan
    children: tuple[tuple[str, "ModuleTree | Node"], ...]


def module_tree(network: Network) -> ModuleTree:
    """The tree of a network's containers.

    Raises:
        ArchspecError: Two nodes would stand under one attribute, or a name is no identifier.
    """
    users = {name: index for index, node in enumerate(network.nodes) for name in node.inputs}
    users.update(dict.fromkeys(network.outputs.values(), len(network.nodes)))
    return _Planner(network, users).container("", 0, len(network.nodes))


def class_name(name: str) -> str:
    """The name of a class after that of a block.

    >>> class_name("inverted_residual"), class_name("conv_bn")
    ('InvertedResidual', 'ConvBn')
    """
    return "".join(part[:1].upper() + part[1:] for part in name.split("_")) or "Sequence"


def checked(name: str) -> str:
    """A name that may stand in code.

    Raises:
        ArchspecError: It is no identifier of ASCII letters, digits and _.
    """
    if not (name.isascii() and name.isidentifier()) or iskeyword(name):
        raise ArchspecError(f"'{name}' cannot be the name of a module; a name has letters, digits and _")
    return name


class _Planner:
    """The walk over the tree of names; a container is a range of the nodes, which stand in topological order."""

    def __init__(self, network: Network, last_use: dict[str, int]) -> None:
        self.network, self.last_use = network, last_use

    def container(self, path: str, begin: int, end: int) -> ModuleTree:
        """The container of the nodes from `begin` to before `end`."""
        made = self.network.containers.get(path, UNNAMED)
        depth = path.count("/") + 1 if path else 0
        children = list(self._children(depth, begin, end))
        names = [name for name, *_ in children]
        if len({*names}) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise ArchspecError(f"two parts of '{path or self.network.name}' would be called '{twice}'; rename one")
        inputs = self._used(begin, end) if path else tuple(self.network.inputs)
        outputs = self._given(begin, end) if path else tuple(self.network.outputs.values())
        parts = tuple((name, self._part(depth, *span)) for name, *span in children)
        kind = class_name(made.kind if path else self.network.name)
        calls = [self._call(depth, *child) for child in children]
        arguments = tuple(self.network.inputs) if not path and len(inputs) > 1 else None
        written = _forward(checked(kind), inputs, outputs, calls, arguments)
        return ModuleTree(path, made, written, parts)

    def _children(self, depth: int, begin: int, end: int) -> Iterator[tuple[str, int, int]]:
        nodes = self.network.nodes
        for part, members in groupby(range(begin, end), key=lambda index: nodes[index].name.split("/")[depth]):
            indices = list(members)
            yield checked(attribute(part)), indices[0], indices[-1] + 1

    def _part(self, depth: int, begin: int, end: int) -> ModuleTree | Node:
        node = self.network.nodes[begin]
        parts = node.name.split("/")
        return node if len(parts) == depth + 1 else self.container("/".join(parts[: depth + 1]), begin, end)

    def _call(self, depth: int, child: str, begin: int, end: int) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
        """What a child takes and gives; a node takes an input twice where it names it twice."""
        node = self.network.nodes[begin]
        only_node = node.name.count("/") == depth
        return child, node.inputs if only_node else self._used(begin, end), self._given(begin, end)

    def _used(self, begin: int, end: int) -> tuple[str, ...]:
        """The values from outside that nodes of a range use, in the order of their first use."""
        nodes = self.network.nodes[begin:end]
        own = {node.name for node in nodes}
        return tuple(dict.fromkeys(name for node in nodes for name in node.inputs if name not in own))

    def _given(self, begin: int, end: int) -> tuple[str, ...]:
        """The values of nodes of a range that are used behind it."""
        nodes = self.network.nodes[begin:end]
        return tuple(node.name for node in nodes if self.last_use.get(node.name, -1) >= end)


def _forward(
    kind: str,
    inputs: tuple[str, ...],
    outputs: tuple[str, ...],
    calls: list[tuple[str, tuple[str, ...], tuple[str, ...]]],
    names: tuple[str, ...] | None = None,
) -> ForwardPlan:
    """The plan with every value in a variable, free again after its last use; the inputs may have `names`."""
    last = {value: index for index, (_, used, _) in enumerate(calls) for value in used}
    last.update(dict.fromkeys(outputs, len(calls)))
    variables = {value: _variable(number) for number, value in enumerate(inputs)}
    if names is not None:
        variables = {value: _argument(name) for value, name in zip(inputs, names, strict=True)}
    arguments, lines = tuple(variables.values()), []
    for index, (child, used, given) in enumerate(calls):
        taken = tuple(variables[value] for value in used)
        variables = {value: name for value, name in variables.items() if last.get(value, -1) > index}
        for value in given:
            free = (_variable(number) for number in range(len(variables) + 1))
            variables[value] = next(name for name in free if name not in variables.values())
        lines.append(ChildCall(child, taken, tuple(variables[value] for value in given)))
        variables = {value: name for value, name in variables.items() if last.get(value, -1) > index}
    return ForwardPlan(kind, arguments, tuple(lines), tuple(variables[value] for value in outputs))


def _argument(name: str) -> str:
    """The variable of an input that has a name."""
    return "self_" if name == "self" else checked(f"{name}_" if iskeyword(name) else name)


def _variable(number: int) -> str:
    return f"x{number}" if number else "x"
