"""Modules that torch does not have.

Rounding to few bits, stochastic depth, norms over channels, learned tensors; poolings with TensorFlow's padding, which
depends on the input's size and may be one more behind than before; recurrent layers that give the sequence, or the last
state, and nothing else.
"""

from math import ceil
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional


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


# ------------------------------------------------------------------ poolings with TensorFlow's padding


def tf_padded(
    x: Tensor, kernel: tuple[int, ...], stride: tuple[int, ...], dilation: tuple[int, ...], value: float
) -> Tensor:
    """With as much of a value around it as the last window of each axis needs."""
    around: list[int] = []
    for size, k, s, d in zip(
        reversed(x.shape[2:]), reversed(kernel), reversed(stride), reversed(dilation), strict=True
    ):
        both = max((ceil(size / s) - 1) * s + d * (k - 1) + 1 - size, 0)
        around += [both // 2, both - both // 2]
    return functional.pad(x, around, value=value)


class _TfSame(nn.Module):
    """The window of a pooling; `axes` it has, behind the batch and the channels."""

    axes: int

    def __init__(
        self,
        kernel_size: int | tuple[int, ...],
        stride: int | tuple[int, ...],
        dilation: int | tuple[int, ...] = 1,
    ) -> None:
        super().__init__()
        self.kernel_size, self.stride, self.dilation = kernel_size, stride, dilation
        given = (kernel_size, stride, dilation)
        self._window = tuple(size if isinstance(size, tuple) else (size,) * self.axes for size in given)

    def extra_repr(self) -> str:
        """As torch's poolings print it."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, dilation={self.dilation}"


class TfSameMaxPool2d(_TfSame):
    """The largest element under each window; nothing is put around that could be the largest."""

    axes = 2

    def forward(self, x: Tensor) -> Tensor:
        """⌈h/s⌉ × ⌈w/s⌉ results."""
        kernel, stride, dilation = self._window
        pool = (functional.max_pool1d, functional.max_pool2d, functional.max_pool3d)[self.axes - 1]
        return pool(tf_padded(x, kernel, stride, dilation, float("-inf")), kernel, stride, 0, dilation)


class TfSameMaxPool1d(TfSameMaxPool2d):
    """The same of channels × length."""

    axes = 1


class TfSameMaxPool3d(TfSameMaxPool2d):
    """The same of channels × depth × height × width."""

    axes = 3


class TfSameAvgPool2d(_TfSame):
    """The mean under each window, of the elements that there are."""

    axes = 2

    def forward(self, x: Tensor) -> Tensor:
        """⌈h/s⌉ × ⌈w/s⌉ results."""
        kernel, stride, dilation = self._window
        mean = (functional.avg_pool1d, functional.avg_pool2d, functional.avg_pool3d)[self.axes - 1]
        there = torch.ones_like(x[:1, :1])
        sums, counts = (mean(tf_padded(of, kernel, stride, dilation, 0.0), kernel, stride) for of in (x, there))
        return sums / counts


class TfSameAvgPool1d(TfSameAvgPool2d):
    """The same of channels × length."""

    axes = 1


class TfSameAvgPool3d(TfSameAvgPool2d):
    """The same of channels × depth × height × width."""

    axes = 3


# ------------------------------------------------------------------ recurrent layers


class _RecurrentLayers(nn.Module):
    """Recurrent layers, batch first, that give one result."""

    bidirectional: bool

    def __init__(self, input_size: int, hidden_size: int, *, return_sequences: bool = True, **settings: Any) -> None:
        super().__init__(input_size, hidden_size, batch_first=True, **settings)
        self.return_sequences = return_sequences

    def forward(self, x: Tensor) -> Tensor:
        """The states of all steps; or the last layer's last state, those of both directions side by side."""
        sequence, states = super().forward(x)
        if self.return_sequences:
            return sequence  # type: ignore[no-any-return]
        hidden = states[0] if isinstance(states, tuple) else states
        return torch.cat((hidden[-2], hidden[-1]), -1) if self.bidirectional else hidden[-1]


class LstmLayers(_RecurrentLayers, nn.LSTM):  # type: ignore[misc]  # the sequence or a state alone
    """`nn.LSTM`, batch first; takes what it takes, and `return_sequences`."""


class GruLayers(_RecurrentLayers, nn.GRU):  # type: ignore[misc]
    """`nn.GRU`, likewise."""


class RnnLayers(_RecurrentLayers, nn.RNN):  # type: ignore[misc]
    """`nn.RNN`, likewise."""
