"""Prune and retrain: small weights become zero and stay so, as a plan says (Han et al. 2015, arXiv:1506.02626)."""

from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from archspec.compress.coding import kept_of
from archspec.compress.rules import dropout_after_pruning
from archspec.errors import ArchspecError
from archspec.graph.names import place_of, state_key
from archspec.language.domains import real, whole, word
from archspec.language.values import Text
from archspec.train.methods import units
from archspec.train.methods.base import Course, Method, registered
from archspec.train.methods.planned import entries

if TYPE_CHECKING:
    from torch import Tensor, nn

    from archspec.graph import Network

SCHEDULES = ("cubic", "at_once")
DROPOUT = ("adjusted", "kept")


@registered
class Prune(Method):
    """The weights of least magnitude are zero, from a step on until the end of the stage.

    Masks hold after every step, in the average too, and when a training is resumed. What masks alone leave behind in
    an optimiser's momentum moves nothing: a weight is zero after the step, whatever the step did. When the densities
    are reached, units without inputs are folded into the biases behind them, and left out as those without outputs are.

    Attributes:
        plan: The plan of compression, whose densities are reached: a name or a file.
        schedule: "cubic": the density falls from 1 as 1 − (1 − d)·(1 − (1 − t)³) (Zhu and Gupta 2017,
            arXiv:1710.01878), or "at_once".
        steps: Steps of the stage in which the density falls; 0 for half of them.
        every: Steps between new masks while it falls.
        quality: Weights are kept that are larger than so many standard deviations of their layer (section 4.1), in the
            place of the plan's density, which then says only which layers are pruned; 0 for the plan's densities.
        dropout: "adjusted": dropout before a pruned layer is D_o·√(C_ir/C_io) (section 3.2), with the connections
            that the layer has at the time; or "kept".
    """

    key: ClassVar[str] = "prune"
    short: ClassVar[str | None] = "plan"

    plan: Text
    schedule: Annotated[str, word(SCHEDULES)] = "cubic"
    steps: Annotated[int, whole(0, 10**9)] = 0
    every: Annotated[int, whole(1, 10**6)] = 100
    quality: Annotated[float, real(0, 1000)] = 0.0
    dropout: Annotated[str, word(DROPOUT)] = "adjusted"

    def density(self, final: float, step: int) -> float:
        """The density after so many steps.

        >>> [Prune(plan="lenet_5", steps=4).density(0.2, step) for step in (0, 2, 4, 9)]
        [1.0, 0.30000000000000004, 0.2, 0.2]
        """
        left = max(0.0, 1 - step / self.steps) if self.schedule == "cubic" else 0.0
        return final + (1 - final) * left**3

    def begin(self, model: "nn.Module", network: "Network", seed: int) -> "Pruned":  # noqa: ARG002
        """All weights are there yet."""
        found = {name: entry.density for name, entry in entries(self.plan, network, self.key).items()}
        counts = {
            name: kept_of(model.get_parameter(name).numel(), density) for name, density in found.items() if density < 1
        }
        if not counts:
            raise ArchspecError(f"prune: the plan {self.plan} prunes nothing")
        if self.quality:
            counts = {name: above(model.get_parameter(name), self.quality) for name in counts}
            if nothing := [name for name, count in counts.items() if not count]:
                raise ArchspecError(
                    f"prune: no weight of {nothing[0]} is larger than {self.quality:g} standard deviations"
                )
        return Pruned(self, model, network, counts)


