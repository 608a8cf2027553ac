"""Poolings."""

import math
from typing import Any, ClassVar

from archspec.dims import (
    Dim,
    ceil_div,
    divide,
    exact_div,
    floor_div,
    is_array,
    known_less,
    maximum,
    product,
    reaches,
    tell_apart,
)
from archspec.errors import DivisibilityError, ShapeError
from archspec.ops import window
from archspec.ops.base import (
    AXES,
    Function,
    Module,
    Operations,
    PositivePerAxis,
    Sight,
    Switch,
    Tensor,
    Weightless,
    any_spatial,
    per_axis,
    spatial,
    whole_image,
)
from archspec.ops.window import PoolPadding

MOST_WINDOWS = 16
"""Up to so many windows to an axis are added up one by one, where sizes are symbols that the windows do not divide."""


class _Pool(Weightless):
    """What max and average pooling share: the window's geometry; the stride is the kernel's size unless given."""

    axes: ClassVar[int] = 2
    kernel_size: PositivePerAxis
    stride: PositivePerAxis | None = None
    padding: PoolPadding = 0
    ceil_mode: Switch = False

    @property
    def _stride(self) -> Any:
        return self.kernel_size if self.stride is None else self.stride

    def sight(self, x: Tensor) -> Sight:
        """The window."""
        return window.window(self.kernel_size, self._stride, getattr(self, "dilation", 1), self.axes)

    def output(self, x: Tensor) -> Tensor:
        """n × c × ⌈(h + 2p − d(k−1))/s⌉ × …, or rounded up."""
        n, c, *sizes = spatial(x, self.axes, self.name)
        strides = per_axis(self._stride, self.axes)
        if isinstance(self.padding, str):
            if self.ceil_mode:
                raise ShapeError(
                    f"{self.name} with {self.padding} has ⌈h/s⌉ of results; leave out ceil_mode", "ceil_mode"
                )
            return Tensor((n, c, *(ceil_div(h, s) for h, s in zip(sizes, strides, strict=True))))
        given = (self.kernel_size, self.padding, getattr(self, "dilation", 1))
        kernel, padding, dilations = (per_axis(value, self.axes) for value in given)
        walked = zip(AXES[self.axes], sizes, kernel, strides, padding, dilations, strict=True)
        return Tensor((n, c, *(self._size(*each) for each in walked)))

    def _size(self, axis: str, h: Dim, kernel: Dim, stride: Dim, padding: Dim, dilation: Dim) -> Dim:
        if not reaches(kernel, 2 * padding):
            raise ShapeError(f"the padding {padding} must be at most half the kernel size {kernel}", "padding")
        if self.ceil_mode:
            return window.size_rounded_up(h, kernel, stride, padding, dilation, axis)
        return window.size(h, kernel, stride, 2 * padding, dilation, axis)

    def _taps(self) -> Dim:
        return product(per_axis(self.kernel_size, self.axes))

    def _call(self, torch_class: str, *more: str) -> Module:
        """The module of torch; with TensorFlow's padding, which torch's has not, ours."""
        given = {"kernel_size": self.kernel_size, "stride": self._stride}
        if self.padding == "tf_same":
            kept = {name: getattr(self, name) for name in more if name == "dilation"}
            return self.module(f"archspec.runtime.modules.TfSame{torch_class}{self.axes}d", {**given, **kept})
        given |= {name: getattr(self, name) for name in ("padding", *more)}
        return self.module(f"torch.nn.{torch_class}{self.axes}d", given)


class MaxPool2d(_Pool, name="max_pool2d"):
    """The largest element under each window, which moves by its own size unless a stride is given.

    `ceil_mode` rounds the output's size up, as Caffe does.

    >>> MaxPool2d(kernel_size=3, stride=2, ceil_mode=True).output(Tensor((1, 96, 112, 112))).shape
    (1, 96, 56, 56)
    """

    dilation: PositivePerAxis = 1

    def output(self, x: Tensor) -> Tensor:
        """As of every pooling; each window finds a pixel of the input."""
        y = super().output(x)
        if isinstance(self.padding, str):
            return y
        given = (per_axis(value, self.axes) for value in (self.padding, self._stride, self.dilation))
        for axis, *numbers in zip(AXES[self.axes], x.shape[2:], *given, strict=True):
            if _misses(*numbers):
                h, _, _, d = numbers
                raise ShapeError(f"a window finds nothing: at a dilation of {d} it steps over the input's {axis}, {h}")
        return y

    def operations(self, x: Tensor) -> Operations:
        """k² − 1 comparisons per output, full windows assumed."""
        return Operations(comparisons=self.output(x).elements * (self._taps() - 1))

    def torch_call(self, x: Tensor) -> Module:
        """`torch.nn.MaxPool2d`."""
        return self._call("MaxPool", "dilation", "ceil_mode")


