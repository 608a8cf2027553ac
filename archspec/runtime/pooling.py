"""Poolings with TensorFlow's padding, which depends on the input's size and may be one more behind than before."""

from math import ceil

import torch
from torch import Tensor, nn
from torch.nn import functional


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
