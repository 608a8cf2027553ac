"""What patterns share: how they look back, and how they say what stands for what they found."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

from archspec import ops
from archspec.importing.flat import FlatNode

if TYPE_CHECKING:
    import numpy as np

Nodes: TypeAlias = Mapping[str, FlatNode]
Pattern: TypeAlias = Callable[[FlatNode, Nodes], FlatNode | list[FlatNode] | None]
"""What a pattern gives: what stands for a node, after others that it needs; nothing, if it is not that."""


def before(node: FlatNode, nodes: Nodes, operator: str) -> FlatNode | None:
    """The node that gives the first input, if it is that operator."""
    found = nodes.get(node.inputs[0]) if node.inputs else None
    return found if found is not None and found.operator == operator else None


def constant(name: str, nodes: Nodes) -> "np.ndarray[Any, Any] | None":
    """The numbers of an array that nobody learns; None of a result."""
    found = nodes.get(name)
    return found.arrays["value"].load() if found is not None and found.operator == "~constant" else None


def made_of(node: FlatNode, operator: str, inputs: tuple[str, ...], **args: Any) -> FlatNode:
    """A node that is an operator in place of what it was."""
    return replace(node, operator=operator, args=told(operator, args), inputs=inputs, foreign=False, reason="")


def told(operator: str, args: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that are not an operator's defaults."""
    fields = ops.operator(operator).model_fields if not operator.startswith("~") else {}
    return {
        name: value
        for name, value in args.items()
        if name not in fields or fields[name].is_required() or fields[name].default != value
    }
