"""Rounding to few bits, as floats that are whole numbers (Jacob et al. 2017, arXiv:1712.05877)."""

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
