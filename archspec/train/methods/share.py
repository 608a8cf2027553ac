"""Trained quantisation: weights share the numbers of a codebook, which learns (Han et al. 2016, arXiv:1510.00149)."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import numpy as np

from archspec.compress.codecs.shared import Codebook
from archspec.compress.layout import CodingChoice
from archspec.compress.names import BEGINNINGS
from archspec.compress.plan import load
from archspec.errors import ArchspecError
from archspec.graph import Network
from archspec.language.domains import word
from archspec.language.values import Text
from archspec.train.methods.base import Method, torch
from archspec.train.methods.planned import StandIns, choices

AS_PLANNED = "planned"


class WeightSharing(Method):
    """Each weight of a layer is one of 2^bits numbers, the same one for the whole stage; the numbers learn.

    The gradient of a number is the sum of those of its weights (equation 3), and it does not decay. Which numbers
    there are at first, and which weights have them, says the same code that packs: what is trained is what is packed.

    Attributes:
        plan: The plan of compression, whose weight_bits are taken: a name or a file.
        init: How k-means begins (section 3.2), in the place of the plan's `codebook`.
    """

    key: ClassVar[str] = "share"
    short: ClassVar[str | None] = "plan"

    plan: Text
    init: Annotated[str, word((AS_PLANNED, *BEGINNINGS))] = AS_PLANNED

    def begin(self, model: "torch.nn.Module", network: Network) -> "CodebookTraining":
        """Cluster the weights that the plan keeps; the model has the shared numbers from now on."""
        plan = load(self.plan)
        if self.init != AS_PLANNED:
            begun = tuple(layer.model_copy(update={"codebook": self.init}) for layer in plan.layers)
            plan = plan.model_copy(update={"layers": begun})
        found = {
            name: codebook(model.get_parameter(name), choice)
            for name, choice in choices(plan, network, self.key).items()
            if isinstance(choice.candidates[0].values, Codebook)
        }
        if not found:
            raise ArchspecError(f"share: the plan {self.plan} shares nothing: no layer has weight_bits")
        return CodebookTraining(model, found)


class CodebookTraining(StandIns):
    """A training of codebooks: the numbers of each layer, and which of them each weight has; −1 for zero."""

    def __init__(self, model: "torch.nn.Module", books: "dict[str, tuple[torch.nn.Parameter, torch.Tensor]]") -> None:
        self.which = {name: which for name, (_, which) in books.items()}
        super().__init__(model, {name: numbers for name, (numbers, _) in books.items()})

    def follow(self) -> None:
        """Give the weights their numbers; the average of what is shared is shared."""
        with torch.no_grad():
            for name, which in self.which.items():
                self.arrays[name].copy_(torch.where(which < 0, 0, self.learned[name][which.clamp_min(0)]))

    def handed(self, name: str, gradient: "torch.Tensor") -> "torch.Tensor":
        """The gradient of a number is the sum over its weights."""
        return summed(gradient, self.which[name], len(self.learned[name]))

    def tensors(self) -> "dict[str, torch.Tensor]":
        """The codebooks, and which number each weight has."""
        found = {f"book.{name}": numbers.detach() for name, numbers in self.learned.items()}
        return found | {f"which.{name}": which for name, which in self.which.items()}

    def restore(self, tensors: "Mapping[str, torch.Tensor]") -> None:
        """As they were."""
        for name, numbers in self.learned.items():
            numbers.data = tensors[f"book.{name}"].to(numbers).clone()
            self.which[name].copy_(tensors[f"which.{name}"])

    def facts(self) -> dict[str, Any]:
        """How many numbers each layer's weights share."""
        return {"numbers": {name: len(numbers) for name, numbers in self.learned.items()}}


def codebook(array: "torch.Tensor", choice: CodingChoice) -> "tuple[torch.nn.Parameter, torch.Tensor]":
    """The numbers that a packed file would have of an array, without those of no weight; and each weight's, by place.

    Raises:
        ArchspecError: All weights are zero, or one is no number.
    """
    values = array.detach().cpu().numpy()
    if not values.any():
        raise ArchspecError(f"share: all weights of {choice.key} are zero; there is nothing to share")
    size, content = choice.of(values)
    coding, positions = size.coding, size.coding.natural(content.positions)
    zeros = int(isinstance(coding.values, Codebook) and coding.values.zero)
    which = np.full(values.size, -1, np.int64)
    which[slice(None) if positions is None else positions] = content.codes.astype(np.int64) - zeros
    used, packed = np.unique(which[which >= 0], return_inverse=True)
    which[which >= 0] = packed
    numbers = torch.nn.Parameter(torch.from_numpy(content.tables[0][used + zeros].astype(np.float32)).to(array))
    numbers.decays = False  # type: ignore[attr-defined]
    return numbers, torch.from_numpy(which).view(array.shape).to(array.device)


def summed(gradient: "torch.Tensor", which: "torch.Tensor", count: int) -> "torch.Tensor":
    """∂L/∂Cₖ = Σ ∂L/∂Wᵢⱼ·1(Iᵢⱼ = k): the sums over each number's weights; index −1 is of no number."""
    found = torch.zeros(count + 1, dtype=gradient.dtype, device=gradient.device)
    return found.index_add_(0, which.flatten() + 1, gradient.flatten())[1:]
