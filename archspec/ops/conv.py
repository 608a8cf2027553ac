"""Convolutions."""

from typing import ClassVar

from archspec.dims import Dim, ceil_div, divide, known_less, maximum, product, reaches
from archspec.errors import ShapeError
from archspec.ops.base import (
    AXES,
    Module,
    NaturalPerAxis,
    Operations,
    Operator,
    Positive,
    PositivePerAxis,
    Sight,
    Switch,
    Tensor,
    Weight,
    per_axis,
    spatial,
)
from archspec.ops.window import Convolution, per_group, window


class Conv2d(Convolution, name="conv2d"):
    """A 2-D convolution; `groups` = in_channels makes it depthwise.

    >>> Conv2d(out_channels=64, kernel_size=3, padding="same").operations(Tensor((1, 3, 224, 224))).macs
    86704128
    """

    core = True
    taps = "input"
    overwritable = True

    def weights(self, x: Tensor) -> tuple[Weight, ...]:
        """out_channels × in_channels/g × k × k, and one bias per output channel."""
        return self.arrays(x)

    def operations(self, x: Tensor) -> Operations:
        """One multiply-accumulate per kernel weight and output pixel: n·c_out·h'·w'·(c_in/g)·k²."""
        return Operations(macs=self.products(x), additions=self.output(x).elements if self.bias else 0)

    def torch_call(self, x: Tensor) -> Module:
        """`torch.nn.Conv2d`, behind a `pad` where the two sides of an axis differ."""
        return self.convolution(f"torch.nn.Conv{self.axes}d", x)


class Conv1d(Conv2d, name="conv1d"):
    """A 1-D convolution of channels × length; padded by [d(k − 1), 0] it is causal.

    >>> causal = Conv1d(out_channels=64, kernel_size=3, padding=[8, 0], dilation=4)
    >>> causal.output(Tensor((1, 64, 100))).shape, causal.operations(Tensor((1, 64, 100))).macs
    ((1, 64, 100), 1228800)
    """

    axes = 1


class Conv3d(Conv2d, name="conv3d"):
    """A 3-D convolution of channels × depth × height × width (Tran et al. 2015, arXiv:1412.0767).

    >>> Conv3d(out_channels=64, kernel_size=3, padding=1).weights(Tensor((1, 3, 16, 112, 112)))[0].shape
    (64, 3, 3, 3, 3)
    """

    axes = 3


class ConvTranspose2d(Operator, name="conv_transpose2d"):
    """A transposed 2-D convolution: the input's pixels, each times the kernel, added up at distances of `stride`."""

    axes: ClassVar[int] = 2
    core = True
    taps = "result"
    overwritable = True
    out_channels: Positive
    kernel_size: PositivePerAxis
    stride: PositivePerAxis = 1
    padding: NaturalPerAxis = 0
    output_padding: NaturalPerAxis = 0
    groups: Positive = 1
    bias: Switch = True
    dilation: PositivePerAxis = 1

    def output(self, x: Tensor) -> Tensor:
        """n × out_channels × (h − 1)s − 2p + d(k − 1) + output_padding + 1 × …"""
        n, _, *sizes = spatial(x, self.axes, self.name)
        given = (self.kernel_size, self.stride, self.padding, self.output_padding, self.dilation)
        walked = zip(AXES[self.axes], sizes, *(per_axis(value, self.axes) for value in given), strict=True)
        return Tensor((n, self.out_channels, *(self._size(*each) for each in walked)))

    def sight(self, x: Tensor) -> Sight:
        """Of d(k−1) + 1 pixels that a pixel of the input writes to, every s-th; the next is 1/s further on."""
        kernel = window(self.kernel_size, self.stride, self.dilation, self.axes)
        spans = tuple(ceil_div(span, s) for span, s in zip(kernel.span, kernel.stride, strict=True))
        return Sight(spans, tuple(divide(1, s) for s in kernel.stride))

    @staticmethod
    def _size(axis: str, h: Dim, k: Dim, s: Dim, p: Dim, extra: Dim, d: Dim) -> Dim:
        if not reaches(maximum(s, d), extra + 1):
            raise ShapeError(
                f"output_padding {extra} must be smaller than the stride {s} or the dilation {d}", "output_padding"
            )
        size = (h - 1) * s - 2 * p + d * (k - 1) + extra + 1
        if known_less(size, 1):
            raise ShapeError(f"the padding {p} leaves nothing of the output's {axis} ({size})")
        return size

    def weights(self, x: Tensor) -> tuple[Weight, ...]:
        """in_channels × out_channels/g × k × k, and one bias per output channel."""
        _, c_out = per_group(x.shape[1], self.out_channels, self.groups)
        weight = Weight("weight", (x.shape[1], c_out, *per_axis(self.kernel_size, self.axes)))
        return (weight, Weight("bias", (self.out_channels,), "bias")) if self.bias else (weight,)

    def operations(self, x: Tensor) -> Operations:
        """One multiply-accumulate per kernel weight and *input* pixel: n·c_in·h·w·(c_out/g)·k²."""
        _, c_out = per_group(x.shape[1], self.out_channels, self.groups)
        additions = self.output(x).elements if self.bias else 0
        kernel = product(per_axis(self.kernel_size, self.axes))
        return Operations(macs=x.elements * c_out * kernel, additions=additions)

    def torch_call(self, x: Tensor) -> Module:
        """`torch.nn.ConvTranspose2d`."""
        return self.module(f"torch.nn.ConvTranspose{self.axes}d", {"in_channels": x.shape[1], **self.settings()}, 2)


class ConvTranspose1d(ConvTranspose2d, name="conv_transpose1d"):
    """A transposed 1-D convolution of channels × length."""

    axes = 1


class ConvTranspose3d(ConvTranspose2d, name="conv_transpose3d"):
    """A transposed 3-D convolution of channels × depth × height × width."""

    axes = 3
