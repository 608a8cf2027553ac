"""ShuffleNet: An Extremely Efficient Convolutional Neural Network for Mobile Devices.

Zhang, Zhou, Lin and Sun, 2017, arXiv:1707.01083, Table 1.

A stage's unit of stride 2 and those of stride 1 stand in two rows of the table, here in one; the channels of Conv1 at
other scales than 1 are those of the authors' code, the paper does not print them.
"""

from collections import OrderedDict
from fractions import Fraction
from typing import Any, Final

import torch
from torch import Tensor, nn

# Output channels of Conv1 by scale and g.
CONV1_CHANNELS = {
    Fraction(1, 4): {1: 12, 2: 12, 3: 12, 4: 12, 8: 16},
    Fraction(1, 2): {1: 12, 2: 12, 3: 12, 4: 12, 8: 16},
    1: {1: 24, 2: 24, 3: 24, 4: 24, 8: 24},
    Fraction(3, 2): {1: 24, 2: 24, 3: 24, 4: 24, 8: 24},
    2: {1: 48, 2: 48, 3: 48, 4: 48, 8: 48},
}


# Output channels (g groups).
CHANNELS = {
    1: {"stage2": 144, "stage3": 288, "stage4": 576},
    2: {"stage2": 200, "stage3": 400, "stage4": 800},
    3: {"stage2": 240, "stage3": 480, "stage4": 960},
    4: {"stage2": 272, "stage3": 544, "stage4": 1088},
    8: {"stage2": 384, "stage3": 768, "stage4": 1536},
}


class Chain(nn.Sequential):
    """Modules that follow one another; a slice of them is an `nn.Sequential`."""

    def __getitem__(self, idx: slice | int) -> Any:
        if isinstance(idx, slice):
            return nn.Sequential(OrderedDict(list(self._modules.items())[idx]))
        return super().__getitem__(idx)


def exact_div(a: int | Fraction, b: int | Fraction) -> int:
    """a / b, which must be whole."""
    quotient, rest = divmod(a, b)
    if rest:
        raise ValueError(f"{a} is not divisible by {b}")
    return int(quotient)


def whole(x: int | Fraction) -> int:
    """x, which must be a whole number."""
    if x % 1:
        raise ValueError(f"{x} is not a whole number")
    return int(x)


class ConvBN(Chain):
    def __init__(self, in_channels: int, c: int, k: int = 1, s: int = 1, g: int = 1) -> None:
        super().__init__()
        self.conv2d = nn.Conv2d(in_channels, c, kernel_size=k, stride=s, padding=k // 2, groups=g, bias=False)
        self.batch_norm = nn.BatchNorm2d(c)
        self.out_channels = c


class Unit(nn.Module):
    """The ShuffleNet unit; with stride 2 the residual makes the channels that the shortcut, concatenated, lacks.

    ShuffleNet, section 3.2, Figure 2 (b) and (c).
    """

    has_shuffle: Final[bool]
    has_add: Final[bool]

    def __init__(self, in_channels: int, c: int, g1: int, s: int, *, g: int) -> None:
        super().__init__()
        m = exact_div(c, 4)
        residual_c = c - (s - 1) * in_channels
        self.gconv1 = ConvBN(in_channels, c=m, g=g1)
        self.relu = nn.ReLU()
        self.has_shuffle = g != 1
        if g != 1:
            self.shuffle = nn.ChannelShuffle(g)
        self.dwconv = ConvBN(m, c=m, k=3, s=s, g=m)
        self.gconv2 = ConvBN(m, c=residual_c, g=g)
        channels = residual_c
        self.has_add = s == 1
        if s != 1:
            self.shortcut = nn.Sequential()
            self.shortcut.avg_pool2d = nn.AvgPool2d(kernel_size=3, stride=2, padding=1)
            channels = in_channels + residual_c
        self.relu_2 = nn.ReLU()
        self.out_channels = channels

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.gconv1(x)
        y = self.relu(y)
        if self.has_shuffle:
            y = self.shuffle(y)
        y = self.dwconv(y)
        y = self.gconv2(y)
        if self.has_add:
            y = x + y
        else:
            y = torch.cat([self.shortcut(x), y], dim=1)
        y = self.relu_2(y)
        return y


class ShuffleNet(Chain):
    """The network of Table 1.

    Args:
        g: Groups of the pointwise convolutions.
        scale: Multiplier of the stages' channels: ShuffleNet s×.
        classes: Number of classes.
        input_channels: Channels of the image; 1 is grey.
    """

    def __init__(
        self, g: int = 3, scale: float | str | Fraction = 1, classes: int = 1000, input_channels: int = 3
    ) -> None:
        super().__init__()
        if g not in (1, 2, 3, 4, 8):
            raise ValueError(f"g must be one of 1, 2, 3, 4, 8 (got {g})")
        scale = Fraction(str(scale))
        if scale not in (Fraction(1, 4), Fraction(1, 2), 1, Fraction(3, 2), 2):
            raise ValueError(f"scale must be one of 1/4, 1/2, 1, 3/2, 2 (got {scale})")
        self.conv1 = ConvBN(input_channels, c=CONV1_CHANNELS[scale][g], k=3, s=2)
        self.conv1_relu = nn.ReLU()
        self.maxpool = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
        channels = CONV1_CHANNELS[scale][g]
        for name, c, g1, s, n in (
            ("stage2", CHANNELS[g]["stage2"], 1, 2, 4),
            ("stage3", CHANNELS[g]["stage3"], g, 2, 8),
            ("stage4", CHANNELS[g]["stage4"], g, 2, 4),
        ):
            units = nn.Sequential()
            self.add_module(name, units)
            for i in range(n):
                unit = Unit(channels, c=whole(scale * c), g1=g1 if i == 0 else g, s=s if i == 0 else 1, g=g)
                units.add_module(f"unit{i + 1}", unit)
                channels = unit.out_channels
        self.global_avg_pool = nn.AdaptiveAvgPool2d(1)
        self.global_avg_pool_flatten = nn.Flatten()
        self.fc = nn.Linear(channels, classes)
