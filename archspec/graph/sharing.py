"""Weights that several nodes have: a step that says `share: left` has those of the step that is called so.

A block that shares is called with what the other was called with, so that both are one module, called twice. An
operator may also share with one of another kind whose arrays have the same names and shapes: the embedding of a
language model and its last linear layer.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from archspec.dims import is_array, is_symbolic
from archspec.errors import Mark, SpecError
from archspec.graph.expansion import Expansion
from archspec.graph.network import Node
from archspec.ops.base import same_size
from archspec.writing import sizes


def share(expansion: Expansion, first: int, name: str, owner: str, at: Mark | None) -> None:
    """Let the nodes from the `first` on, which stand below a name, have the arrays of those below another.

    Raises:
        SpecError: They are not alike; says in which node and in what.
    """
    known = {node.name: node for node in expansion.nodes[:first]}
    there = {node.name.removeprefix(owner): node for node in known.values() if _below(node.name, owner)}
    here = {node.name.removeprefix(name): place for place, node in enumerate(expansion.nodes[first:], first)}
    if not any(_weights(expansion, node) for node in expansion.nodes[first:]):
        raise SpecError(f"share: {name} has no weights", at)
    if [*here] != [*there]:
        odd = next((part for part in (*here, *there) if part not in here or part not in there), "")
        raise SpecError(f"share: {name} and {owner} are not built alike; only one has '{odd.strip('/')}'", at)
    pairs = [(expansion.nodes[place], there[part]) for part, place in here.items()]
    shared = [_shared(expansion, node, other, at) for node, other in pairs]
    if len(here) > 1 or next(iter(here)):
        _check_alike(expansion, pairs, at)
    for place, arrays in zip(here.values(), shared, strict=True):
        expansion.nodes[place] = replace(expansion.nodes[place], shared=arrays)


def _below(name: str, path: str) -> bool:
    return name == path or name.startswith(f"{path}/")


def _check_alike(expansion: Expansion, pairs: Sequence[tuple[Node, Node]], at: Mark | None) -> None:
    """See that the nodes of two blocks compute the same, so that one module can stand for both."""
    for node, other in pairs:
        one, two = (each.operator.torch_call(*expansion.tensors(each)) for each in (node, other))
        if type(node.operator) is not type(other.operator) or not _equal(one, two):
            raise SpecError(f"share: {node.name} is not built as {other.name}{_where(other)}", at)


def _weights(expansion: Expansion, node: Node) -> tuple[Any, ...]:
    return node.operator.weights(*expansion.tensors(node))


def _equal(one: Any, other: Any) -> bool:
    """Whether two torch calls are the same; those with arrays are taken to be."""
    values = (*one.kwargs.values(), *other.kwargs.values())
    if any(map(is_array, values)) or one == other:
        return True
    alike = (type(one), one.target, one.kwargs.keys()) == (type(other), other.target, other.kwargs.keys())
    return alike and all(map(_alike, one.kwargs.values(), other.kwargs.values()))


def _alike(a: Any, b: Any) -> bool:
    """Whether two settings are the same; of sizes in symbols, whether they must be."""
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(map(_alike, a, b))
    return bool(a == b) or ((is_symbolic(a) or is_symbolic(b)) and same_size(a, b))


def _shared(expansion: Expansion, node: Node, other: Node, at: Mark | None) -> dict[str, str]:
    """Of each array of a node the first node that has it."""
    known = {array.name: array for array in _weights(expansion, other)}
    found = {}
    for array in _weights(expansion, node):
        if array.name not in known:
            has = f"has {', '.join(known)}" if known else "has no arrays"
            raise SpecError(f"share: {node.name} has a {array.name}; {other.name}{_where(other)} {has}", at)
        shape, theirs = array.shape, known[array.name].shape
        if len(shape) != len(theirs) or not all(map(same_size, shape, theirs)):
            raise SpecError(
                f"share: the {array.name} of {node.name} is {sizes(shape)}, "
                f"that of {other.name}{_where(other)} is {sizes(theirs)}",
                at,
            )
        found[array.name] = other.shared.get(array.name, other.name)
    return found


def _where(node: Node) -> str:
    return f" (line {node.at.line})" if node.at else ""