class MaxPool1d(MaxPool2d, name="max_pool1d"):
    """The largest element under each window of channels × length."""

    axes = 1


class MaxPool3d(MaxPool2d, name="max_pool3d"):
    """The largest element under each window of channels × depth × height × width."""

    axes = 3


def _misses(h: Dim, padding: Dim, stride: Dim, dilation: Dim) -> bool:
    """Whether a window that begins in the padding has all its taps outside an input that is shorter than the dilation.

    The largest of nothing is −∞, and torch's gradient of it is written wherever it happens to point.
    """
    if any(map(is_array, (h, padding, stride, dilation))) and known_less(h, dilation):
        tell_apart(h - dilation)
    if not all(type(number) is int for number in (h, padding, stride, dilation)) or dilation <= h:
        return False
    return any(start % dilation >= h for start in range(-padding, 0, stride))


class AvgPool2d(_Pool, name="avg_pool2d"):
    """The mean under each window, which moves by its own size unless a stride is given.

    `count_include_pad` says whether padding counts as elements; TensorFlow's never does.
    """

    count_include_pad: Switch = True

    def operations(self, x: Tensor) -> Operations:
        """k² − 1 additions and one division per output, full windows assumed."""
        outputs = self.output(x).elements
        return Operations(additions=outputs * (self._taps() - 1), divisions=outputs)

    def torch_call(self, x: Tensor) -> Module:
        """`torch.nn.AvgPool2d`."""
        return self._call("AvgPool", "ceil_mode", "count_include_pad")


class AvgPool1d(AvgPool2d, name="avg_pool1d"):
    """The mean under each window of channels × length."""

    axes = 1


class AvgPool3d(AvgPool2d, name="avg_pool3d"):
    """The mean under each window of channels × depth × height × width."""

    axes = 3

    def output(self, x: Tensor) -> Tensor:
        """n × c × ⌈(d + 2p − (k−1))/s⌉ × …; torch wants windows of this one that fit without padding."""
        y = super().output(x)
        sizes = zip(AXES[3], x.shape[2:], per_axis(self.kernel_size, 3), strict=True)
        for axis, size, kernel in sizes if not isinstance(self.padding, str) else ():
            if not reaches(size, kernel):
                raise ShapeError(
                    f"torch's {self.name} takes no kernel of {kernel} on a {axis} of {size}", "kernel_size"
                )
        return y


class _GlobalPool(Weightless):
    """One number of each channel, of all its pixels."""

    keepdim: Switch = False

    def output(self, x: Tensor) -> Tensor:
        """n × c."""
        axes = any_spatial(x, self.name)
        return Tensor((*x.shape[:2], *((1,) * axes if self.keepdim else ())))

    def sight(self, x: Tensor) -> Sight:
        """Everything."""
        return whole_image(x)

    def _call(self, torch_class: str, leading: int, x: Tensor) -> Module:
        """The adaptive pooling to one pixel, as counters and exporters know it."""
        after = () if self.keepdim else (Function("torch.flatten", {"start_dim": 1}),)
        target = f"torch.nn.{torch_class}{any_spatial(x, self.name)}d"
        return self.module(target, {"output_size": 1}, leading, after=after)


class GlobalAvgPool(_GlobalPool, name="global_avg_pool"):
    """The mean of each channel: n × c, or n × c × 1 × 1 with `keepdim`."""

    def operations(self, x: Tensor) -> Operations:
        """h·w − 1 additions and one division per channel."""
        outputs = self.output(x).elements
        return Operations(additions=x.elements - outputs, divisions=outputs)

    def torch_call(self, x: Tensor) -> Module:
        """`torch.nn.AdaptiveAvgPool2d` to one pixel."""
        return self._call("AdaptiveAvgPool", 1, x)


class GlobalMaxPool(_GlobalPool, name="global_max_pool"):
    """The largest element of each channel: n × c, or n × c × 1 × 1 with `keepdim`."""

    def operations(self, x: Tensor) -> Operations:
        """h·w − 1 comparisons per channel."""
        return Operations(comparisons=x.elements - self.output(x).elements)

    def torch_call(self, x: Tensor) -> Module:
        """`torch.nn.AdaptiveMaxPool2d` to one pixel."""
        return self._call("AdaptiveMaxPool", 0, x)


