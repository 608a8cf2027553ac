"""Prune and retrain: small weights become zero and stay so, as a plan says (Han et al. 2015, arXiv:1506.02626).

Units may be left without inputs or without outputs (section 3.5). One without inputs is no zero: it gives f(bias) for
every image. That constant goes into the biases behind it, exactly, and the unit can be left out with its outgoing
weights; one without outputs with its incoming ones.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Any, ClassVar

from archspec.compress.coding import kept_of
from archspec.compress.plan import load
from archspec.compress.rules import dropout_after_pruning
from archspec.errors import ArchspecError
from archspec.graph import Network, Node
from archspec.graph.names import place_of, state_key
from archspec.language.domains import real, whole, word
from archspec.language.values import Text
from archspec.train.methods.base import Course, Method, torch
from archspec.train.methods.planned import entries

SCHEDULES = ("cubic", "at_once")
DROPOUT = ("adjusted", "kept")
LAYERS = ("conv2d", "linear")
FUNCTIONS = ("relu", "relu6", "tanh", "sigmoid")
"""What changes single values, by torch's names; a constant stays one."""
CARRIERS = ("flatten", "dropout", "max_pool2d", "avg_pool2d")
"""What a constant passes unchanged while evaluating; pools that do not pad."""


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

    def begin(self, model: "torch.nn.Module", network: Network) -> "Pruned":
        """All weights are there yet."""
        found = {name: entry.density for name, entry in entries(load(self.plan), network, self.key).items()}
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

    def __init__(self, keys: Prune, model: "torch.nn.Module", network: Network, counts: Mapping[str, int]) -> None:
        self.keys, self.counts, self.last = keys, dict(counts), keys.steps if keys.schedule == "cubic" else 1
        self.joints = joints(network)
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

    def after_step(self, model: "torch.nn.Module", average: "torch.nn.Module | None", step: int) -> None:
        """New masks where they are due, and zeros under all of them."""
        done = step + 1
        sides = [dict(each.named_parameters()) for each in (model, average) if each is not None]
        with torch.no_grad():
            if done == self.last or (done < self.last and done % self.keys.every == 0):
                self._masked(done)
            self._clear(sides)
            if done == self.last:
                folds = left_out(self.joints, self.masks)
                for side in sides:
                    fold(side, folds)
                self._clear(sides)

    def _clear(self, sides: "list[dict[str, torch.nn.Parameter]]") -> None:
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

    def tensors(self) -> "dict[str, torch.Tensor]":
        """The masks, and how many weights are to be kept."""
        masks = {name: mask.to(torch.uint8) for name, mask in self.masks.items()}
        return masks | {f"count.{name}": torch.tensor(count) for name, count in self.counts.items()}

    def restore(self, tensors: "Mapping[str, torch.Tensor]") -> None:
        """The masks as they were."""
        for name, mask in self.masks.items():
            mask.copy_(tensors[name].bool())
        self.counts = {name: int(tensors[f"count.{name}"]) for name in self.counts}
        self._drop()

    def facts(self) -> dict[str, Any]:
        """How many weights and units are left, of how many, and which layers are cut off."""
        kept = {name: [int(self.masks[name].sum()), self.masks[name].numel()] for name in self.counts}
        cut = [name for name, (left, _) in kept.items() if not left]
        return {"weights": kept, "units": counted(self.joints, self.masks), **({"cut_off": cut} if cut else {})}


def kept(array: "torch.Tensor", count: int, among: "torch.Tensor") -> "torch.Tensor":
    """The mask of so many weights of largest magnitude among some; of equal ones the first.

    >>> import torch
    >>> kept(torch.tensor([3., -1., 2., 0.]), 2, torch.tensor([True, True, True, True])).tolist()
    [True, False, True, False]
    """
    size = torch.where(among, array.abs(), -1.0).flatten()
    mask = torch.zeros(array.numel(), dtype=torch.bool, device=array.device)
    mask[torch.argsort(size, descending=True, stable=True)[: min(count, int(among.sum()))]] = True
    return mask.view_as(array)


def above(array: "torch.Tensor", quality: float) -> int:
    """How many weights are larger than so many standard deviations of all."""
    values = array.detach().double()
    return int((values.abs() > quality * values.std(correction=0)).sum())


def dropouts(network: Network, model: "torch.nn.Module", pruned: Mapping[str, int]) -> list[tuple[Any, float, str]]:
    """The dropouts that stand before a pruned layer alone: the module, its probability, the layer's weights."""
    found = []
    for node in network.nodes:
        module = model.get_submodule(place_of(node.name))
        if not isinstance(module, torch.nn.modules.dropout._DropoutNd):
            continue
        here, readers = node, [node]
        while len(readers) == 1 and state_key(here.name, "weight") not in pruned:
            readers = [each for each in network.nodes if here.name in each.inputs]
            here = readers[0] if readers else here
        if len(readers) == 1:
            found.append((module, module.p, state_key(here.name, "weight")))
    return found


