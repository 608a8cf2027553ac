"""The geometry of a sliding window, shared by convolutions of every kind and by poolings: every size is one ceiling.

For integers ⌊(h + p − d(k−1) − 1)/s⌋ + 1 = ⌈(h + p − d(k−1))/s⌉, with p the padding of both sides together.
"""

import re
from collections.abc import Callable, Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator

from archspec.dims import Dim, ceil_div, floor_div, is_number, known_less, maximum, minimum, product
from archspec.errors import ShapeError
from archspec.ops.base import (
    AXES,
    Domain,
    Function,
    Module,
    Operator,
    PerAxis,
    Positive,
    PositivePerAxis,
    Sight,
    Switch,
    Tensor,
    Weight,
    each_of,
    natural,
    per_axis,
    quotient,
    same_size,
    spatial,
)

WORDS = ("same", "tf_same")


def _padding(axes: int, says: str) -> Callable[[Any], Any]:
    """What reads a padding of so many axes."""

    def read(value: Any) -> Any:
        several = isinstance(value, (list, tuple))
        if isinstance(value, str) and value in WORDS:
            return value
        if several and len(value) == 2 * axes:
            return tuple(map(natural, value))
        if isinstance(value, str) or (several and len(value) != axes):
            found = f"{len(value)} sizes" if several else repr(value)
            raise ValueError(f"must be 'same', 'tf_same', one size{says} (got {found})")
        return each_of(natural, axes)(value)

    return read


def _one_padding(axes: int, says: str) -> Any:
    """The type of a padding of so many axes; in code font where documents print what it may be."""
    printed = re.sub(r"\[.*?\]", r"`\g<0>`", says)
    domain = Domain(f"`same`, `tf_same`, a whole number from 0{printed}", "size", 0)
    return Annotated[Literal["same", "tf_same"] | Any, BeforeValidator(_padding(axes, says)), domain]


Padding = Annotated[
    Any,
    PerAxis(
        (
            _one_padding(1, " or [before, after]"),
            _one_padding(2, ", [height, width] or [top, bottom, left, right]"),
            _one_padding(3, ", [depth, height, width] or six, two for each of these"),
        )
    ),
]
"""'same' (⌈h/s⌉ whatever h is), 'tf_same', one size, [height, width], or [top, bottom, left, right]."""


def _pool_padding(axes: int, says: str) -> Any:
    """The type of a pooling's padding, which is of both sides alike."""

    def read(value: Any) -> Any:
        return value if isinstance(value, str) and value == "tf_same" else each_of(natural, axes)(value)

    return Annotated[Literal["tf_same"] | Any, BeforeValidator(read), Domain(f"`tf_same`, {says}", "size", 0)]


PoolPadding = Annotated[
    Any,
    PerAxis(
        (
            _pool_padding(1, "or a whole number from 0"),
            _pool_padding(2, "a whole number from 0, or two: `[height, width]`"),
            _pool_padding(3, "a whole number from 0, or three: `[depth, height, width]`"),
        )
    ),
]

Sides = tuple[tuple[Dim, Dim], ...]
"""What is put before and behind each axis."""


def sides(padding: Any, sizes: Sequence[Dim], kernel: Sequence[Dim], stride: Any, dilation: Any) -> Sides:
    """What is put before and behind each axis; an odd one stands behind.

    'same' is d(k−1) in all, whatever the stride is. TensorFlow's, 'tf_same', is as much as the last window needs:
    max((⌈h/s⌉ − 1)s + d(k−1) + 1 − h, 0).

    >>> sides("same", (224, 224), (3, 3), 2, 1), sides("tf_same", (224, 224), (3, 3), 2, 1)
    (((1, 1), (1, 1)), ((0, 1), (0, 1)))
    """
    axes = len(kernel)
    spans = [d * (k - 1) for k, d in zip(kernel, per_axis(dilation, axes), strict=True)]
    if isinstance(padding, str):
        if padding == "tf_same":
            walked = zip(sizes, per_axis(stride, axes), spans, strict=True)
            spans = [maximum((ceil_div(h, s) - 1) * s + span + 1 - h, 0) for h, s, span in walked]
        return tuple((floor_div(both, 2), both - floor_div(both, 2)) for both in spans)
    if isinstance(padding, tuple) and len(padding) == 2 * axes:
        return tuple(zip(padding[::2], padding[1::2], strict=True))
    return tuple((one, one) for one in per_axis(padding, axes))


def pad_call(padding: Sides) -> Function:
    """The call that puts zeros around, in torch's order: the last axis comes first."""
    flat = tuple(side for pair in reversed(padding) for side in pair)
    return Function("torch.nn.functional.pad", {"pad": flat}, leading=1)


