"""Inception V3 without the auxiliary classifier.

Szegedy, Vanhoucke, Ioffe, Shlens and Wojna, 2015, Rethinking the Inception Architecture for Computer Vision,
arXiv:1512.00567, Table 1.

Table 1 does not print the branches' widths; they are those of the authors' TensorFlow code, which also has a 1×1
convolution of 80, a 3×3 of 192 and a max pooling where the table has 3×3 convolutions of 80, 192 and 288.
"""

import math
from collections import OrderedDict
from typing import Any

import torch
from torch import Tensor, nn


class Chain(nn.Sequential):
    """Modules that follow one another; a slice of them is an `nn.Sequential`."""

    def __getitem__(self, idx: slice | int) -> Any:
        if isinstance(idx, slice):
            return nn.Sequential(OrderedDict(list(self._modules.items())[idx]))
        return super().__getitem__(idx)


def pair(size: int | tuple[int, int]) -> tuple[int, int]:
    """A size that is given once or twice, as height and width."""
    return size if isinstance(size, tuple) else (size, size)


def truncated_normal_(array: Tensor, std: float) -> Tensor:
    """Fill with normal numbers that lie within two standard deviations: one uniform draw, and the inverse of erf.

    `torch.nn.init.trunc_normal_` gives the same distribution, and draws all numbers again until the last one fits.
    """
    inside = math.erf(math.sqrt(2))
    array.uniform_(-inside, inside).erfinv_().mul_(math.sqrt(2) * std)
    return array.clamp_(-2 * std, 2 * std)


class Conv(Chain):
    def __init__(
        self, in_channels: int, c: int, k: int | tuple[int, int] = 1, s: int = 1, p: int | str = "same"
    ) -> None:
        super().__init__()
        k_height, k_width = pair(k)
        self.conv2d = nn.Conv2d(
            in_channels,
            c,
            kernel_size=k,
            stride=s,
            padding=((k_height - 1) // 2, (k_width - 1) // 2) if p == "same" else p,
            bias=False,
        )
        self.batch_norm = nn.BatchNorm2d(c, eps=0.001)
        self.relu = nn.ReLU()


class Maxpool(Chain):
    def __init__(self) -> None:
        super().__init__()
        self.max_pool2d = nn.MaxPool2d(kernel_size=3, stride=2)


class Avgpool(Chain):
    def __init__(self) -> None:
        super().__init__()
        self.avg_pool2d = nn.AvgPool2d(kernel_size=3, stride=1, padding=1, count_include_pad=False)


class InceptionA(nn.Module):
    """Rethinking the Inception Architecture for Computer Vision, Figure 5."""

    def __init__(
        self, in_channels: int, c1x1: int, reduce5x5: int, c5x5: int, reduce_double: int, double3x3: int, pool_proj: int
    ) -> None:
        super().__init__()
        self.branch1x1 = nn.Sequential()
        self.branch1x1.conv = Conv(in_channels, c=c1x1)
        self.branch5x5 = nn.Sequential()
        self.branch5x5.reduce = Conv(in_channels, c=reduce5x5)
        self.branch5x5.conv5x5 = Conv(reduce5x5, c=c5x5, k=5)
        self.double3x3 = nn.Sequential()
        self.double3x3.reduce = Conv(in_channels, c=reduce_double)
        self.double3x3.conv3x3_1 = Conv(reduce_double, c=double3x3, k=3)
        self.double3x3.conv3x3_2 = Conv(double3x3, c=double3x3, k=3)
        self.pool = nn.Sequential()
        self.pool.avgpool = Avgpool()
        self.pool.projection = Conv(in_channels, c=pool_proj)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.branch1x1(x), self.branch5x5(x), self.double3x3(x), self.pool(x)], dim=1)


class ReductionA(nn.Module):
    """Rethinking the Inception Architecture for Computer Vision, Figure 10."""

    def __init__(self, in_channels: int, c3x3: int, reduce_double: int, double3x3: int) -> None:
        super().__init__()
        self.branch3x3 = nn.Sequential()
        self.branch3x3.conv = Conv(in_channels, c=c3x3, k=3, s=2, p=0)
        self.double3x3 = nn.Sequential()
        self.double3x3.reduce = Conv(in_channels, c=reduce_double)
        self.double3x3.conv3x3_1 = Conv(reduce_double, c=double3x3, k=3)
        self.double3x3.conv3x3_2 = Conv(double3x3, c=double3x3, k=3, s=2, p=0)
        self.pool = nn.Sequential()
        self.pool.maxpool = Maxpool()

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.branch3x3(x), self.double3x3(x), self.pool(x)], dim=1)


