"""Modules that torch does not have: rounding to few bits, stochastic depth, norms over channels, learned tensors."""

import torch
from torch import Tensor, nn


class Quantiser(nn.Module):
    """round(x/scale) + zero_point, cut off at the ends of so many bits; the gradient is handed straight through."""

    def __init__(self, scale: float, zero_point: int = 0, bits: int = 8, signed: bool = True) -> None:
        super().__init__()
        self.scale, self.zero_point, self.bits, self.signed = scale, zero_point, bits, signed

    def forward(self, x: Tensor) -> Tensor:
        """Whole numbers from −2^(b−1) to 2^(b−1) − 1, or from 0 to 2^b − 1."""
        least = -(2 ** (self.bits - 1)) if self.signed else 0
        scaled = x / self.scale
        rounded = scaled + (scaled.round() - scaled).detach()
        return (rounded + self.zero_point).clamp(least, least + 2**self.bits - 1)

    def extra_repr(self) -> str:
        """What it was made with."""
        return f"scale={self.scale}, zero_point={self.zero_point}, bits={self.bits}, signed={self.signed}"


class Dequantiser(nn.Module):
    """(q − zero_point)·scale."""

    def __init__(self, scale: float, zero_point: int = 0) -> None:
        super().__init__()
        self.scale, self.zero_point = scale, zero_point

    def forward(self, x: Tensor) -> Tensor:
        """The number that q stands for."""
        return (x - self.zero_point) * self.scale

    def extra_repr(self) -> str:
        """What it was made with."""
        return f"scale={self.scale}, zero_point={self.zero_point}"


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


class LayerNorm2d(nn.LayerNorm):
    """Layer normalisation of an image over its channels, each pixel by itself (ConvNeXt; Liu et al. 2022)."""

    def forward(self, x: Tensor) -> Tensor:
        """The channels to the end, normalised, and back."""
        return super().forward(x.movedim(1, -1)).movedim(-1, 1)


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
