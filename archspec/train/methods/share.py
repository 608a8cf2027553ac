"""Trained quantisation: weights share the numbers of a codebook, which learns (Han et al. 2016, arXiv:1510.00149)."""

from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from archspec.errors import ArchspecError
from archspec.language.values import Text
from archspec.train.domains import whole, word
from archspec.train.methods.base import Course, Method, registered
from archspec.train.methods.planned import entries

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch
    from torch import Tensor, nn

    from archspec.graph import Network

BEGINNINGS = ("linear", "density", "random")


@registered
class WeightSharing(Method):
    """Each weight of a layer is one of 2^bits numbers, the same one for the whole stage; the numbers learn.

    The gradient of a number is the sum of those of its weights (equation 3). Zeros stay zeros and take no number.

    Attributes:
        plan: The plan of compression, whose weight_bits are taken: a name or a file.
        init: Where the numbers begin (section 3.2): "linear" between the least and the largest weight, "density" at
            equal shares of the weights, or "random" weights.
        rounds: Rounds of k-means before the training.
    """

    key: ClassVar[str] = "share"
    short: ClassVar[str | None] = "plan"

    plan: Text
    init: Annotated[str, word(BEGINNINGS)] = "linear"
    rounds: Annotated[int, whole(0, 10_000)] = 30

    def begin(self, model: "nn.Module", network: "Network", seed: int) -> "CodebookTraining":
        """Cluster the weights that are not zero; the model has the shared numbers from now on."""
        import torch

        drawn = torch.Generator().manual_seed(seed)
        books, which, arrays = {}, {}, {}
        for name, entry in entries(self.plan, network, self.key).items():
            if entry.weight_bits is None:
                continue
            array = model.get_parameter(name)
            values = array.detach().flatten().double().cpu()
            values = values[values != 0]
            if not len(values):
                raise ArchspecError(f"share: all weights of {name} are zero")
            book, found = clustered(values, beginning(values, 2**entry.weight_bits, self.init, drawn), self.rounds)
            index = torch.full((array.numel(),), -1, dtype=torch.int64)
            index[(array.detach().flatten() != 0).cpu()] = found
            arrays[name], which[name] = array, index.view(array.shape).to(array.device)
            books[name] = torch.nn.Parameter(book.to(array))
        if not books:
            raise ArchspecError(f"share: the plan {self.plan} shares nothing: no layer has weight_bits")
        shared = CodebookTraining(arrays, books, which)
        shared.spread(model)
        return shared


class CodebookTraining(Course):
    """A training of codebooks."""

    def __init__(
        self, arrays: "Mapping[str, nn.Parameter]", books: "dict[str, nn.Parameter]", which: "dict[str, Tensor]"
    ) -> None:
        self.arrays, self.books, self.which = arrays, books, which

    def parameters(self, named: "dict[str, nn.Parameter]") -> "dict[str, nn.Parameter]":
        """The codebooks in the place of their layers' weights."""
        return {
            f"codebook.{name}" if name in self.books else name: self.books.get(name, p) for name, p in named.items()
        }

    def before_step(self, step: int) -> None:  # noqa: ARG002
        """The gradient of a number is the sum over its weights."""
        for name, book in self.books.items():
            gradient = self.arrays[name].grad
            book.grad = None if gradient is None else summed(gradient, self.which[name], len(book))
            self.arrays[name].grad = None

    def after_step(self, model: "nn.Module", average: "nn.Module | None", step: int) -> None:  # noqa: ARG002
        """The weights follow their numbers; the average of what is shared is shared."""
        self.spread(model)

    def spread(self, model: "nn.Module") -> None:
        """Give the weights their numbers."""
        import torch

        with torch.no_grad():
            for name, book in self.books.items():
                index = self.which[name]
                model.get_parameter(name).copy_(torch.where(index < 0, 0, book[index.clamp_min(0)]))

    def tensors(self) -> "dict[str, Tensor]":
        """The codebooks, and which number each weight has."""
        found = {f"book.{name}": book.detach() for name, book in self.books.items()}
        return found | {f"which.{name}": index for name, index in self.which.items()}

    def restore(self, tensors: "Mapping[str, Tensor]") -> None:
        """As they were."""
        import torch

        with torch.no_grad():
            for name, book in self.books.items():
                kept = tensors[f"book.{name}"]
                book.data = kept.to(book).clone()
                self.which[name].copy_(tensors[f"which.{name}"])

    def facts(self) -> dict[str, Any]:
        """The sizes of the codebooks."""
        return {name: len(book) for name, book in self.books.items()}


def beginning(values: "Tensor", count: int, how: str, drawn: "torch.Generator") -> "Tensor":
    """The numbers that clustering begins with, at most as many as there are different weights, in order."""
    import torch

    different = torch.unique(values)
    count = min(count, len(different))
    if how == "linear":
        found = torch.linspace(float(values.min()), float(values.max()), count, dtype=values.dtype)
    elif how == "density":
        ranks = (torch.arange(count, dtype=torch.float64) + 0.5) / count * len(values)
        found = values.sort().values[ranks.long()]
    else:
        found = different[torch.randperm(len(different), generator=drawn)[:count]]
    return found.sort().values


def clustered(values: "Tensor", book: "Tensor", rounds: int) -> "tuple[Tensor, Tensor]":
    """k-means in one dimension: the numbers, and which of them each value is nearest to; an empty cluster stays.

    >>> import torch
    >>> book, which = clustered(torch.tensor([0., 1., 9., 11.]), torch.tensor([0., 11.]), 10)
    >>> book.tolist(), which.tolist()
    ([0.5, 10.0], [0, 0, 1, 1])
    """
    import torch

    which = torch.bucketize(values, (book[1:] + book[:-1]) / 2)
    for _ in range(rounds):
        count = torch.bincount(which, minlength=len(book))
        sums = torch.zeros_like(book).index_add_(0, which, values)
        book = torch.where(count > 0, sums / count.clamp_min(1), book)
        again = torch.bucketize(values, (book[1:] + book[:-1]) / 2)
        if bool((again == which).all()):
            break
        which = again
    return book, which


def summed(gradient: "Tensor", which: "Tensor", count: int) -> "Tensor":
    """∂L/∂Cₖ = Σ ∂L/∂Wᵢⱼ·1(Iᵢⱼ = k): the sums over each number's weights; index −1 is of no number."""
    import torch

    found = torch.zeros(count + 1, dtype=gradient.dtype, device=gradient.device)
    return found.index_add_(0, which.flatten() + 1, gradient.flatten())[1:]
