"""Xception: Deep Learning with Depthwise Separable Convolutions.

Chollet, 2017, arXiv:1610.02357, Figure 5.

The figure leaves the batch normalisation behind every convolution out; paddings as in the author's Keras code.
"""

from collections import OrderedDict
from typing import Any

from torch import Tensor, nn


class Chain(nn.Sequential):
    """Modules that follow one another; a slice of them is an `nn.Sequential`."""

    def __getitem__(self, idx: slice | int) -> Any:
        if isinstance(idx, slice):
            return nn.Sequential(OrderedDict(list(self._modules.items())[idx]))
        return super().__getitem__(idx)


class Conv(Chain):
    def __init__(self, in_channels: int, c: int, k: int = 3, s: int = 1) -> None:
        super().__init__()
        self.conv2d = nn.Conv2d(in_channels, c, kernel_size=k, stride=s, bias=False)
        self.batch_norm = nn.BatchNorm2d(c)


class Separable(Chain):
    """A depthwise separable convolution, without a nonlinearity in between."""

    def __init__(self, in_channels: int, c: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(in_channels, in_channels, kernel_size=3, padding=1, groups=in_channels, bias=False)
        self.pointwise = nn.Conv2d(in_channels, c, kernel_size=1, bias=False)
        self.batch_norm = nn.BatchNorm2d(c)


class Downsampling(nn.Module):
    """The modules of the entry flow, and the first of the exit flow."""

    def __init__(self, in_channels: int, c1: int, c2: int, first_relu: bool = True) -> None:
        super().__init__()
        self.residual = nn.Sequential()
        if first_relu:
            self.residual.relu = nn.ReLU()
        self.residual.sepconv1 = Separable(in_channels, c=c1)
        self.residual.relu_2 = nn.ReLU()
        self.residual.sepconv2 = Separable(c1, c=c2)
        self.residual.max_pool2d = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
        self.shortcut = nn.Sequential()
        self.shortcut.conv = Conv(in_channels, c=c2, k=1, s=2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.residual(x) + self.shortcut(x)
        return x


class Middle(nn.Module):
    """The module of the middle flow."""

    def __init__(self, in_channels: int, c: int) -> None:
        super().__init__()
        self.residual = nn.Sequential()
        sepconv = nn.Sequential()
        self.residual.sepconv = sepconv
        channels = in_channels
        for i in range(3):
            unit = nn.Sequential()
            sepconv.add_module(f"unit{i + 1}", unit)
            unit.relu = nn.ReLU()
            unit.separable = Separable(channels, c=c)
            channels = c

    def forward(self, x: Tensor) -> Tensor:
        x = self.residual(x) + x
        return x


class Xception(Chain):
    """The network of Figure 5.

    Args:
        classes: Number of classes.
        input_channels: Channels of the image; 1 is grey.
    """

    def __init__(self, classes: int = 1000, input_channels: int = 3) -> None:
        super().__init__()
        self.conv1 = Conv(input_channels, c=32, s=2)
        self.conv1_relu = nn.ReLU()
        self.conv2 = Conv(32, c=64)
        self.conv2_relu = nn.ReLU()
        channels = 64
        for name, c1, c2, first_relu in (
            ("entry1", 128, 128, False),
            ("entry2", 256, 256, True),
            ("entry3", 728, 728, True),
        ):
            self.add_module(name, Downsampling(channels, c1=c1, c2=c2, first_relu=first_relu))
            channels = c2
        self.middle = nn.Sequential()
        for i in range(8):
            self.middle.add_module(f"unit{i + 1}", Middle(channels, c=728))
        self.exit = Downsampling(channels, c1=728, c2=1024)
        self.exit_sepconv1 = Separable(1024, c=1536)
        self.exit_relu1 = nn.ReLU()
        self.exit_sepconv2 = Separable(1536, c=2048)
        self.exit_relu2 = nn.ReLU()
        self.global_avg_pool = nn.AdaptiveAvgPool2d(1)
        self.global_avg_pool_flatten = nn.Flatten()
        self.fc = nn.Linear(2048, classes)
        self.softmax = nn.Softmax(dim=1)
