"""What patterns share: how nodes are seen, and how what was found is said.

A pattern is a `match` over the last of its nodes, as it is seen: its operator, what it takes, its settings, its sizes.
Sums and products of two are shown to it in both orders.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from archspec import ops
from archspec.importing.flat import FlatNode
from archspec.importing.program import HeldArray

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, slots=True)
class Seen:
    """A node together with what it takes; equal to what has its name.

    Attributes:
        name: What its result is called.
        of: What it takes.
        flat: The node; of a value that nothing here computes, one without operator.
        before: All nodes before it, by their names.

    >>> half = Seen.of_node(FlatNode("half", "~mul", {"number": 0.5}, ("x",), (2, 8)), {})
    >>> match Seen.of_node(FlatNode("y", "relu", {}, ("half",), (2, 8)), {"half": half}):
    ...     case Seen("relu", [Seen("~mul", [x], args={"number": number})]):
    ...         print(x.name, number)
    x 0.5
    """

    __match_args__ = ("operator", "of")
    name: str
    of: "tuple[Seen, ...]" = field(compare=False)
    flat: FlatNode = field(compare=False)
    before: "Mapping[str, Seen]" = field(compare=False, repr=False)

    @classmethod
    def of_node(cls, node: FlatNode, before: "Mapping[str, Seen]") -> "Seen":
        """A node as it is seen."""
        outside = (FlatNode(name, "", {}, (), ()) for name in node.inputs)
        taken = (before.get(value.name) or cls(value.name, (), value, before) for value in outside)
        return cls(node.name, tuple(taken), node, before)

    @property
    def operator(self) -> str:
        """Its operator; nothing, of a value that nothing here computes."""
        return self.flat.operator

    @property
    def args(self) -> Mapping[str, Any]:
        """Its settings, without those at their defaults."""
        return self.flat.args

    @property
    def shape(self) -> tuple[int, ...]:
        """The sizes of its result, batch first."""
        return self.flat.shape

    @property
    def arrays(self) -> Mapping[str, HeldArray]:
        """Its arrays, by the names that the operator gives them."""
        return self.flat.arrays

    @property
    def constant(self) -> "np.ndarray[Any, Any] | None":
        """The numbers of an array that nobody learns; None of a result."""
        return self.arrays["value"].load() if self.operator == "~constant" else None

    def orders(self) -> "Iterator[Seen]":
        """As it stands, and a sum or product of two the other way round."""
        yield self
        if self.operator in {"add", "mul"} and len(self.of) == 2:
            yield replace(self, of=self.of[::-1], flat=replace(self.flat, inputs=self.flat.inputs[::-1]))

    def made(self, operator: str, *of: "Seen", **args: Any) -> FlatNode:
        """A node that is an operator, of other values, in place of what it was."""
        return made_of(self.flat, operator, tuple(value.name for value in of), **args)


Pattern: TypeAlias = Callable[[Seen], Iterator[FlatNode]]
"""It gives what stands for a node, after others that this needs; nothing, if the node is not that."""


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


def without(args: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """The arguments but for some."""
    return {name: value for name, value in args.items() if name not in names}