class Pruned(Course):
    """A training with masks: of the weights that are pruned, and of the biases of units that may be left out."""

    def __init__(self, keys: Prune, model: "nn.Module", network: "Network", counts: Mapping[str, int]) -> None:
        import torch

        self.keys, self.counts, self.last = keys, dict(counts), keys.steps if keys.schedule == "cubic" else 1
        self.joints = units.joints(network)
        around = [name for joint in self.joints for name in (joint.before, joint.after)]
        wanted = {*counts, *(f"{name}weight" for name in around)}
        wanted |= {f"{joint.before}bias" for joint in self.joints if joint.biased[0]}
        self.arrays = {name: array for name, array in model.named_parameters() if name in wanted}
        self.masks = {name: torch.ones_like(array, dtype=torch.bool) for name, array in self.arrays.items()}
        self.drops: list[tuple[Any, float, str]] = (
            dropouts(network, model, counts) if keys.dropout == "adjusted" else []
        )

    def stage(self, steps: int) -> None:
        """Half of them, where the recipe does not say how many the density falls in."""
        if not self.last:
            self.keys = self.keys.model_copy(update={"steps": max(1, steps // 2)})
            self.last = self.keys.steps
        if self.last > steps:
            raise ArchspecError(
                f"prune: the density falls for {self.last:,} steps, and the stage has {steps:,}; give it more epochs, "
                "or 'prune' fewer steps"
            )

    def after_step(self, model: "nn.Module", average: "nn.Module | None", step: int) -> None:
        """New masks where they are due, and zeros under all of them."""
        import torch

        done = step + 1
        sides = [dict(each.named_parameters()) for each in (model, average) if each is not None]
        with torch.no_grad():
            if done == self.last or (done < self.last and done % self.keys.every == 0):
                self._masked(done)
            self._clear(sides)
            if done == self.last:
                folds = units.left_out(self.joints, self.masks)
                for side in sides:
                    units.fold(side, folds)
                self._clear(sides)

    def _clear(self, sides: "list[dict[str, nn.Parameter]]") -> None:
        for name, mask in self.masks.items():
            for side in sides:
                side[name].mul_(mask)

    def _masked(self, done: int) -> None:
        for name, count in self.counts.items():
            array = self.arrays[name]
            share = self.keys.density(count / array.numel(), done)
            wanted = count if done >= self.last else kept_of(array.numel(), share)
            self.masks[name].copy_(kept(array, wanted, self.masks[name]))
        self._drop()

    def _drop(self) -> None:
        """Dropout as it is for the connections that are left."""
        for module, before, name in self.drops:
            mask = self.masks[name]
            module.p = float(dropout_after_pruning(Fraction(before), int(mask.sum()), mask.numel()))

    def ready(self, done: int) -> bool:
        """Whether the densities are those of the plan."""
        return done >= self.last

    def end(self) -> None:
        """Dropout as it was."""
        for module, before, _ in self.drops:
            module.p = before

    def tensors(self) -> "dict[str, Tensor]":
        """The masks, and how many weights are to be kept."""
        import torch

        masks = {name: mask.to(torch.uint8) for name, mask in self.masks.items()}
        return masks | {f"count.{name}": torch.tensor(count) for name, count in self.counts.items()}

    def restore(self, tensors: "Mapping[str, Tensor]") -> None:
        """The masks as they were."""
        for name, mask in self.masks.items():
            mask.copy_(tensors[name].bool())
        self.counts = {name: int(tensors[f"count.{name}"]) for name in self.counts}
        self._drop()

    def facts(self) -> dict[str, Any]:
        """How many weights and units are left, of how many, and which layers are cut off."""
        kept = {name: [int(self.masks[name].sum()), self.masks[name].numel()] for name in self.counts}
        cut = [name for name, (left, _) in kept.items() if not left]
        return {"weights": kept, "units": units.counted(self.joints, self.masks), **({"cut_off": cut} if cut else {})}


def kept(array: "Tensor", count: int, among: "Tensor") -> "Tensor":
    """The mask of so many weights of largest magnitude among some; of equal ones the first.

    >>> import torch
    >>> kept(torch.tensor([3., -1., 2., 0.]), 2, torch.tensor([True, True, True, True])).tolist()
    [True, False, True, False]
    """
    import torch

    size = torch.where(among, array.abs(), -1.0).flatten()
    mask = torch.zeros(array.numel(), dtype=torch.bool, device=array.device)
    mask[torch.argsort(size, descending=True, stable=True)[: min(count, int(among.sum()))]] = True
    return mask.view_as(array)


def above(array: "Tensor", quality: float) -> int:
    """How many weights are larger than so many standard deviations of all."""
    values = array.detach().double()
    return int((values.abs() > quality * values.std(correction=0)).sum())


def dropouts(network: "Network", model: "nn.Module", pruned: Mapping[str, int]) -> list[tuple[Any, float, str]]:
    """The dropouts that stand before a pruned layer alone: the module, its probability, the layer's weights."""
    from torch import nn

    found = []
    for node in network.nodes:
        module = model.get_submodule(place_of(node.name))
        if not isinstance(module, nn.modules.dropout._DropoutNd):
            continue
        here, readers = node, [node]
        while len(readers) == 1 and state_key(here.name, "weight") not in pruned:
            readers = [each for each in network.nodes if here.name in each.inputs]
            here = readers[0] if readers else here
        if len(readers) == 1:
            found.append((module, module.p, state_key(here.name, "weight")))
    return found
