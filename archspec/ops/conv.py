"""Convolutions."""

from archspec.dims import Dim, ceil_div, divide, known_less, maximum, reaches
from archspec.errors import ShapeError
from archspec.ops.base import (
    Module,
    NaturalPair,
    Operations,
    Operator,
    Positive,
    PositivePair,
    Sight,
    Switch,
    Tensor,
    Weight,
    as_pair,
    image,
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
        weight = Weight("weight", self.kernel(x))
        return (weight, Weight("bias", (self.out_channels,), "bias")) if self.bias else (weight,)

    def operations(self, x: Tensor) -> Operations:
        """One multiply-accumulate per kernel weight and output pixel: n·c_out·h'·w'·(c_in/g)·k²."""
        return Operations(macs=self.products(x), additions=self.output(x).elements if self.bias else 0)

    def torch_call(self, x: Tensor) -> Module:
        """`torch.nn.Conv2d`, behind a `pad` where the two sides of an axis differ."""
        return self.convolution("torch.nn.Conv2d", x)


class ConvTranspose2d(Operator, name="conv_transpose2d"):
    """A transposed 2-D convolution: the input's pixels, each times the kernel, added up at distances of `stride`."""

    core = True
    taps = "result"
    overwritable = True
    out_channels: Positive
    kernel_size: PositivePair
    stride: PositivePair = 1
    padding: NaturalPair = 0
    output_padding: NaturalPair = 0
    groups: Positive = 1
    bias: Switch = True
    dilation: PositivePair = 1

    def output(self, x: Tensor) -> Tensor:
        """n × out_channels × (h − 1)s − 2p + d(k − 1) + output_padding + 1 × …"""
        n, _, *sizes = image(x, self.name)
        axes = zip(
            ("height", "width"),
            sizes,
            as_pair(self.kernel_size),
            as_pair(self.stride),
            as_pair(self.padding),
            as_pair(self.output_padding),
            as_pair(self.dilation),
            strict=True,
        )
        return Tensor((n, self.out_channels, *(self._size(*axis) for axis in axes)))

    def sight(self, x: Tensor) -> Sight:
        """Of d(k−1) + 1 pixels that a pixel of the input writes to, every s-th; the next is 1/s further on."""
        kernel = window(self.kernel_size, self.stride, self.dilation)
        height, width = (ceil_div(span, s) for span, s in zip(kernel.span, kernel.stride, strict=True))
        up, across = kernel.stride
        return Sight((height, width), (divide(1, up), divide(1, across)))

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
        weight = Weight("weight", (x.shape[1], c_out, *as_pair(self.kernel_size)))
        return (weight, Weight("bias", (self.out_channels,), "bias")) if self.bias else (weight,)

    def operations(self, x: Tensor) -> Operations:
        """One multiply-accumulate per kernel weight and *input* pixel: n·c_in·h·w·(c_out/g)·k²."""
        _, c_out = per_group(x.shape[1], self.out_channels, self.groups)
        kh, kw = as_pair(self.kernel_size)
        additions = self.output(x).elements if self.bias else 0
        return Operations(macs=x.elements * c_out * kh * kw, additions=additions)

    def torch_call(self, x: Tensor) -> Module:
        """`torch.nn.ConvTranspose2d`."""
        fields = ("out_channels", "kernel_size", "stride", "padding", "output_padding", "groups", "bias", "dilation")
        kwargs = {field: getattr(self, field) for field in fields}
        return self.module("torch.nn.ConvTranspose2d", {"in_channels": x.shape[1], **kwargs}, 2)
