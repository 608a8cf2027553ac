"""Operators that move data without computing on it, and upsampling."""

from math import prod
from operator import index as as_index
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator

from archspec.dims import Dim, divide, exact_div, reaches, settled
from archspec.errors import DivisibilityError, ShapeError
from archspec.ops.base import (
    FREE,
    Axis,
    Domain,
    Free,
    Function,
    Module,
    Natural,
    Operations,
    Positive,
    PositivePair,
    Probability,
    Sight,
    Switch,
    Tensor,
    Weightless,
    as_pair,
    axis,
    image,
    natural,
    positive,
    same_size,
    whole_image,
)


def _four(value: Any) -> tuple[Dim, ...]:
    if isinstance(value, (list, tuple)) and len(value) == 4:
        return tuple(map(natural, value))
    if isinstance(value, (list, tuple)) and len(value) == 2:
        height, width = map(natural, value)
    elif isinstance(value, (list, tuple)):
        raise ValueError(f"must be one size, [height, width] or [top, bottom, left, right] (got {len(value)} sizes)")
    else:
        height = width = natural(value)
    return height, height, width, width


def _sections(value: Any) -> Any:
    return tuple(map(positive, value)) if isinstance(value, (list, tuple)) else positive(value)


class Identity(Free, name="identity"):
    """x: the shortcut of a residual block."""

    view = True

    def output(self, x: Tensor) -> Tensor:
        """X."""
        return x

    def torch_call(self, x: Tensor) -> Module:
        """`torch.nn.Identity`."""
        return Module("torch.nn.Identity")


class Dropout(Free, name="dropout"):
    """Sets elements to zero with probability p while training; does nothing otherwise (Srivastava et al. 2014)."""

    view = True
    p: Probability = 0.5

    def output(self, x: Tensor) -> Tensor:
        """X."""
        return x

    def torch_call(self, x: Tensor) -> Module:
        """`torch.nn.Dropout`."""
        return self.module("torch.nn.Dropout", {"p": self.p}, 1)


class Flatten(Free, name="flatten"):
    """All axes but the batch as one.

    >>> Flatten().output(Tensor((1, 50, 4, 4))).shape
    (1, 800)
    """

    view = True

    def output(self, x: Tensor) -> Tensor:
        """n × (c·h·w)."""
        return Tensor((x.shape[0], prod(x.shape[1:])))

    def sight(self, x: Tensor) -> Sight:
        """Everything, as whoever reads the vector does."""
        return whole_image(x)

    def torch_call(self, x: Tensor) -> Module:
        """`torch.nn.Flatten`."""
        return Module("torch.nn.Flatten")


class ChannelShuffle(Free, name="channel_shuffle"):
    """Reshape the channels to (g, n), transpose, flatten (Zhang et al. 2017, arXiv:1707.01083, section 3.1)."""

    groups: Positive

    def output(self, x: Tensor) -> Tensor:
        """X."""
        _, c, _, _ = image(x, self.name)
        try:
            exact_div(c, self.groups)
        except DivisibilityError:
            raise DivisibilityError(f"{c} channels do not divide into {self.groups} groups", "groups") from None
        return x

    def torch_call(self, x: Tensor) -> Module:
        """`torch.nn.ChannelShuffle`."""
        return self.module("torch.nn.ChannelShuffle", {"groups": self.groups}, 1)


class ZeroPad(Free, name="zero_pad"):
    """Rows and columns of zeros: one size, [height, width], or [top, bottom, left, right]."""

    padding: Annotated[
        Any,
        BeforeValidator(_four),
        Domain("a whole number from 0, `[height, width]` or `[top, bottom, left, right]`", "size"),
    ]

    def output(self, x: Tensor) -> Tensor:
        """n × c × (h + top + bottom) × (w + left + right)."""
        n, c, h, w = image(x, self.name)
        top, bottom, left, right = self.padding
        return Tensor((n, c, h + top + bottom, w + left + right))

    def torch_call(self, x: Tensor) -> Module:
        """`torch.nn.ZeroPad2d`, whose order is left, right, top, bottom."""
        top, bottom, left, right = self.padding
        return self.module("torch.nn.ZeroPad2d", {"padding": (left, right, top, bottom)}, 1)


class Split(Free, name="split"):
    """One part of the channels: `sections` equal parts, or parts of the given sizes; `index` counts from 0.

    >>> Split(sections=2, index=1).output(Tensor((1, 116, 28, 28))).shape
    (1, 58, 28, 28)
    """

    view = True
    sections: Annotated[
        Any, BeforeValidator(_sections), Domain("a whole number from 1, or a list of the parts' sizes", "size")
    ]
    index: Natural
    dim: Axis = 1

    def output(self, x: Tensor) -> Tensor:
        """X with the channels of that part."""
        dim, _, length = self._part(x)
        return Tensor((*x.shape[:dim], length, *x.shape[dim + 1 :]))

    def _part(self, x: Tensor) -> tuple[int, Dim, Dim]:
        """Along which axis the part lies, where it begins, and its length."""
        dim = axis(x, self.dim, self.name)
        channels, sections = x.shape[dim], self.sections
        listed = isinstance(sections, tuple)
        parts, index = (len(sections), as_index(settled(self.index))) if listed else (sections, self.index)
        if not reaches(parts, index + 1):
            raise ShapeError(f"there is no part {index} of {parts}; parts count from 0", "index")
        if listed:
            if not same_size(sum(sections), channels):
                raise ShapeError(f"the sections add up to {sum(sections)}, not to the {channels} channels of the input")
            return dim, sum(sections[:index]), sections[index]
        try:
            length = exact_div(channels, sections)
        except DivisibilityError:
            raise DivisibilityError(
                f"{channels} channels do not split into {sections} equal parts", "sections"
            ) from None
        return dim, index * length, length

    def torch_call(self, x: Tensor) -> Function:
        """`torch.narrow`."""
        dim, start, length = self._part(x)
        return Function("torch.narrow", {"dim": dim, "start": start, "length": length})


class Upsample(Weightless, name="upsample"):
    """Enlarges height and width by a whole factor."""

    scale_factor: PositivePair
    mode: Literal["nearest", "bilinear"] = "nearest"
    align_corners: Switch = False
    torch_defaults = MappingProxyType({"align_corners": None})

    def output(self, x: Tensor) -> Tensor:
        """n × c × factor·h × factor·w."""
        n, c, h, w = image(x, self.name)
        up, across = as_pair(self.scale_factor)
        return Tensor((n, c, h * up, w * across))

    def sight(self, x: Tensor) -> Sight:
        """Nearest: one pixel; bilinear: two. A pixel further on is a fraction of one."""
        span = 1 if self.mode == "nearest" else 2
        up, across = as_pair(self.scale_factor)
        return Sight((span, span), (divide(1, up), divide(1, across)))

    def operations(self, x: Tensor) -> Operations:
        """Nearest: none. Bilinear: four products and three sums per output."""
        if self.mode == "nearest":
            return FREE
        return Operations(multiplications=4, additions=3).times(self.output(x).elements)

    def torch_call(self, x: Tensor) -> Module:
        """`torch.nn.Upsample`."""
        corners = {"align_corners": self.align_corners} if self.mode == "bilinear" else {}
        return self.module("torch.nn.Upsample", {"scale_factor": self.scale_factor, "mode": self.mode, **corners})
