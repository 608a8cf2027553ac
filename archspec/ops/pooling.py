"""Poolings."""

import math
from typing import Any

from archspec.dims import (
    Dim,
    ceil_div,
    divide,
    exact_div,
    floor_div,
    is_array,
    known_less,
    maximum,
    reaches,
    tell_apart,
)
from archspec.errors import DivisibilityError, ShapeError
from archspec.ops import window
from archspec.ops.base import (
    Function,
    Module,
    NaturalPair,
    Operations,
    PositivePair,
    Sight,
    Switch,
    Tensor,
    Weightless,
    as_pair,
    image,
    whole_image,
)

MOST_WINDOWS = 16
"""Up to so many windows to an axis are added up one by one, where sizes are symbols that the windows do not divide."""


class _Pool2d(Weightless):
    """What max and average pooling share: the window's geometry; the stride is the kernel's size unless given."""

    kernel_size: PositivePair
    stride: PositivePair | None = None
    padding: NaturalPair = 0
    ceil_mode: Switch = False

    @property
    def _stride(self) -> Any:
        return self.kernel_size if self.stride is None else self.stride

    def sight(self, x: Tensor) -> Sight:
        """The window."""
        return window.window(self.kernel_size, self._stride, getattr(self, "dilation", 1))

    def _output(self, x: Tensor, dilation: Any) -> Tensor:
        n, c, *sizes = image(x, self.name)
        axes = zip(
            ("height", "width"),
            sizes,
            as_pair(self.kernel_size),
            as_pair(self._stride),
            as_pair(self.padding),
            as_pair(dilation),
            strict=True,
        )
        return Tensor((n, c, *(self._size(*axis) for axis in axes)))

    def _size(self, axis: str, h: Dim, kernel: Dim, stride: Dim, padding: Dim, dilation: Dim) -> Dim:
        if not reaches(kernel, 2 * padding):
            raise ShapeError(f"the padding {padding} must be at most half the kernel size {kernel}", "padding")
        if self.ceil_mode:
            return window.size_rounded_up(h, kernel, stride, padding, dilation, axis)
        return window.size(h, kernel, stride, 2 * padding, dilation, axis)

    def _taps(self) -> Dim:
        kh, kw = as_pair(self.kernel_size)
        return kh * kw


class MaxPool2d(_Pool2d, name="max_pool2d"):
    """The largest element under each window, which moves by its own size unless a stride is given.

    `ceil_mode` rounds the output's size up, as Caffe does.

    >>> MaxPool2d(kernel_size=3, stride=2, ceil_mode=True).output(Tensor((1, 96, 112, 112))).shape
    (1, 96, 56, 56)
    """

    dilation: PositivePair = 1

    def output(self, x: Tensor) -> Tensor:
        """n × c × ⌈(h + 2p − d(k−1))/s⌉ × …, or rounded up."""
        y = self._output(x, self.dilation)
        pairs = (as_pair(value) for value in (self.padding, self._stride, self.dilation))
        for axis, *numbers in zip(("height", "width"), x.shape[2:], *pairs, strict=True):
            if _misses(*numbers):
                h, _, _, d = numbers
                raise ShapeError(f"a window finds nothing: at a dilation of {d} it steps over the input's {axis}, {h}")
        return y

    def operations(self, x: Tensor) -> Operations:
        """k² − 1 comparisons per output, full windows assumed."""
        return Operations(comparisons=self.output(x).elements * (self._taps() - 1))

    def torch_call(self, x: Tensor) -> Module:
        """`torch.nn.MaxPool2d`."""
        return self.module(
            "torch.nn.MaxPool2d",
            {
                "kernel_size": self.kernel_size,
                "stride": self._stride,
                "padding": self.padding,
                "dilation": self.dilation,
                "ceil_mode": self.ceil_mode,
            },
        )


def _misses(h: Dim, padding: Dim, stride: Dim, dilation: Dim) -> bool:
    """Whether a window that begins in the padding has all its taps outside an input that is shorter than the dilation.

    The largest of nothing is −∞, and torch's gradient of it is written wherever it happens to point.
    """
    if any(map(is_array, (h, padding, stride, dilation))) and known_less(h, dilation):
        tell_apart(h - dilation)
    if not all(type(number) is int for number in (h, padding, stride, dilation)) or dilation <= h:
        return False
    return any(start % dilation >= h for start in range(-padding, 0, stride))


class AvgPool2d(_Pool2d, name="avg_pool2d"):
    """The mean under each window, which moves by its own size unless a stride is given.

    `count_include_pad` says whether padding counts as elements.
    """

    count_include_pad: Switch = True

    def output(self, x: Tensor) -> Tensor:
        """n × c × ⌈(h + 2p − (k−1))/s⌉ × …, or rounded up."""
        return self._output(x, 1)

    def operations(self, x: Tensor) -> Operations:
        """k² − 1 additions and one division per output, full windows assumed."""
        outputs = self.output(x).elements
        return Operations(additions=outputs * (self._taps() - 1), divisions=outputs)

    def torch_call(self, x: Tensor) -> Module:
        """`torch.nn.AvgPool2d`."""
        return self.module(
            "torch.nn.AvgPool2d",
            {
                "kernel_size": self.kernel_size,
                "stride": self._stride,
                "padding": self.padding,
                "ceil_mode": self.ceil_mode,
                "count_include_pad": self.count_include_pad,
            },
        )