# ------------------------------------------------------------------ units that are left out


@dataclass(frozen=True, slots=True)
class Joint:
    """Two layers between which each unit goes its own way.

    Attributes:
        before, after: The prefixes of their arrays.
        functions: What the values pass, in order.
        units: How many units the first has.
        exact: Whether a constant is one for the second layer: not, if it pads with zeros.
        biased: Whether the first and the second have biases.
    """

    before: str
    after: str
    functions: tuple[str, ...]
    units: int
    exact: bool
    biased: tuple[bool, bool]

    def constant(self, arrays: "Mapping[str, torch.Tensor]", units: "torch.Tensor") -> "torch.Tensor":
        """What units without inputs give."""
        name = f"{self.before}bias"
        found = arrays[name].detach()[units] if self.biased[0] else torch.zeros(int(units.sum()))
        for function in self.functions:
            found = (torch.nn.functional.relu6 if function == "relu6" else getattr(torch, function))(found)
        return found

    def by_unit(self, array: "torch.Tensor") -> "torch.Tensor":
        """The second layer's weights by output, unit, and where the unit's value stands: out × units × each."""
        return array.reshape(len(array), self.units, -1)


def joints(network: Network) -> tuple[Joint, ...]:
    """All of a network, in order; a layer whose values several others take has none.

    >>> import archspec
    >>> [(joint.before, joint.after) for joint in joints(archspec.load("lenet_5").expand())]
    [('conv1.', 'conv2.'), ('conv2.', 'fc1.'), ('fc1.', 'fc2.')]
    """
    readers: dict[str, list[Node]] = {}
    for node in network.nodes:
        for name in node.inputs:
            readers.setdefault(name, []).append(node)
    times = Counter({name: len(nodes) for name, nodes in readers.items()})
    times.update(network.outputs.values())
    found = []
    for node in network.nodes:
        if node.operator.name not in LAYERS or node.name in network.sharing:
            continue
        functions: list[str] = []
        here = node
        while times[here.name] == 1 and here.name in readers:
            here = readers[here.name][0]
            if here.name in network.sharing:
                break
            if here.operator.name in LAYERS:
                found += _joint(network, node, here, tuple(functions))
                break
            if here.operator.name in FUNCTIONS:
                functions.append(here.operator.name)
            elif here.operator.name not in CARRIERS or not _bare(here):
                break
    return tuple(found)


def _bare(node: Node) -> bool:
    return node.operator.settings().get("padding", 0) in (0, (0, 0))


def _joint(network: Network, before: Node, after: Node, functions: tuple[str, ...]) -> list[Joint]:
    if after.operator.settings().get("groups", 1) != 1:
        return []
    biased = [
        any(weight.role == "bias" for weight in node.operator.weights(*network.inputs_of(node)))
        for node in (before, after)
    ]
    keys = state_key(before.name, ""), state_key(after.name, "")
    return [Joint(*keys, functions, before.output.shape[1], _bare(after), (biased[0], biased[1]))]


def left_out(joints: tuple[Joint, ...], masks: "Mapping[str, torch.Tensor]") -> "list[tuple[Joint, torch.Tensor]]":
    """Clear the masks of units without inputs or outputs; gives those without inputs, in the order of folding.

    One pass forwards and one backwards find all: a unit left out can only take others of its own side with it.
    """
    folds = []
    for joint in joints:
        into, out = masks[f"{joint.before}weight"], joint.by_unit(masks[f"{joint.after}weight"])
        units = ~into.flatten(1).any(1) & out.any(2).any(0)
        if bool(units.any()) and joint.exact and joint.biased[1]:
            folds.append((joint, units))
            out[:, units] = False
    for joint in reversed(joints):
        into, out = masks[f"{joint.before}weight"], joint.by_unit(masks[f"{joint.after}weight"])
        units = ~out.any(2).any(0)
        into[units] = False
        if joint.biased[0]:
            masks[f"{joint.before}bias"][units] = False
    return folds


def fold(arrays: "Mapping[str, torch.Tensor]", folds: "list[tuple[Joint, torch.Tensor]]") -> None:
    """Add what units without inputs give to the biases behind them; their weights are left for the masks to clear."""
    for joint, units in folds:
        weights = joint.by_unit(arrays[f"{joint.after}weight"])[:, units].sum(2)
        arrays[f"{joint.after}bias"] += weights @ joint.constant(arrays, units).to(weights)


def counted(joints: tuple[Joint, ...], masks: "Mapping[str, torch.Tensor]") -> dict[str, list[int]]:
    """Of each layer before another the units that are left, and all."""
    found = {}
    for joint in joints:
        left = joint.by_unit(masks[f"{joint.after}weight"]).any(2).any(0)
        found[joint.before.rstrip(".")] = [int(left.sum()), joint.units]
    return found
