"""Prune and retrain: small weights become zero and stay so, as a plan says (Han et al. 2015, arXiv:1506.02626)."""

from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from archspec.errors import ArchspecError
from archspec.language.values import Text
from archspec.train.domains import whole, word
from archspec.train.methods.base import Course, Method, registered
from archspec.train.methods.planned import entries

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor, nn

    from archspec.graph import Network

SCHEDULES = ("cubic", "at_once")


@registered
class Prune(Method):
    """The weights of least magnitude are zero, from a step on until the end of the stage.

    Masks hold after every step, in the average too, and when a training is resumed. What masks alone leave behind in
    an optimiser's momentum moves nothing: a weight is zero after the step, whatever the step did.

    Attributes:
        plan: The plan of compression, whose densities are reached: a name or a file.
        schedule: "cubic": the density falls from 1 as 1 − (1 − d)·(1 − (1 − t)³) (Zhu and Gupta 2017,
            arXiv:1710.01878), or "at_once".
        steps: Steps of the stage in which the density falls.
        every: Steps between new masks while it falls.
    """

    key: ClassVar[str] = "prune"
    short: ClassVar[str | None] = "plan"

    plan: Text
    schedule: Annotated[str, word(SCHEDULES)] = "cubic"
    steps: Annotated[int, whole(1, 10**9)] = 1000
    every: Annotated[int, whole(1, 10**6)] = 100

    def density(self, final: float, step: int) -> float:
        """The density after so many steps.

        >>> [Prune(plan="lenet_5", steps=4).density(0.2, step) for step in (0, 2, 4, 9)]
        [1.0, 0.30000000000000004, 0.2, 0.2]
        """
        left = max(0.0, 1 - step / self.steps) if self.schedule == "cubic" else 0.0
        return final + (1 - final) * left**3

    def begin(self, model: "nn.Module", network: "Network", seed: int) -> "Pruned":  # noqa: ARG002
        """All weights are there yet."""
        densities = {name: float(entry.density) for name, entry in entries(self.plan, network, self.key).items()}
        densities = {name: density for name, density in densities.items() if density < 1}
        if not densities:
            raise ArchspecError(f"prune: the plan {self.plan} prunes nothing")
        return Pruned(self, {name: model.get_parameter(name) for name in densities}, densities)


class Pruned(Course):
    """A training with masks."""

    def __init__(self, keys: Prune, arrays: "Mapping[str, nn.Parameter]", densities: "Mapping[str, float]") -> None:
        import torch

        self.keys, self.arrays, self.densities = keys, arrays, densities
        self.masks = {name: torch.ones_like(array, dtype=torch.bool) for name, array in arrays.items()}

    def after_step(self, model: "nn.Module", average: "nn.Module | None", step: int) -> None:  # noqa: ARG002
        """New masks where they are due, and zeros under all of them."""
        import torch

        done = step + 1
        due = done <= self.keys.steps and (done % self.keys.every == 0 or done == self.keys.steps)
        if self.keys.schedule == "at_once":
            due = step == 0
        with torch.no_grad():
            for name, array in self.arrays.items():
                if due:
                    self.masks[name] = kept(array, self.keys.density(self.densities[name], done), self.masks[name])
                array.mul_(self.masks[name])
                if average is not None:
                    average.get_parameter(name).mul_(self.masks[name])

    def tensors(self) -> "dict[str, Tensor]":
        """The masks."""
        import torch

        return {name: mask.to(torch.uint8) for name, mask in self.masks.items()}

    def restore(self, tensors: "Mapping[str, Tensor]") -> None:
        """The masks as they were."""
        for name, mask in self.masks.items():
            mask.copy_(tensors[name].bool())

    def facts(self) -> dict[str, Any]:
        """How many weights are left."""
        return {name: [int(mask.sum()), mask.numel()] for name, mask in self.masks.items()}


def kept(array: "Tensor", density: float, among: "Tensor") -> "Tensor":
    """The mask of the weights of largest magnitude among some; of equal ones the first.

    >>> import torch
    >>> kept(torch.tensor([3., -1., 2., 0.]), 0.5, torch.tensor([True, True, True, True])).tolist()
    [True, False, True, False]
    """
    import torch

    count = min(max(1, round(density * array.numel())), int(among.sum()))
    size = torch.where(among, array.abs(), -1.0).flatten()
    mask = torch.zeros(array.numel(), dtype=torch.bool, device=array.device)
    mask[torch.argsort(size, descending=True, stable=True)[:count]] = True
    return mask.view_as(array)
