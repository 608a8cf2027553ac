"""Modules that torch does not have.

Rounding to few bits, stochastic depth, norms over channels, learned tensors; poolings with TensorFlow's padding, which
depends on the input's size and may be one more behind than before; recurrent layers that give the sequence, or the last
state, and nothing else; attention with dropouts and windows, and its positions.
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


# ------------------------------------------------------------------ what attention needs beyond torch's function


class DotProductAttention(nn.Module):
    """`scaled_dot_product_attention` with a dropout while training, a window of keys, or other than four axes.

    Torch's own fast ways, and its ONNX, are of inputs × heads × tokens × features alone.
    """

    def __init__(
        self,
        is_causal: bool = False,
        enable_gqa: bool = False,
        scale: float | None = None,
        dropout_p: float = 0.0,
        window: int | None = None,
    ) -> None:
        super().__init__()
        self.is_causal, self.enable_gqa, self.scale = is_causal, enable_gqa, scale
        self.dropout_p, self.window = dropout_p, window

    def forward(self, query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None) -> Tensor:
        """softmax(QKᵀ·scale + mask)·V."""
        if self.window is not None:
            places = torch.arange(query.shape[-2], device=query.device)[:, None]
            behind = places - torch.arange(key.shape[-2], device=query.device)
            attn_mask = (behind >= 0) & (behind < self.window)
        elif attn_mask is not None:
            attn_mask = attn_mask.expand(*query.shape[:-3], *attn_mask.shape[-3:]) if query.dim() > 4 else attn_mask
            attn_mask = _four_axes(attn_mask)
        result = functional.scaled_dot_product_attention(
            _four_axes(query),
            _four_axes(key),
            _four_axes(value),
            attn_mask,
            dropout_p=self.dropout_p if self.training else 0.0,
            is_causal=self.is_causal and attn_mask is None,
            scale=self.scale,
            enable_gqa=self.enable_gqa,
        )
        if query.dim() == 3:
            return result.squeeze(1)
        return result.reshape(*query.shape[:-3], *result.shape[1:]) if query.dim() > 4 else result

    def extra_repr(self) -> str:
        """What it was made with."""
        settings = {"is_causal": self.is_causal, "enable_gqa": self.enable_gqa, "scale": self.scale}
        settings |= {"dropout_p": self.dropout_p, "window": self.window}
        return ", ".join(f"{name}={value}" for name, value in settings.items())


def _four_axes(x: Tensor) -> Tensor:
    """Those before the heads as one, or one head."""
    return x.unsqueeze(1) if x.dim() == 3 else x.flatten(0, -4)


class WindowBias(nn.Module):
    """A learned number for each head and offset of two pixels of a window (Liu et al. 2021, arXiv:2103.14030)."""

    def __init__(self, window_size: tuple[int, int], num_heads: int, shift_size: tuple[int, int] = (0, 0)) -> None:
        super().__init__()
        self.window_size, self.num_heads, self.shift_size = window_size, num_heads, shift_size
        height, width = window_size
        self.weight = nn.Parameter(torch.empty((2 * height - 1) * (2 * width - 1), num_heads))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """As random numbers around zero."""
        nn.init.normal_(self.weight, std=0.02)

    def forward(self, x: Tensor) -> Tensor:
        """Windows × heads × M² × M² for each image, −∞ for pixels that were moved beside each other."""
        height, width = self.window_size
        rows = torch.arange(height, device=x.device).repeat_interleave(width)
        columns = torch.arange(width, device=x.device).repeat(height)
        down = rows[:, None] - rows + height - 1
        right = columns[:, None] - columns + width - 1
        bias = self.weight[down * (2 * width - 1) + right].permute(2, 0, 1)[None, None]
        if any(self.shift_size):
            bias = bias.masked_fill(self._apart(x)[None, :, None], float("-inf"))
        return bias.expand(x.shape[0], *bias.shape[1:])

    def _apart(self, x: Tensor) -> Tensor:
        """Which pixels of a window came from different ends of the image, windows × M² × M²."""
        ends = [
            (torch.arange(size, device=x.device) >= size - shift).reshape(-1, window)
            for size, shift, window in zip(x.shape[-2:], self.shift_size, self.window_size, strict=True)
        ]
        rows, columns = ends[0][:, None, :, None], ends[1][None, :, None, :]
        region = (2 * rows.long() + columns.long()).flatten(0, 1).flatten(1)
        return region[:, :, None] != region[:, None]

    def extra_repr(self) -> str:
        """What it was made with."""
        return f"window_size={self.window_size}, num_heads={self.num_heads}, shift_size={self.shift_size}"


class RotaryEmbedding(nn.Module):
    """Pairs of the last axis turned by their place on the axis before it (Su et al. 2021, arXiv:2104.09864)."""

    def __init__(self, base: float = 10000, interleaved: bool = False) -> None:
        super().__init__()
        self.base, self.interleaved = base, interleaved

    def forward(self, x: Tensor) -> Tensor:
        """x·cos + x′·sin, where x′ is (−b, a) of each pair (a, b)."""
        length, width = x.shape[-2:]
        exponents = torch.arange(0, width, 2, device=x.device, dtype=torch.float32) / width
        places = torch.arange(length, device=x.device, dtype=torch.float32)
        angles = torch.outer(places, self.base**-exponents)
        if self.interleaved:
            angles = angles.repeat_interleave(2, -1)
            turned = torch.stack((-x[..., 1::2], x[..., ::2]), -1).flatten(-2)
        else:
            angles = torch.cat((angles, angles), -1)
            turned = torch.cat((-x[..., width // 2 :], x[..., : width // 2]), -1)
        return x * angles.cos().to(x.dtype) + turned * angles.sin().to(x.dtype)

    def extra_repr(self) -> str:
        """What it was made with."""
        return f"base={self.base}, interleaved={self.interleaved}"
