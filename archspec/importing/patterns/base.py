"""What patterns share: how they look back, and how they say what stands for what they found."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

from archspec.importing.flat import FlatNode

Nodes: TypeAlias = Mapping[str, FlatNode]
Pattern: TypeAlias = Callable[[FlatNode, Nodes], FlatNode | None]


def before(node: FlatNode, nodes: Nodes, operator: str) -> FlatNode | None:
    """The node that gives the first input, if it is that operator."""
    found = nodes.get(node.inputs[0]) if node.inputs else None
    return found if found is not None and found.operator == operator else None


def made_of(node: FlatNode, operator: str, inputs: tuple[str, ...], **args: Any) -> FlatNode:
    """A node that is an operator in place of what it was."""
    return replace(node, operator=operator, args=args, inputs=inputs, foreign=False, reason="")
