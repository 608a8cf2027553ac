"""Products without those on padding: of a convolution's taps, the ones that fall on the image.

A tap t of an axis reads position o·s + d·t − p for the output o. It lies in 0 … h − 1 from o = ⌈(p − d·t)/s⌉ on, up to
⌊(h − 1 + p − d·t)/s⌋, so that a sum over the kernel's few taps is exact for every stride, padding and dilation. The two
axes do not depend on each other: their counts multiply. For a 3×3 kernel, stride 1 and padding 1 that is
(3h − 2)(3w − 2) in place of 9·h·w; XLA counts so.
"""

from archspec.dims import Dim, ceil_div, exact_div, floor_div, maximum, minimum, product
from archspec.errors import ArchspecError
from archspec.ops import Operator, Tensor
from archspec.ops.base import per_axis
from archspec.ops.window import sides


def macs_on_image(operator: Operator, x: Tensor) -> Dim:
    """The multiply-accumulates of a convolution whose tap falls on the image, of a transposed one on the result.

    Raises:
        ArchspecError: The size of the kernel is not a number.

    >>> from archspec.ops.conv import Conv2d
    >>> macs_on_image(Conv2d(out_channels=1, kernel_size=3, padding="same"), Tensor((1, 1, 5, 7)))
    247
    >>> (3 * 5 - 2) * (3 * 7 - 2)
    247
    """
    settings, (n, c_in, *image), y = operator.settings(), x.shape, operator.output(x)
    axes = len(image)
    kernel, stride, dilation = (per_axis(settings[name], axes) for name in ("kernel_size", "stride", "dilation"))
    before = [side for side, _ in sides(settings["padding"], image, kernel, stride, dilation)]
    long, short = y.shape[2:], tuple(image)
    if operator.taps == "result":  # the same pairs, walked through from the other end
        long, short = short, long
    walked = zip(long, short, kernel, stride, before, dilation, strict=True)
    return n * c_in * exact_div(y.shape[1], settings["groups"]) * product(_pairs(*axis) for axis in walked)


def _pairs(outputs: Dim, inputs: Dim, kernel: Dim, stride: Dim, padding: Dim, dilation: Dim) -> Dim:
    """How many pairs of an output and a tap read inside the input, along one axis."""
    if type(kernel) is not int:
        raise ArchspecError(f"taps are counted one by one, so the size of a kernel must be a number (got {kernel})")
    return sum(_reach(outputs, inputs, stride, padding - dilation * tap) for tap in range(kernel))


def _reach(outputs: Dim, inputs: Dim, stride: Dim, shift: Dim) -> Dim:
    """For how many outputs o the position o·stride − shift lies inside the input."""
    end = minimum(outputs, floor_div(inputs - 1 + shift, stride) + 1)
    return maximum(end - maximum(ceil_div(shift, stride), 0), 0)
