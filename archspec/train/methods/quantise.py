"""Quantisation-aware training: the network computes with levels of a scale while the real weights learn.

Jacob et al. 2018 (arXiv:1712.05877, section 3). The gradient is handed straight through where a weight, once it is
rounded, is between the ends of its scale, and is zero where it was cut to an end; scales follow from the weights and
pass none.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from archspec.compress.codecs.linear import LinearQuantisation
from archspec.compress.coding import Coding
from archspec.compress.folding import folds
from archspec.compress.plan import load
from archspec.errors import ArchspecError
from archspec.language.values import Text
from archspec.train.methods.base import Course, Method, registered
from archspec.train.methods.freeze import moving, still
from archspec.train.methods.planned import choices

if TYPE_CHECKING:
    from torch import Tensor, nn

    from archspec.graph import Network

SETTLED = 4
"""Levels of levels are the same levels but for the last bit of a scale; after so few rounds that is settled."""


@registered
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

    def begin(self, model: "nn.Module", network: "Network", seed: int) -> "Quantised":  # noqa: ARG002
        """Fold what the plan folds; the model has levels from now on."""
        codings = {
            name: choice.candidates[0]
            for name, choice in choices(self.plan, network, self.key, {}).items()
            if isinstance(choice.candidates[0].values, LinearQuantisation)
        }
        if not codings:
            raise ArchspecError(f"quantise: the plan {self.plan} has no levels: no layer has linear_bits")
        norms, folded = _fold(model, network) if load(self.plan).batch_norm == "fold" else ([], set())
        return Quantised(model, codings, norms, folded)


class Quantised(Course):
    """A training of real weights behind levels."""

    def __init__(
        self, model: "nn.Module", codings: Mapping[str, Coding], norms: "list[nn.Module]", folded: set[str]
    ) -> None:
        from torch.nn import Parameter

        self.codings, self.norms, self.folded = codings, norms, folded
        self.arrays = {name: model.get_parameter(name) for name in codings}
        self.real = {name: Parameter(array.detach().clone()) for name, array in self.arrays.items()}
        self.kept = {name: array.detach() != 0 for name, array in self.arrays.items() if codings[name].density != 1}
        self.passes: dict[str, Tensor] = {}
        self._round()

    def _round(self) -> None:
        import torch

        with torch.no_grad():
            for name, array in self.arrays.items():
                levels, self.passes[name] = rounded(self.real[name], self.codings[name])
                array.copy_(levels)
                if name in self.kept:
                    self.passes[name] &= self.kept[name]

    def parameters(self, named: "dict[str, nn.Parameter]") -> "dict[str, nn.Parameter]":
        """The real weights in the place of their levels; what is folded does not learn."""
        for name in self.folded:
            named[name].requires_grad_(False)
        return {
            f"real.{name}" if name in self.real else name: self.real.get(name, p)
            for name, p in named.items()
            if name not in self.folded
        }

    def before_step(self, step: int) -> None:  # noqa: ARG002
        """The gradient of a level is that of its weight, where it was not cut."""
        for name, real in self.real.items():
            gradient = self.arrays[name].grad
            real.grad = None if gradient is None else gradient * self.passes[name]
            self.arrays[name].grad = None

    def after_step(self, model: "nn.Module", average: "nn.Module | None", step: int) -> None:  # noqa: ARG002
        """The levels follow."""
        self._round()

    def end(self) -> None:
        """Batch norms measure again."""
        for norm in self.norms:
            moving(norm)

    def tensors(self) -> "dict[str, Tensor]":
        """The real weights."""
        found = {f"real.{name}": real.detach() for name, real in self.real.items()}
        return found | {f"kept.{name}": kept.to(kept.new_empty(0).byte().dtype) for name, kept in self.kept.items()}

    def restore(self, tensors: "Mapping[str, Tensor]") -> None:
        """As they were."""
        for name, real in self.real.items():
            real.data.copy_(tensors[f"real.{name}"])
        for name, kept in self.kept.items():
            kept.copy_(tensors[f"kept.{name}"].bool())
        self._round()

    def facts(self) -> dict[str, Any]:
        """The bits of a level."""
        return {"bits": {name: coding.values.bits for name, coding in self.codings.items()}}  # type: ignore[attr-defined]


def rounded(array: "Tensor", coding: Coding) -> "tuple[Tensor, Tensor]":
    """The levels that a packed file would have of an array, as numbers, and where the gradient passes."""
    import torch

    values = array.detach().cpu().numpy()
    flat = np.ascontiguousarray(values).ravel()
    positions, _ = coding.chosen(values)
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


def _fold(model: "nn.Module", network: "Network") -> "tuple[list[nn.Module], set[str]]":
    """Fold the normalisations that can be folded, and keep them so; gives them, and the names of what is fixed now."""
    import torch

    norms: list[nn.Module] = []
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
        norms.append(model.get_submodule(fold.norm[:-1]))
        still(norms[-1])
        fixed |= {name for name in fold.constants if not name.rpartition(".")[2].startswith("running")}
    return norms, fixed
