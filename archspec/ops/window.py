"""The geometry of a sliding window, shared by convolutions of every kind and by poolings: every size is one ceiling.

For integers ⌊(h + p − d(k−1) − 1)/s⌋ + 1 = ⌈(h + p − d(k−1))/s⌉, with p the padding of both sides together.
"""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator

from archspec.dims import Dim, ceil_div, exact_div, floor_div, is_number, known_less, minimum
from archspec.errors import DivisibilityError, ShapeError
from archspec.ops.base import (
    Domain,
    Function,
    Module,
    Operator,
    Positive,
    PositivePair,
    Sight,
    Switch,
    Tensor,
    as_pair,
    image,
    natural,
    pair,
    same_size,
)


def _padding(value: Any) -> Any:
    several = isinstance(value, (list, tuple))
    if isinstance(value, str) and value == "same":
        return value
    if several and len(value) == 4:
        return tuple(map(natural, value))
    if isinstance(value, str) or (several and len(value) != 2):
        found = f"{len(value)} sizes" if several else repr(value)
        raise ValueError(f"must be 'same', one size, [height, width] or [top, bottom, left, right] (got {found})")
    return pair(natural)(value)


Padding = Annotated[
    Literal["same"] | Any,
    BeforeValidator(_padding),
    Domain("`same`, a whole number from 0, `[height, width]` or `[top, bottom, left, right]`", "size"),
]
"""'same' (⌈h/s⌉ whatever h is), one size, [height, width], or [top, bottom, left, right]."""


def sides(padding: Any, kernel: tuple[Dim, Dim], dilation: tuple[Dim, Dim]) -> tuple[Dim, Dim, Dim, Dim]:
    """The padding as (top, bottom, left, right); 'same' is d(k−1) in all, the odd one at the bottom and right."""
    if isinstance(padding, str):
        height, width = (d * (k - 1) for k, d in zip(kernel, dilation, strict=True))
        top, left = floor_div(height, 2), floor_div(width, 2)
        return top, height - top, left, width - left
    if isinstance(padding, tuple) and len(padding) == 4:
        return padding
    height, width = as_pair(padding)
    return height, height, width, width


def size(h: Dim, kernel: Dim, stride: Dim, padding: Dim, dilation: Dim, axis: str) -> Dim:
    """The output size along one axis: ⌈(h + p − d(k−1))/s⌉, p being both sides together.

    Raises:
        ShapeError: The window is larger than the padded input.

    >>> size(227, kernel=7, stride=2, padding=0, dilation=1, axis="height")
    111
    """
    span = dilation * (kernel - 1)
    _check_span(h, span, padding, 0, axis)
    return ceil_div(h + padding - span, stride)


def size_rounded_up(h: Dim, kernel: Dim, stride: Dim, padding: Dim, dilation: Dim, axis: str) -> Dim:
    """The output size of a pooling that rounds up (`ceil_mode`), `padding` being that of each side.

    The last window may reach out of the input by up to s − 1, but must begin inside it or its leading padding, so it is
    the smaller of ⌈(h+2p−d(k−1)−1)/s⌉+1 and ⌈(h+p)/s⌉. Both are ceilings over s, hence
    ⌈(h + p + min(p − d(k−1) − 1 + s, 0))/s⌉.

    >>> size_rounded_up(112, kernel=3, stride=2, padding=0, dilation=1, axis="height")
    56
    """
    span = dilation * (kernel - 1)
    _check_span(h, span, 2 * padding, stride - 1, axis)
    return ceil_div(h + padding + minimum(padding - span - 1 + stride, 0), stride)


def _check_span(h: Dim, span: Dim, padding: Dim, reach: Dim, axis: str) -> None:
    if known_less(h + padding + reach, span + 1):
        padded = f" (with its padding {h + padding})" if is_number(padding) and padding else ""
        raise ShapeError(f"the kernel spans {span + 1}, more than its input's {axis} {h}{padded}", "kernel_size")


def window(kernel: Any, stride: Any, dilation: Any) -> Sight:
    """What a window sees: d(k−1) + 1 pixels, and the next one its stride further on.

    >>> window(3, 2, (1, 2))
    Sight(span=(3, 5), stride=(2, 2))
    """
    height, width = (d * (k - 1) + 1 for k, d in zip(as_pair(kernel), as_pair(dilation), strict=True))
    return Sight((height, width), as_pair(stride))


class Convolution(Operator):
    """What convolutions share: the fields in torch's words, and the shape of the result."""

    out_channels: Positive
    kernel_size: PositivePair
    stride: PositivePair = 1
    padding: Padding = 0
    dilation: PositivePair = 1
    groups: Positive = 1
    bias: Switch = True

    def sight(self, x: Tensor) -> Sight:
        """A window of d(k−1) + 1, which moves by its stride."""
        return window(self.kernel_size, self.stride, self.dilation)

    def output(self, x: Tensor) -> Tensor:
        """n × out_channels × ⌈(h + p − d(k−1))/s⌉ × …"""
        n, _, h, w = image(x, self.name)
        (kh, kw), (sh, sw), (dh, dw) = as_pair(self.kernel_size), as_pair(self.stride), as_pair(self.dilation)
        top, bottom, left, right = sides(self.padding, (kh, kw), (dh, dw))
        height = size(h, kh, sh, top + bottom, dh, "height")
        width = size(w, kw, sw, left + right, dw, "width")
        return Tensor((n, self.out_channels, height, width))

    def kernel(self, x: Tensor) -> tuple[Dim, Dim, Dim, Dim]:
        """The shape of the weights: out_channels × in_channels/g × k × k."""
        c_in, c_out = per_group(x.shape[1], self.out_channels, self.groups)
        return (c_out * self.groups, c_in, *as_pair(self.kernel_size))

    def products(self, x: Tensor) -> Dim:
        """One product per kernel weight and output pixel: n·c_out·h'·w'·(c_in/g)·k²."""
        _, c_in, kh, kw = self.kernel(x)
        return self.output(x).elements * c_in * kh * kw

    def convolution(self, target: str, x: Tensor, **extra: Any) -> Module:
        """The torch module, behind a `pad` where the two sides of an axis differ."""
        padding = sides(self.padding, as_pair(self.kernel_size), as_pair(self.dilation))
        top, bottom, left, right = padding
        even = same_size(top, bottom) and same_size(left, right)
        pad = {"pad": (left, right, top, bottom)}
        before = () if even else (Function("torch.nn.functional.pad", pad, leading=1),)
        kwargs = {
            "in_channels": x.shape[1],
            "out_channels": self.out_channels,
            "kernel_size": self.kernel_size,
            "stride": self.stride,
            "padding": (top if top == left else (top, left)) if even else 0,
            "dilation": self.dilation,
            "groups": self.groups,
            "bias": self.bias,
            **extra,
        }
        return self.module(target, kwargs, 2, before)


def per_group(c_in: Dim, c_out: Dim, groups: Dim) -> tuple[Dim, Dim]:
    """The input and output channels of one group.

    Raises:
        ShapeError: The groups do not divide both.
    """
    if type(groups) is int and groups == 1:
        return c_in, c_out
    return _part(c_in, groups, "input"), _part(c_out, groups, "output")


def _part(channels: Dim, groups: Dim, which: str) -> Dim:
    try:
        return exact_div(channels, groups)
    except DivisibilityError:
        raise DivisibilityError(
            f"{channels} {which} channels do not divide into {groups} groups; groups divides both", "groups"
        ) from None
