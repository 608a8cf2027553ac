"""Which weights of a network a plan of compression speaks of, and what learns in their place."""

from abc import abstractmethod
from collections.abc import Mapping

from archspec.compress.layout import CodingChoice, layout
from archspec.compress.plan import UNTOUCHED, LayerPlan, Plan
from archspec.errors import ArchspecError
from archspec.graph import Network
from archspec.graph.names import state_key
from archspec.train.methods.base import Course, torch

PRUNED = ("conv2d", "linear")
"""The operators whose weights plans prune and share."""


def entries(plan: Plan, network: Network, method: str) -> dict[str, LayerPlan]:
    """The plan's entries by the name of the array of weights, in the network's order; `method` is who asks.

    Raises:
        ArchspecError: The plan is of another network: it speaks of no layer of this one, or of one that is not there.
    """
    for layer in plan.layers:
        if not any(layer.names(node.name) for node in network.nodes):
            raise ArchspecError(
                f"{method}: the plan {plan.name} speaks of '{layer.layer}', which {network.name} does not have"
            )
    asked = {node.name: plan.entry(node.name) for node in network.nodes if node.operator.name in PRUNED}
    found = {state_key(name, "weight"): entry for name, entry in asked.items() if entry is not UNTOUCHED}
    if not found:
        raise ArchspecError(f"{method}: the plan {plan.name} speaks of no weights of {network.name}")
    return found


def choices(plan: Plan, network: Network, method: str) -> dict[str, CodingChoice]:
    """How each array of weights may be packed that the plan speaks of, by its name.

    Raises:
        ArchspecError: The plan is of another network.
    """
    wanted = entries(plan, network, method)
    found = {choice.key: choice for blob in layout(network, plan).blobs for choice in blob}
    return {name: found[name] for name in wanted}


class StandIns(Course):
    """Parameters that learn in the place of arrays, which follow them: after every step, or when a training goes on.

    Attributes:
        learned: What learns, by the names of the arrays.
        arrays: What the network computes with.
    """

    def __init__(self, model: "torch.nn.Module", learned: "Mapping[str, torch.nn.Parameter]") -> None:
        self.learned = learned
        self.arrays = {name: model.get_parameter(name) for name in learned}
        self.follow()

    @abstractmethod
    def follow(self) -> None:
        """Give the arrays what follows from what was learned."""

    @abstractmethod
    def handed(self, name: str, gradient: "torch.Tensor") -> "torch.Tensor":
        """The gradient of what learns, by that of its array."""

    def parameters(self, named: "dict[str, torch.nn.Parameter]") -> "dict[str, torch.nn.Parameter]":
        """What learns in the place of the arrays."""
        return {
            f"learned.{name}" if name in self.learned else name: self.learned.get(name, p) for name, p in named.items()
        }

    def before_step(self, step: int) -> None:  # noqa: ARG002
        """The gradients are those of what learns."""
        for name, array in self.arrays.items():
            self.learned[name].grad = None if array.grad is None else self.handed(name, array.grad)
            array.grad = None

    def after_step(self, model: "torch.nn.Module", average: "torch.nn.Module | None", step: int) -> None:  # noqa: ARG002
        """The arrays follow; where an average is one that could be made, it is that of followers."""
        self.follow()