class InceptionB(nn.Module):
    """With a 7×7 factorised into 1×7 and 7×1; c7 are the channels inside the branches.

    Rethinking the Inception Architecture for Computer Vision, Figure 6.
    """

    def __init__(self, in_channels: int, c7: int, c: int) -> None:
        super().__init__()
        self.branch1x1 = nn.Sequential()
        self.branch1x1.conv = Conv(in_channels, c=c)
        self.branch7x7 = nn.Sequential()
        self.branch7x7.reduce = Conv(in_channels, c=c7)
        self.branch7x7.conv1x7 = Conv(c7, c=c7, k=(1, 7))
        self.branch7x7.conv7x1 = Conv(c7, c=c, k=(7, 1))
        self.double7x7 = nn.Sequential()
        self.double7x7.reduce = Conv(in_channels, c=c7)
        self.double7x7.conv7x1_1 = Conv(c7, c=c7, k=(7, 1))
        self.double7x7.conv1x7_1 = Conv(c7, c=c7, k=(1, 7))
        self.double7x7.conv7x1_2 = Conv(c7, c=c7, k=(7, 1))
        self.double7x7.conv1x7_2 = Conv(c7, c=c, k=(1, 7))
        self.pool = nn.Sequential()
        self.pool.avgpool = Avgpool()
        self.pool.projection = Conv(in_channels, c=c)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.branch1x1(x), self.branch7x7(x), self.double7x7(x), self.pool(x)], dim=1)


class ReductionB(nn.Module):
    def __init__(self, in_channels: int, c7: int, c3x3: int) -> None:
        super().__init__()
        self.branch3x3 = nn.Sequential()
        self.branch3x3.reduce = Conv(in_channels, c=c7)
        self.branch3x3.conv3x3 = Conv(c7, c=c3x3, k=3, s=2, p=0)
        self.branch7x7 = nn.Sequential()
        self.branch7x7.reduce = Conv(in_channels, c=c7)
        self.branch7x7.conv1x7 = Conv(c7, c=c7, k=(1, 7))
        self.branch7x7.conv7x1 = Conv(c7, c=c7, k=(7, 1))
        self.branch7x7.conv3x3 = Conv(c7, c=c7, k=3, s=2, p=0)
        self.pool = nn.Sequential()
        self.pool.maxpool = Maxpool()

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.branch3x3(x), self.branch7x7(x), self.pool(x)], dim=1)


class InceptionCBranch3x3(nn.Module):
    """The part `branch3x3` of `InceptionC`."""

    def __init__(self, in_channels: int, c3x3: int) -> None:
        super().__init__()
        self.reduce = Conv(in_channels, c=c3x3)
        self.conv1x3 = nn.Sequential()
        self.conv1x3.conv = Conv(c3x3, c=c3x3, k=(1, 3))
        self.conv3x1 = nn.Sequential()
        self.conv3x1.conv = Conv(c3x3, c=c3x3, k=(3, 1))

    def forward(self, x: Tensor) -> Tensor:
        x = self.reduce(x)
        return torch.cat([self.conv1x3(x), self.conv3x1(x)], dim=1)


class InceptionCDouble3x3(nn.Module):
    """The part `double3x3` of `InceptionC`."""

    def __init__(self, in_channels: int, reduce_double: int, c3x3: int) -> None:
        super().__init__()
        self.reduce = Conv(in_channels, c=reduce_double)
        self.conv3x3 = Conv(reduce_double, c=c3x3, k=3)
        self.conv1x3 = nn.Sequential()
        self.conv1x3.conv = Conv(c3x3, c=c3x3, k=(1, 3))
        self.conv3x1 = nn.Sequential()
        self.conv3x1.conv = Conv(c3x3, c=c3x3, k=(3, 1))

    def forward(self, x: Tensor) -> Tensor:
        x = self.reduce(x)
        x = self.conv3x3(x)
        return torch.cat([self.conv1x3(x), self.conv3x1(x)], dim=1)