class _AdaptivePool(Weightless):
    """Windows chosen so that the output has `output_size`: those of an axis are ⌊i·h/o⌋ … ⌈(i+1)·h/o⌉."""

    axes: ClassVar[int] = 2
    output_size: PositivePerAxis

    def output(self, x: Tensor) -> Tensor:
        """n × c × output_size."""
        n, c, *_ = spatial(x, self.axes, self.name)
        return Tensor((n, c, *per_axis(self.output_size, self.axes)))

    def sight(self, x: Tensor) -> Sight:
        """Windows of h/o; of a pixel more, or two, where o does not divide h."""
        pairs = tuple(zip(x.shape[2:], per_axis(self.output_size, self.axes), strict=True))
        return Sight(tuple(_longest(h, o) for h, o in pairs), tuple(divide(h, o) for h, o in pairs))

    def torch_call(self, x: Tensor) -> Module:
        """The module of torch, which is called as the class."""
        return self.module(f"torch.nn.{type(self).__name__}", self.settings(), 1)

    def _read(self, x: Tensor) -> Dim:
        """The elements of all windows together."""
        sizes = zip(x.shape[2:], per_axis(self.output_size, self.axes), strict=True)
        return x.shape[0] * x.shape[1] * product(_covered(h, o) for h, o in sizes)


class AdaptiveAvgPool2d(_AdaptivePool, name="adaptive_avg_pool2d"):
    """Means of windows chosen so that the output has `output_size`, whatever the input's size.

    The windows of an axis are ⌊i·h/o⌋ … ⌈(i+1)·h/o⌉; where o divides h they are h/o long and do not overlap.
    """

    def operations(self, x: Tensor) -> Operations:
        """An output: one addition fewer than its window has elements, and a division."""
        outputs = self.output(x).elements
        return Operations(additions=self._read(x) - outputs, divisions=outputs)


class AdaptiveAvgPool1d(AdaptiveAvgPool2d, name="adaptive_avg_pool1d"):
    """Means of windows of channels × length, chosen so that the output has `output_size`."""

    axes = 1


class AdaptiveAvgPool3d(AdaptiveAvgPool2d, name="adaptive_avg_pool3d"):
    """Means of windows of channels × depth × height × width, chosen so that the output has `output_size`."""

    axes = 3


class AdaptiveMaxPool2d(_AdaptivePool, name="adaptive_max_pool2d"):
    """The largest elements of windows chosen so that the output has `output_size`, whatever the input's size."""

    def operations(self, x: Tensor) -> Operations:
        """An output: one comparison fewer than its window has elements."""
        return Operations(comparisons=self._read(x) - self.output(x).elements)


class AdaptiveMaxPool1d(AdaptiveMaxPool2d, name="adaptive_max_pool1d"):
    """The largest elements of windows of channels × length, chosen so that the output has `output_size`."""

    axes = 1


class AdaptiveMaxPool3d(AdaptiveMaxPool2d, name="adaptive_max_pool3d"):
    """The largest elements of windows of a volume, chosen so that the output has `output_size`."""

    axes = 3


def _longest(h: Dim, o: Dim) -> Dim:
    """The longest window of an axis, from ⌊i·h/o⌋ to ⌈(i+1)·h/o⌉."""
    if type(h) is int and type(o) is int:
        return max(-(-(i + 1) * h // o) - i * h // o for i in range(o // math.gcd(h, o)))
    lengths = _uneven(h, o)
    return exact_div(h, o) if lengths is None else maximum(*dict.fromkeys(lengths))


def _covered(h: Dim, o: Dim) -> Dim:
    """The lengths of all windows of an axis together: h + o − gcd(h, o); h where o divides h.

    Window i begins at ⌊i·h/o⌋ and ends at ⌈(i+1)·h/o⌉; each of the o − 1 inner borders i·h/o that is not whole is
    covered twice, and gcd(h, o) − 1 of them are whole.
    """
    if type(h) is int and type(o) is int:
        return h + o - math.gcd(h, o)
    lengths = _uneven(h, o)
    return h if lengths is None else sum(lengths)


def _uneven(h: Dim, o: Dim) -> list[Dim] | None:
    """The lengths of the windows of an axis, one by one; None where o divides h, and all are h/o long.

    Raises:
        DivisibilityError: It does not, and there are too many windows.
    """
    try:
        exact_div(h, o)
    except DivisibilityError:
        if not (type(o) is int and o <= MOST_WINDOWS):
            raise
        return [ceil_div((i + 1) * h, o) - floor_div(i * h, o) for i in range(o)]
    return None
