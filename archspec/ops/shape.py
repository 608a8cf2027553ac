"""Operators that move data without computing on it, and upsampling."""

from math import prod
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator

from archspec.dims import Dim, exact_div, is_number
from archspec.errors import DivisibilityError, ShapeError
from archspec.ops.base import (
    FREE,
    Free,
    Function,
    Module,
    Natural,
    Operations,
    Positive,
    PositivePair,
    Probability,
    Switch,
    Tensor,
    Weightless,
    both,
    image,
    same_size,
)

_natural = Natural.__metadata__[0].func


def _four(value: Any) -> tuple[Dim, ...]:
    if isinstance(value, (list, tuple)) and len(value) == 4:
        return tuple(map(_natural, value))
    if isinstance(value, (list, tuple)) and len(value) == 2:
        height, width = map(_natural, value)
    elif isinstance(value, (list, tuple)):
        raise ValueError(f"must be one size, [height, width] or [top, bottom, left, right] (got {len(value)} sizes)")
    else:
        height = width = _natural(value)
    return height, height, width, width


_positive = Positive.__metadata__[0].func


def _sections(value: Any) -> Any:
    if not isinstance(value, (list, tuple)):
        count = _positive(value)
        if is_number(count) and count > 4096:
            raise ValueError(f"must be at most 4096 (got {count})")
        return count
    return tuple(map(_positive, value))


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
        return Module("torch.nn.Dropout", {"p": self.p})


class Flatten(Free, name="flatten"):
    """All axes but the batch as one.

    >>> Flatten().output(Tensor((1, 50, 4, 4))).shape
    (1, 800)
    """

    view = True

    def output(self, x: Tensor) -> Tensor:
        """N × (c·h·w)."""
        return Tensor((x.shape[0], prod(x.shape[1:])))

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
            raise DivisibilityError(f"{c} channels do not divide into {self.groups} groups") from None
        return x

    def torch_call(self, x: Tensor) -> Module:
        """`torch.nn.ChannelShuffle`."""
        return Module("torch.nn.ChannelShuffle", {"groups": self.groups})


class ZeroPad(Free, name="zero_pad"):
    """Rows and columns of zeros: one size, [height, width], or [top, bottom, left, right]."""

    padding: Annotated[Any, BeforeValidator(_four)]

    def output(self, x: Tensor) -> Tensor:
        """N × c × (h + top + bottom) × (w + left + right)."""
        n, c, h, w = image(x, self.name)
        top, bottom, left, right = self.padding
        return Tensor((n, c, h + top + bottom, w + left + right))

    def torch_call(self, x: Tensor) -> Module:
        """`torch.nn.ZeroPad2d`, whose order is left, right, top, bottom."""
        top, bottom, left, right = self.padding
        return Module("torch.nn.ZeroPad2d", {"padding": (left, right, top, bottom)})


class Split(Free, name="split"):
    """One part of the channels: `sections` equal parts, or parts of the given sizes; `index` counts from 0.

    >>> Split(sections=2, index=1).output(Tensor((1, 116, 28, 28))).shape
    (1, 58, 28, 28)
    """

    view = True
    sections: Annotated[Any, BeforeValidator(_sections)]
    index: Annotated[int, BeforeValidator(_natural)]
    dim: int = 1

    def output(self, x: Tensor) -> Tensor:
        """X with the channels of that part."""
        _, length = self._part(x)
        return Tensor((*x.shape[: self.dim], length, *x.shape[self.dim :][1:]))

    def _part(self, x: Tensor) -> tuple[Dim, Dim]:
        """Where the part begins, and its length."""
        channels = x.shape[self.dim]
        if isinstance(self.sections, tuple):
            sizes = self.sections
            if not same_size(sum(sizes), channels):
                raise ShapeError(f"the sections add up to {sum(sizes)}, not to the {channels} channels of the input")
        else:
            try:
                sizes = (exact_div(channels, self.sections),) * self.sections
            except DivisibilityError:
                raise DivisibilityError(f"{channels} channels do not split into {self.sections} equal parts") from None
        if self.index >= len(sizes):
            raise ShapeError(f"there is no part {self.index} of {len(sizes)}; parts count from 0")
        return sum(sizes[: self.index]), sizes[self.index]

    def torch_call(self, x: Tensor) -> Function:
        """`torch.narrow`."""
        start, length = self._part(x)
        return Function("torch.narrow", {"dim": self.dim, "start": start, "length": length})


class Upsample(Weightless, name="upsample"):
    """Enlarges height and width by a whole factor."""

    scale_factor: PositivePair
    mode: Literal["nearest", "bilinear"] = "nearest"
    align_corners: Switch = False

    def output(self, x: Tensor) -> Tensor:
        """N × c × factor·h × factor·w."""
        n, c, h, w = image(x, self.name)
        up, across = both(self.scale_factor)
        return Tensor((n, c, h * up, w * across))

    def operations(self, x: Tensor) -> Operations:
        """Nearest: none. Bilinear: four products and three sums an output."""
        if self.mode == "nearest":
            return FREE
        return Operations(multiplications=4, additions=3).times(self.output(x).elements)

    def torch_call(self, x: Tensor) -> Module:
        """`torch.nn.Upsample`."""
        corners = {"align_corners": self.align_corners} if self.mode == "bilinear" else {}
        return Module("torch.nn.Upsample", {"scale_factor": self.scale_factor, "mode": self.mode, **corners})