class InceptionC(nn.Module):
    """With expanded filter banks.

    Rethinking the Inception Architecture for Computer Vision, Figure 7.
    """

    def __init__(self, in_channels: int, c1x1: int, c3x3: int, reduce_double: int, pool_proj: int) -> None:
        super().__init__()
        self.branch1x1 = nn.Sequential()
        self.branch1x1.conv = Conv(in_channels, c=c1x1)
        self.branch3x3 = InceptionCBranch3x3(in_channels, c3x3=c3x3)
        self.double3x3 = InceptionCDouble3x3(in_channels, reduce_double=reduce_double, c3x3=c3x3)
        self.pool = nn.Sequential()
        self.pool.avgpool = Avgpool()
        self.pool.projection = Conv(in_channels, c=pool_proj)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.branch1x1(x), self.branch3x3(x), self.double3x3(x), self.pool(x)], dim=1)


class InceptionV3(Chain):
    """The network of Table 1.

    Args:
        classes: Number of classes.
        input_channels: Channels of the image; 1 is grey.
    """

    def __init__(self, classes: int = 1000, input_channels: int = 3) -> None:
        super().__init__()
        self.conv1 = Conv(input_channels, c=32, k=3, s=2, p=0)
        self.conv2 = Conv(32, c=32, k=3, s=1, p=0)
        self.conv3 = Conv(32, c=64, k=3, s=1)
        self.pool1 = Maxpool()
        self.conv4 = Conv(64, c=80, k=1, s=1)
        self.conv5 = Conv(80, c=192, k=3, s=1, p=0)
        self.pool2 = Maxpool()
        channels = 192
        for name, c1x1, reduce5x5, c5x5, reduce_double, double3x3, pool_proj in (
            ("mixed0", 64, 48, 64, 64, 96, 32),
            ("mixed1", 64, 48, 64, 64, 96, 64),
            ("mixed2", 64, 48, 64, 64, 96, 64),
        ):
            self.add_module(
                name,
                InceptionA(
                    channels,
                    c1x1=c1x1,
                    reduce5x5=reduce5x5,
                    c5x5=c5x5,
                    reduce_double=reduce_double,
                    double3x3=double3x3,
                    pool_proj=pool_proj,
                ),
            )
            channels = c1x1 + c5x5 + double3x3 + pool_proj
        self.mixed3 = ReductionA(channels, c3x3=384, reduce_double=64, double3x3=96)
        channels = channels + 480
        for name, c7, c in (
            ("mixed4", 128, 192),
            ("mixed5", 160, 192),
            ("mixed6", 160, 192),
            ("mixed7", 192, 192),
        ):
            self.add_module(name, InceptionB(channels, c7=c7, c=c))
            channels = 4 * c
        self.mixed8 = ReductionB(channels, c7=192, c3x3=320)
        channels = channels + 512
        for name, c1x1, c3x3, reduce_double, pool_proj in (
            ("mixed9", 320, 384, 448, 192),
            ("mixed10", 320, 384, 448, 192),
        ):
            self.add_module(
                name, InceptionC(channels, c1x1=c1x1, c3x3=c3x3, reduce_double=reduce_double, pool_proj=pool_proj)
            )
            channels = c1x1 + 4 * c3x3 + pool_proj
        self.global_avg_pool = nn.AdaptiveAvgPool2d(1)
        self.global_avg_pool_flatten = nn.Flatten()
        self.dropout = nn.Dropout()
        self.fc = nn.Linear(channels, classes)
        self.softmax = nn.Softmax(dim=1)
        self._initialise()

    def _initialise(self) -> None:
        """How the weights begin.

        The authors' TensorFlow code, https://github.com/tensorflow/models/tree/master/research/inception. The paper
        does not say.
        """
        with torch.no_grad():
            for module in self.modules():
                if isinstance(module, nn.Conv2d):
                    truncated_normal_(module.weight, std=0.1)
                if isinstance(module, nn.Linear):
                    truncated_normal_(module.weight, std=0.01)
                    if module.bias is not None:
                        nn.init.constant_(module.bias, 0)
