"""Trained quantisation: weights share the numbers of a codebook, which learns (Han et al. 2016, arXiv:1510.00149)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from archspec.compress.codecs.shared import Codebook
from archspec.compress.names import BEGINNINGS
from archspec.errors import ArchspecError
from archspec.language.domains import word
from archspec.language.values import Text
from archspec.train.methods.base import Course, Method, registered
from archspec.train.methods.planned import choices

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from archspec.compress.layout import CodingChoice
    from archspec.graph import Network

AS_PLANNED = "planned"


@registered
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

    def begin(self, model: "nn.Module", network: "Network", seed: int) -> "CodebookTraining":  # noqa: ARG002
        """Cluster the weights that the plan keeps; the model has the shared numbers from now on."""
        change = {} if self.init == AS_PLANNED else {"codebook": self.init}
        found = {
            name: codebook(model.get_parameter(name), choice)
            for name, choice in choices(self.plan, network, self.key, change).items()
            if isinstance(choice.candidates[0].values, Codebook)
        }
        if not found:
            raise ArchspecError(f"share: the plan {self.plan} shares nothing: no layer has weight_bits")
        return CodebookTraining(model, found)


@dataclass
class Book:
    """The numbers of a layer, and which of them each weight has; −1 for zero."""

    numbers: "nn.Parameter"
    which: "Tensor"

    @property
    def weights(self) -> "Tensor":
        """The weights."""
        import torch

        return torch.where(self.which < 0, 0, self.numbers[self.which.clamp_min(0)])


class CodebookTraining(Course):
    """A training of codebooks."""

    def __init__(self, model: "nn.Module", books: dict[str, Book]) -> None:
        self.arrays = {name: model.get_parameter(name) for name in books}
        self.books = books
        self.spread()

    def parameters(self, named: "dict[str, nn.Parameter]") -> "dict[str, nn.Parameter]":
        """The codebooks in the place of their layers' weights."""
        return {
            f"codebook.{name}" if name in self.books else name: self.books[name].numbers if name in self.books else p
            for name, p in named.items()
        }

    def before_step(self, step: int) -> None:  # noqa: ARG002
        """The gradient of a number is the sum over its weights."""
        for name, book in self.books.items():
            gradient = self.arrays[name].grad
            book.numbers.grad = None if gradient is None else summed(gradient, book.which, len(book.numbers))
            self.arrays[name].grad = None

    def after_step(self, model: "nn.Module", average: "nn.Module | None", step: int) -> None:  # noqa: ARG002
        """The weights follow their numbers; the average of what is shared is shared."""
        self.spread()

    def spread(self) -> None:
        """Give the weights their numbers."""
        import torch

        with torch.no_grad():
            for name, book in self.books.items():
                self.arrays[name].copy_(book.weights)

    def tensors(self) -> "dict[str, Tensor]":
        """The codebooks, and which number each weight has."""
        found = {f"book.{name}": book.numbers.detach() for name, book in self.books.items()}
        return found | {f"which.{name}": book.which for name, book in self.books.items()}

    def restore(self, tensors: "Mapping[str, Tensor]") -> None:
        """As they were."""
        for name, book in self.books.items():
            book.numbers.data = tensors[f"book.{name}"].to(book.numbers).clone()
            book.which.copy_(tensors[f"which.{name}"])

    def facts(self) -> dict[str, Any]:
        """How many numbers each layer's weights share."""
        return {"numbers": {name: len(book.numbers) for name, book in self.books.items()}}


def codebook(array: "Tensor", choice: "CodingChoice") -> Book:
    """The numbers that a packed file would have of an array, without those of no weight.

    Raises:
        ArchspecError: All weights are zero, or one is no number.
    """
    import numpy as np
    import torch

    values = array.detach().cpu().numpy()
    if not values.any():
        raise ArchspecError(f"share: all weights of {choice.key} are zero; there is nothing to share")
    size, symbols = choice.of(values)
    coding, content = size.coding, symbols.content
    positions = coding.natural(symbols.positions)
    zeros = int(isinstance(coding.values, Codebook) and coding.values.zero)
    which = np.full(values.size, -1, np.int64)
    which[slice(None) if positions is None else positions] = content.codes.astype(np.int64) - zeros
    used, packed = np.unique(which[which >= 0], return_inverse=True)
    which[which >= 0] = packed
    numbers = torch.nn.Parameter(torch.from_numpy(content.tables[0][used + zeros].astype(np.float32)).to(array))
    numbers.decays = False  # type: ignore[attr-defined]
    return Book(numbers, torch.from_numpy(which).view(array.shape).to(array.device))


def summed(gradient: "Tensor", which: "torch.Tensor", count: int) -> "Tensor":
    """∂L/∂Cₖ = Σ ∂L/∂Wᵢⱼ·1(Iᵢⱼ = k): the sums over each number's weights; index −1 is of no number."""
    import torch

    found = torch.zeros(count + 1, dtype=gradient.dtype, device=gradient.device)
    return found.index_add_(0, which.flatten() + 1, gradient.flatten())[1:]
