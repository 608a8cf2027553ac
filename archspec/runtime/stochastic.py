"""What is random while training and nothing when evaluating."""

import torch
from torch import Tensor, nn


class DropPath(nn.Module):
    """Stochastic depth (Huang et al. 2016, arXiv:1603.09382): each input of a batch is kept whole, or not at all."""

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        """While training, zero with probability p, else x/(1 − p)."""
        if not self.training or self.p == 0:
            return x
        kept = torch.rand((x.shape[0], *(1,) * (x.ndim - 1)), dtype=x.dtype, device=x.device) >= self.p
        return x * kept / (1 - self.p)

    def extra_repr(self) -> str:
        """With its probability."""
        return f"p={self.p}"
