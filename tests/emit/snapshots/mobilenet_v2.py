"""MobileNetV2: Inverted Residuals and Linear Bottlenecks.

Sandler, Howard, Zhu, Zhmoginov and Chen, 2018, arXiv:1801.04381, Table 2.
"""

import math
from collections import OrderedDict
from fractions import Fraction
from typing import Any

import torch
from torch import Tensor, nn


class Chain(nn.Sequential):
    """Modules that follow one another; a slice of them is an `nn.Sequential`."""

    def __getitem__(self, idx: slice | int) -> Any:
        if isinstance(idx, slice):
            return nn.Sequential(OrderedDict(list(self._modules.items())[idx]))
        return super().__getitem__(idx)


def make_divisible(x: int | Fraction, divisor: int = 8, minimum: int | None = None) -> int:
    """x to the nearest multiple of the divisor, at least the minimum, and not less than 9/10 of x."""
    nearest = (2 * x + divisor) // (2 * divisor) * divisor
    rounded = max(divisor if minimum is None else minimum, nearest)
    return rounded + divisor if 10 * rounded < 9 * x else rounded


def truncated_normal_(array: Tensor, std: float) -> Tensor:
    """Fill with normal numbers that lie within two standard deviations: one uniform draw, and the inverse of erf.

    `torch.nn.init.trunc_normal_` gives the same distribution, and draws all numbers again until the last one fits.
    """
    inside = math.erf(math.sqrt(2))
    array.uniform_(-inside, inside).erfinv_().mul_(math.sqrt(2) * std)
    return array.clamp_(-2 * std, 2 * std)


def width(c: int, alpha: Fraction) -> int:
    return make_divisible(alpha * c, 8)


class ConvBN(Chain):
    def __init__(self, in_channels: int, c: int, k: int = 3, s: int = 1, g: int = 1) -> None:
        super().__init__()
        self.conv2d = nn.Conv2d(in_channels, c, kernel_size=k, stride=s, padding=(k - 1) // 2, groups=g, bias=False)
        self.batch_norm = nn.BatchNorm2d(c)
        self.out_channels = c


class InvertedResidual(nn.Module):
    """MobileNetV2: Inverted Residuals and Linear Bottlenecks, Table 1."""

    def __init__(self, in_channels: int, t: int, c: int, s: int = 1, k: int = 3) -> None:
        super().__init__()
        self.residual = nn.Sequential()
        channels = in_channels
        if t != 1:
            self.residual.expand = ConvBN(in_channels, c=t * in_channels, k=1)
            self.residual.relu6 = nn.ReLU6()
            channels = t * in_channels
        self.residual.depthwise = ConvBN(channels, c=channels, k=k, s=s, g=channels)
        self.residual.relu6_2 = nn.ReLU6()
        self.residual.project = ConvBN(channels, c=c, k=1)
        self.has_shortcut = s == 1 and in_channels == c
        self.out_channels = c

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.residual(x)
        if self.has_shortcut:
            y = y + x
        return y


class MobileNetV2(Chain):
    """The network of Table 2.

    Args:
        alpha: Width multiplier.
        classes: Number of classes.
        input_channels: Channels of the image; 1 is grey.
    """

    def __init__(self, alpha: float | str | Fraction = 1, classes: int = 1000, input_channels: int = 3) -> None:
        super().__init__()
        alpha = Fraction(str(alpha))
        if not Fraction(1, 10) <= alpha <= 3:
            raise ValueError(f"alpha must be from 1/10 to 3 (got {alpha})")
        self.stem = ConvBN(input_channels, c=width(32, alpha), s=2)
        channels = self.stem.out_channels
        self.relu6 = nn.ReLU6()
        for name, t, c, n, s in (
            ("bottleneck1", 1, 16, 1, 1),
            ("bottleneck2", 6, 24, 2, 2),
            ("bottleneck3", 6, 32, 3, 2),
            ("bottleneck4", 6, 64, 4, 2),
            ("bottleneck5", 6, 96, 3, 1),
            ("bottleneck6", 6, 160, 3, 2),
            ("bottleneck7", 6, 320, 1, 1),
        ):
            units = nn.Sequential()
            self.add_module(name, units)
            for i in range(n):
                inverted_residual = InvertedResidual(channels, t=t, c=width(c, alpha), s=s if i == 0 else 1)
                units.add_module(f"unit{i + 1}", inverted_residual)
                channels = inverted_residual.out_channels
        self.head = ConvBN(channels, c=max(1280, width(1280, alpha)), k=1)
        channels = self.head.out_channels
        self.relu6_2 = nn.ReLU6()
        self.global_avg_pool = nn.AdaptiveAvgPool2d(1)
        self.global_avg_pool_flatten = nn.Flatten()
        self.classifier = nn.Linear(channels, classes)
        self._initialise()

    def _initialise(self) -> None:
        """How the weights begin.

        The authors' TensorFlow code, https://github.com/tensorflow/models/tree/master/research/slim/nets. The paper
        does not say.
        """
        with torch.no_grad():
            for module in self.modules():
                if isinstance(module, (nn.Conv2d, nn.Linear)):
                    truncated_normal_(module.weight, std=0.09)
                    if module.bias is not None:
                        nn.init.constant_(module.bias, 0)
