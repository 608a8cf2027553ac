"""Learned tensors that torch has no module for."""

import torch
from torch import Tensor, nn


class LearnedTensor(nn.Module):
    """A learned tensor, the same for each input of a batch: what flows in says how many there are."""

    def __init__(self, shape: tuple[int, ...], fill: float = 0, std: float = 0) -> None:
        super().__init__()
        self.fill, self.std = fill, std
        self.weight = nn.Parameter(torch.empty(shape))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """As `fill`, or as random numbers around it."""
        nn.init.normal_(self.weight, self.fill, self.std) if self.std else nn.init.constant_(self.weight, self.fill)

    def forward(self, x: Tensor) -> Tensor:
        """The tensor, once for each input."""
        # a view made without gradients says that it needs one, and torch's own counters look for where that comes from
        weight = self.weight if torch.is_grad_enabled() else self.weight.detach()
        return weight.expand(x.shape[0], *weight.shape)

    def extra_repr(self) -> str:
        """Its shape."""
        return f"{tuple(self.weight.shape)}, fill={self.fill}, std={self.std}"


class TokenEmbedding(nn.Embedding):
    """`nn.Embedding` that also takes whole numbers in a type for other numbers, as networks hand them on."""

    def forward(self, x: Tensor) -> Tensor:
        """The row of each number."""
        return super().forward(x if x.dtype == torch.int64 else x.long())
