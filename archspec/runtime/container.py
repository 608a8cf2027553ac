"""How a network becomes a tree of modules: one plan per container, with what goes into it and comes out.

Node `stage3/unit2/expand/conv2d` stands in the container `stage3/unit2/expand`, which stands in `stage3/unit2`, and so
on to the network itself. A container takes the values that its nodes use and that come from outside, and gives those
of its own that are used outside.

A container's `forward` is code written for it: calls of its children by attribute, and nothing else. It has no text of
a specification but attributes, which are checked identifiers.
"""

import linecache
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from itertools import groupby
from keyword import iskeyword
from typing import Any, Literal

from torch import nn

from archspec.errors import ArchspecError
from archspec.graph import Container, Network, Node
from archspec.graph.names import attribute
from archspec.runtime.calls import resolve

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
        return ModuleTree(made, written, parts)

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


# ------------------------------------------------------------------ plans as classes


class Made(nn.Module):
    """The base of modules with a written forward; copied and pickled by what they are written from.

    Its own attributes begin with _, as no name of a specification does.

    Attributes:
        _made_from: What writes the class, and the plan or call of which it is written.
        _code: The text of its `forward`.
        _settings: What `extra_repr` shows.
    """

    _made_from: "tuple[Callable[[Any], type[Made]], ForwardPlan | FunctionCall]"
    _code: str
    _settings: str = ""

    def __reduce__(self) -> tuple[Callable[..., nn.Module], tuple[Any, ...], dict[str, Any]]:
        return blank, self._made_from, self.__dict__

    def extra_repr(self) -> str:
        """The arguments of its block, or the settings of its function."""
        return self._settings


def blank(make: Callable[..., type[nn.Module]], *given: Any) -> nn.Module:
    """An empty module of a class that is made, not imported: so it is copied and pickled."""
    cls = make(*given)
    return cls.__new__(cls)


@lru_cache(maxsize=4096)
def container(plan: ForwardPlan) -> type[Made]:
    """The class of containers of a plan.

    >>> lines = (ChildCall("conv", ("x",), ("x1",)), ChildCall("add", ("x1", "x"), ("x",)))
    >>> print(container(ForwardPlan("Residual", ("x",), lines, ("x",)))._code)
    def forward(self, x):
        x1 = self.conv(x)
        x = self.add(x1, x)
        return x
    """
    lines = [_call(line) for line in plan.lines]
    return _written((container, plan), plan.kind, plan.inputs, [*lines, f"return {', '.join(plan.outputs)}"], {})


def _call(line: ChildCall) -> str:
    call = f"self.{line.child}({', '.join(line.inputs)})"
    return f"{', '.join(line.results)} = {call}" if line.results else call


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """A function of a number of inputs, as data that can be hashed and pickled.

    Attributes:
        kind: The name of the class.
        target: The dotted name of the function.
        settings: Its keyword arguments.
        takes: How the inputs are handed over; see `Function`.
        inputs: How many there are.
    """

    kind: str
    target: str
    settings: tuple[tuple[str, Any], ...]
    takes: Literal["inputs", "list", "fold"]
    inputs: int


@lru_cache(maxsize=4096)
def applied(call: FunctionCall) -> type[Made]:
    """The class of modules that apply a function.

    >>> print(applied(FunctionCall("Add", "torch.add", (), "fold", 3))._code)
    def forward(self, x, x1, x2):
        return function(function(x, x1), x2)
    """
    names = tuple(f"x{number}" if number else "x" for number in range(call.inputs))
    settings = "".join(f", {checked(key)}={key}" for key, _ in call.settings)
    if call.takes == "list":
        written = f"function([{', '.join(names)}]{settings})"
    elif call.takes == "fold":
        written = names[0]
        for name in names[1:]:
            written = f"function({written}, {name}{settings})"
    else:
        written = f"function({', '.join(names)}{settings})"
    known = {"function": resolve(call.target), **dict(call.settings)}
    return _written((applied, call), call.kind, names, [f"return {written}"], known)


def _written(
    made_from: tuple[Any, ForwardPlan | FunctionCall],
    kind: str,
    inputs: tuple[str, ...],
    body: list[str],
    known: Mapping[str, Any],
) -> type[Made]:
    """A class with a forward of these statements, whose lines a traceback shows."""
    for name in (kind, *inputs):
        checked(name)
    code = "\n".join((f"def forward({', '.join(('self', *inputs))}):", *(f"    {line}" for line in body))) + "\n"
    file = f"<{kind} {sha256(code.encode()).hexdigest()[:12]}>"
    linecache.cache[file] = (len(code), None, code.splitlines(keepends=True), file)
    scope = dict(known)
    exec(compile(code, file, "exec"), scope)  # noqa: S102  # written here, from checked identifiers
    return type(kind, (Made,), {"_made_from": made_from, "_code": code.rstrip(), "forward": scope["forward"]})