class GlobalAvgPool(Weightless, name="global_avg_pool"):
    """The mean of each channel: n × c, or n × c × 1 × 1 with `keepdim`."""

    keepdim: Switch = False

    def output(self, x: Tensor) -> Tensor:
        """n × c."""
        n, c, _, _ = image(x, self.name)
        return Tensor((n, c, 1, 1) if self.keepdim else (n, c))

    def sight(self, x: Tensor) -> Sight:
        """Everything."""
        return whole_image(x)

    def operations(self, x: Tensor) -> Operations:
        """h·w − 1 additions and one division per channel."""
        outputs = self.output(x).elements
        return Operations(additions=x.elements - outputs, divisions=outputs)

    def torch_call(self, x: Tensor) -> Module:
        """`torch.nn.AdaptiveAvgPool2d` to one pixel, as counters and exporters know it."""
        return self.module("torch.nn.AdaptiveAvgPool2d", {"output_size": 1}, 1, after=_flattened(self.keepdim))


class GlobalMaxPool(Weightless, name="global_max_pool"):
    """The largest element of each channel: n × c, or n × c × 1 × 1 with `keepdim`."""

    keepdim: Switch = False

    def output(self, x: Tensor) -> Tensor:
        """n × c."""
        n, c, _, _ = image(x, self.name)
        return Tensor((n, c, 1, 1) if self.keepdim else (n, c))

    def sight(self, x: Tensor) -> Sight:
        """Everything."""
        return whole_image(x)

    def operations(self, x: Tensor) -> Operations:
        """h·w − 1 comparisons per channel."""
        return Operations(comparisons=x.elements - self.output(x).elements)

    def torch_call(self, x: Tensor) -> Module:
        """`torch.nn.AdaptiveMaxPool2d` to one pixel."""
        return self.module("torch.nn.AdaptiveMaxPool2d", {"output_size": 1}, after=_flattened(self.keepdim))


def _flattened(keepdim: bool) -> tuple[Function, ...]:
    return () if keepdim else (Function("torch.flatten", {"start_dim": 1}),)


class AdaptiveAvgPool2d(Weightless, name="adaptive_avg_pool2d"):
    """Means of windows chosen so that the output has `output_size`, whatever the input's size.

    The windows of an axis are ⌊i·h/o⌋ … ⌈(i+1)·h/o⌉; where o divides h they are h/o long and do not overlap.
    """

    output_size: PositivePair

    def output(self, x: Tensor) -> Tensor:
        """n × c × output_size."""
        n, c, _, _ = image(x, self.name)
        return Tensor((n, c, *as_pair(self.output_size)))

    def sight(self, x: Tensor) -> Sight:
        """Windows of h/o; of a pixel more, or two, where o does not divide h."""
        (h, w), (p, q) = x.shape[2:], as_pair(self.output_size)
        return Sight((_longest(h, p), _longest(w, q)), (divide(h, p), divide(w, q)))

    def operations(self, x: Tensor) -> Operations:
        """An output: one addition fewer than its window has elements, and a division."""
        outputs = self.output(x).elements
        height, width = (_covered(h, o) for h, o in zip(x.shape[2:], as_pair(self.output_size), strict=True))
        return Operations(additions=x.shape[0] * x.shape[1] * height * width - outputs, divisions=outputs)

    def torch_call(self, x: Tensor) -> Module:
        """`torch.nn.AdaptiveAvgPool2d`."""
        return self.module("torch.nn.AdaptiveAvgPool2d", {"output_size": self.output_size}, 1)


def _longest(h: Dim, o: Dim) -> Dim:
    """The longest window of an axis, from ⌊i·h/o⌋ to ⌈(i+1)·h/o⌉."""
    if type(h) is int and type(o) is int:
        return max(-(-(i + 1) * h // o) - i * h // o for i in range(o // math.gcd(h, o)))
    try:
        return exact_div(h, o)
    except DivisibilityError:
        if not (type(o) is int and o <= MOST_WINDOWS):
            raise
        return maximum(*dict.fromkeys(end - begin for begin, end in _windows(h, o)))


def _covered(h: Dim, o: Dim) -> Dim:
    """The lengths of all windows of an axis together: h + o − gcd(h, o); h where o divides h.

    Window i begins at ⌊i·h/o⌋ and ends at ⌈(i+1)·h/o⌉; each of the o − 1 inner borders i·h/o that is not whole is
    covered twice, and gcd(h, o) − 1 of them are whole.
    """
    if type(h) is int and type(o) is int:
        return h + o - math.gcd(h, o)
    try:
        exact_div(h, o)
    except DivisibilityError:
        if not (type(o) is int and o <= MOST_WINDOWS):
            raise
        return sum(end - begin for begin, end in _windows(h, o))
    return h


def _windows(h: Dim, o: int) -> list[tuple[Dim, Dim]]:
    """Where each window of an axis begins and ends."""
    return [(floor_div(i * h, o), ceil_div((i + 1) * h, o)) for i in range(o)]
