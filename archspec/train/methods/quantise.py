"""Quantisation-aware training: the network computes with levels of a scale while the real weights learn.

Jacob et al. 2018 (arXiv:1712.05877, section 3). The gradient is handed straight through where a weight, once it is
rounded, is between the ends of its scale, and is zero where it was cut to an end; scales follow from the weights and
pass none.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from archspec.compress.codecs.linear import LinearQuantisation
from archspec.compress.coding import Coding
from archspec.compress.layers import folds
from archspec.compress.plan import load
from archspec.errors import ArchspecError
from archspec.graph import Network
from archspec.language.values import Text
from archspec.train.methods.base import Method, torch
from archspec.train.methods.freeze import still
from archspec.train.methods.planned import StandIns, choices

SETTLED = 4
"""Levels of levels are the same levels but for the last bit of a scale; after so few rounds that is settled."""


class Quantise(Method):
    """Weights are levels of a scale in every step, as a plan says and as its file has them; real ones learn behind.

    Where the plan folds normalisations, they are folded at the beginning of the stage: their statistics and scales
    stay, and their shifts learn.

    Attributes:
        plan: The plan of compression, whose linear_bits are taken: a name or a file.
    """

    key: ClassVar[str] = "quantise"
    short: ClassVar[str | None] = "plan"
    averages: ClassVar[bool] = False

    plan: Text

    def begin(self, model: "torch.nn.Module", network: Network) -> "Quantised":
        """Fold what the plan folds; the model has levels from now on."""
        plan = load(self.plan)
        codings = {
            name: choice.candidates[0]
            for name, choice in choices(plan, network, self.key).items()
            if isinstance(choice.candidates[0].values, LinearQuantisation)
        }
        if not codings:
            raise ArchspecError(f"quantise: the plan {self.plan} has no levels: no layer has linear_bits")
        return Quantised(model, codings, _fold(model, network) if plan.batch_norm == "fold" else set())


class Quantised(StandIns):
    """A training of real weights behind levels."""

    def __init__(self, model: "torch.nn.Module", codings: Mapping[str, Coding], folded: set[str]) -> None:
        self.codings, self.folded = codings, folded
        real = {name: torch.nn.Parameter(model.get_parameter(name).detach().clone()) for name in codings}
        self.kept = {name: array.detach() != 0 for name, array in real.items() if codings[name].density != 1}
        self.passes: dict[str, torch.Tensor] = {}
        super().__init__(model, real)

    def follow(self) -> None:
        """Round."""
        with torch.no_grad():
            for name, array in self.arrays.items():
                levels, self.passes[name] = rounded(self.learned[name], self.codings[name])
                array.copy_(levels)
                if name in self.kept:
                    self.passes[name] &= self.kept[name]

    def parameters(self, named: "dict[str, torch.nn.Parameter]") -> "dict[str, torch.nn.Parameter]":
        """The real weights in the place of their levels; what is folded does not learn."""
        for name in self.folded:
            named[name].requires_grad_(False)
        return super().parameters({name: p for name, p in named.items() if name not in self.folded})

    def handed(self, name: str, gradient: "torch.Tensor") -> "torch.Tensor":
        """That of the level, where it was not cut."""
        return gradient * self.passes[name]

    def tensors(self) -> "dict[str, torch.Tensor]":
        """The real weights."""
        found = {f"real.{name}": real.detach() for name, real in self.learned.items()}
        return found | {f"kept.{name}": kept.to(torch.uint8) for name, kept in self.kept.items()}

    def restore(self, tensors: "Mapping[str, torch.Tensor]") -> None:
        """As they were."""
        for name, real in self.learned.items():
            real.data.copy_(tensors[f"real.{name}"])
        for name, kept in self.kept.items():
            kept.copy_(tensors[f"kept.{name}"].bool())
        self.follow()

    def facts(self) -> dict[str, Any]:
        """The bits of a level."""
        return {"bits": {name: coding.values.bits for name, coding in self.codings.items()}}  # type: ignore[attr-defined]


def rounded(array: "torch.Tensor", coding: Coding) -> "tuple[torch.Tensor, torch.Tensor]":
    """The levels that a packed file would have of an array, as numbers, and where the gradient passes."""
    values = array.detach().cpu().numpy()
    flat = np.ascontiguousarray(values).ravel()
    positions = coding.chosen(values).positions
    passes = np.zeros(flat.size, bool)
    where = slice(None) if positions is None else positions
    passes[where] = coding.values.inside(flat[where], positions, *coding.matrix)  # type: ignore[attr-defined]
    levels = coding.array(coding.symbols(values))
    for _ in range(SETTLED):
        again = coding.array(coding.symbols(levels))
        if np.array_equal(levels, again):
            break
        levels = again
    return torch.from_numpy(levels.copy()).to(array), torch.from_numpy(passes).view(array.shape).to(array.device)


def _fold(model: "torch.nn.Module", network: Network) -> set[str]:
    """Fold the normalisations that can be folded, and keep them so; gives the names of what is fixed now."""
    fixed: set[str] = set()
    state = model.state_dict()
    for fold in folds(network):
        names = [f"{fold.layer}weight", *([f"{fold.layer}bias"] if fold.bias else [])]
        names += [fold.norm + name for name in ("weight", "bias", "running_mean", "running_var")]
        found = fold.applied({name: state[name].cpu().numpy() for name in names})
        with torch.no_grad():
            for name, values in found.items():
                state[name].copy_(torch.from_numpy(values))
            for name, value in fold.constants.items():
                state[name].fill_(value)
        still(model.get_submodule(fold.norm[:-1]))
        fixed |= {name for name in fold.constants if not name.rpartition(".")[2].startswith("running")}
    return fixed
