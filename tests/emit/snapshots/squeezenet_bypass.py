"""SqueezeNet without and with bypass connections.

Iandola, Han, Moskewicz, Ashraf, Dally and Keutzer, 2016, SqueezeNet: AlexNet-level accuracy with 50x fewer parameters
and <0.5MB model size, arXiv:1602.07360, section 6, Figure 2.

Table 3 prints 7.7MB for the complex bypass; a 1×1 convolution wherever the channels change, as the text says, gives
1,589,672 parameters or 6.06 MiB.
"""

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


class ConvReLU(Chain):
    def __init__(self, in_channels: int, c: int, k: int = 1, s: int = 1, p: int = 0) -> None:
        super().__init__()
        self.conv2d = nn.Conv2d(in_channels, c, kernel_size=k, stride=s, padding=p)
        self.relu = nn.ReLU()


class Maxpool(Chain):
    def __init__(self) -> None:
        super().__init__()
        self.max_pool2d = nn.MaxPool2d(kernel_size=3, stride=2, ceil_mode=True)


class Fire(nn.Module):
    """The Fire module with a bypass.

    SqueezeNet, Figures 1 and 2.
    """

    def __init__(self, in_channels: int, s1x1: int, e1x1: int, e3x3: int, *, bypass: str) -> None:
        super().__init__()
        equal = in_channels == e1x1 + e3x3
        self.squeeze = ConvReLU(in_channels, c=s1x1)
        self.expand1x1 = nn.Sequential()
        self.expand1x1.conv_relu = ConvReLU(s1x1, c=e1x1)
        self.expand3x3 = nn.Sequential()
        self.expand3x3.conv_relu = ConvReLU(s1x1, c=e3x3, k=3, p=1)
        self.bypass = nn.Sequential()
        if bypass == "complex" and not equal:
            self.bypass.conv2d = nn.Conv2d(in_channels, e1x1 + e3x3, kernel_size=1)
        self.has_bypass = (bypass != "none" and equal) or (bypass == "complex" and not equal)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.squeeze(x)
        y = torch.cat([self.expand1x1(y), self.expand3x3(y)], dim=1)
        if self.has_bypass:
            y = y + self.bypass(x)
        return y


class SqueezeNetBypass(Chain):
    """The network of Figure 2.

    Args:
        bypass: Simple: around fire3, 5, 7 and 9, where the channels stay; complex: around the others too, with a 1×1
            convolution.
        classes: Number of classes.
        input_channels: Channels of the image; 1 is grey.
    """

    def __init__(self, bypass: str = "simple", classes: int = 1000, input_channels: int = 3) -> None:
        super().__init__()
        if bypass not in ("none", "simple", "complex"):
            raise ValueError(f"bypass must be one of none, simple, complex (got {bypass})")
        self.conv1 = ConvReLU(input_channels, c=96, k=7, s=2)
        self.maxpool1 = Maxpool()
        self.fire2 = Fire(96, s1x1=16, e1x1=64, e3x3=64, bypass=bypass)
        self.fire3 = Fire(128, s1x1=16, e1x1=64, e3x3=64, bypass=bypass)
        self.fire4 = Fire(128, s1x1=32, e1x1=128, e3x3=128, bypass=bypass)
        self.maxpool4 = Maxpool()
        self.fire5 = Fire(256, s1x1=32, e1x1=128, e3x3=128, bypass=bypass)
        self.fire6 = Fire(256, s1x1=48, e1x1=192, e3x3=192, bypass=bypass)
        self.fire7 = Fire(384, s1x1=48, e1x1=192, e3x3=192, bypass=bypass)
        self.fire8 = Fire(384, s1x1=64, e1x1=256, e3x3=256, bypass=bypass)
        self.maxpool8 = Maxpool()
        self.fire9 = Fire(512, s1x1=64, e1x1=256, e3x3=256, bypass=bypass)
        self.dropout = nn.Dropout()
        self.conv10 = ConvReLU(512, c=classes)
        self.global_avg_pool = nn.AdaptiveAvgPool2d(1)
        self.global_avg_pool_flatten = nn.Flatten()
        self.softmax = nn.Softmax(dim=1)
        self._initialise()

    def _initialise(self) -> None:
        """How the weights begin.

        The authors' Caffe network, https://github.com/forresti/SqueezeNet. Caffe's "xavier" is uniform with variance
        1/fan_in.
        """
        with torch.no_grad():
            for name, module in self.named_modules():
                if isinstance(module, nn.Conv2d):
                    nn.init.kaiming_uniform_(module.weight, nonlinearity="linear")
                    if module.bias is not None:
                        nn.init.constant_(module.bias, 0)
                if f"{name}.".startswith("conv10."):
                    if isinstance(module, nn.Conv2d):
                        nn.init.normal_(module.weight, std=0.01)