def size(h: Dim, kernel: Dim, stride: Dim, padding: Dim, dilation: Dim, axis: str) -> Dim:
    """The output size along one axis: ⌈(h + p − d(k−1))/s⌉, p being both sides together.

    Raises:
        ShapeError: The window is larger than the padded input.

    >>> size(227, kernel=7, stride=2, padding=0, dilation=1, axis="height")
    111
    """
    span = dilation * (kernel - 1)
    _check_span(h, span, padding, 0, axis)
    if all(map(is_number, (span, padding, stride))) and (span, padding, stride) == (0, 0, 1):
        return h  # also where h is a quotient that is whole by an assumption, which a ceiling would not know
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


def window(kernel: Any, stride: Any, dilation: Any, axes: int = 2) -> Sight:
    """What a window sees: d(k−1) + 1 pixels, and the next one its stride further on.

    >>> window(3, 2, (1, 2))
    Sight(span=(3, 5), stride=(2, 2), everything=False)
    """
    pairs = zip(per_axis(kernel, axes), per_axis(dilation, axes), strict=True)
    return Sight(tuple(d * (k - 1) + 1 for k, d in pairs), per_axis(stride, axes))


class Convolution(Operator):
    """What convolutions share: the fields in torch's words, and the shape of the result."""

    axes: ClassVar[int] = 2
    out_channels: Positive
    kernel_size: PositivePerAxis
    stride: PositivePerAxis = 1
    padding: Padding = 0
    dilation: PositivePerAxis = 1
    groups: Positive = 1
    bias: Switch = True

    def sight(self, x: Tensor) -> Sight:
        """A window of d(k−1) + 1, which moves by its stride."""
        return window(self.kernel_size, self.stride, self.dilation, self.axes)

    def sides(self, x: Tensor) -> Sides:
        """What is put before and behind each axis."""
        kernel = per_axis(self.kernel_size, self.axes)
        return sides(self.padding, x.shape[2:], kernel, self.stride, self.dilation)

    def output(self, x: Tensor) -> Tensor:
        """n × out_channels × ⌈(h + p − d(k−1))/s⌉ × …"""
        n, _, *sizes = spatial(x, self.axes, self.name)
        if isinstance(self.padding, str):  # whatever the kernel is
            strides = per_axis(self.stride, self.axes)
            return Tensor((n, self.out_channels, *(ceil_div(h, s) for h, s in zip(sizes, strides, strict=True))))
        walked = zip(
            sizes,
            *(per_axis(value, self.axes) for value in (self.kernel_size, self.stride)),
            (before + behind for before, behind in self.sides(x)),
            per_axis(self.dilation, self.axes),
            AXES[self.axes],
            strict=True,
        )
        return Tensor((n, self.out_channels, *(size(*each) for each in walked)))

    def kernel(self, x: Tensor) -> tuple[Dim, ...]:
        """The shape of the weights: out_channels × in_channels/g × k × k."""
        c_in, c_out = per_group(x.shape[1], self.out_channels, self.groups)
        return (c_out * self.groups, c_in, *per_axis(self.kernel_size, self.axes))

    def arrays(self, x: Tensor) -> tuple[Weight, ...]:
        """The kernel, and one bias per output channel."""
        weight = Weight("weight", self.kernel(x))
        return (weight, Weight("bias", (self.out_channels,), "bias")) if self.bias else (weight,)

    def products(self, x: Tensor) -> Dim:
        """One product per kernel weight and output pixel: n·c_out·h'·w'·(c_in/g)·k²."""
        _, *reads = self.kernel(x)
        return self.output(x).elements * product(reads)

    def convolution(self, target: str, x: Tensor, **extra: Any) -> Module:
        """The torch module, behind a `pad` where the two sides of an axis differ."""
        padding = self.sides(x)
        even = self._even(padding)
        before = tuple(side for side, _ in padding)
        one = before[0] if len({*map(str, before)}) == 1 else before
        kwargs = {
            "in_channels": x.shape[1],
            "out_channels": self.out_channels,
            "kernel_size": self.kernel_size,
            "stride": self.stride,
            "padding": one if even else 0,
            "dilation": self.dilation,
            "groups": self.groups,
            "bias": self.bias,
            **extra,
        }
        return self.module(target, kwargs, 2, () if even else (pad_call(padding),))

    def _even(self, padding: Sides) -> bool:
        """Whether both sides of each axis are the same; of TensorFlow's, which sizes decide, only if they are known."""
        if self.padding == "tf_same" and not all(type(side) is int for pair in padding for side in pair):
            return False
        return all(same_size(*pair) for pair in padding)


def per_group(c_in: Dim, c_out: Dim, groups: Dim) -> tuple[Dim, Dim]:
    """The input and output channels of one group.

    Raises:
        ShapeError: The groups do not divide both.
    """
    if type(groups) is int and groups == 1:
        return c_in, c_out
    fault = f"channels do not divide into {groups} groups; groups divides both"
    inputs = quotient(c_in, groups, f"{c_in} input {fault}", "groups")
    return inputs, quotient(c_out, groups, f"{c_out} output {fault}", "groups")
