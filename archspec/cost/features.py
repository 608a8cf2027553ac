"""What the counters multiply: the sizes of an operator from which every tool makes its number."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from archspec.dims import Dim, ceil_div, equal, exact_div, floor_div, is_number, maximum, minimum, product
from archspec.errors import ArchspecError
from archspec.ops import Operations, Operator, Tensor
from archspec.ops.base import axis, per_axis
from archspec.ops.window import sides


@dataclass(frozen=True, slots=True)
class Work:
    """One operator at its place in a network.

    Attributes:
        operator: The operator; features read the fields that its kind has.
        inputs: What flows in.
        output: What flows out.
        operations: Its arithmetic.
    """

    operator: Any
    inputs: tuple[Tensor, ...]
    output: Tensor
    operations: Operations

    @property
    def x(self) -> Tensor:
        """The first input."""
        return self.inputs[0]


def _products(work: Work) -> Dim:
    return exact_div(work.x.shape[1], work.operator.groups) * _taps(work)


def _first_axis(work: Work) -> Dim:
    """As a reader of shapes alone takes a transposed kernel of c_in × c_out/g: its rows are outputs if so many are."""
    c_in, c_out = work.x.shape[1], work.output.shape[1]
    read = exact_div(c_out, work.operator.groups) if equal(c_in, c_out) else c_in
    return read * _taps(work)


def _untracked(work: Work) -> Dim:
    return 0 if work.operator.track_running_stats else work.x.elements


def _windows(work: Work) -> Dim:
    """An adaptive pooling's windows, all taken to be h // o long, or h % o + 1 where o does not divide h."""
    sides = zip(work.x.shape[2:], work.output.shape[2:], strict=True)
    return work.output.elements * product(
        h % o + 1 if is_number(h) and is_number(o) and h % o else exact_div(h, o) for h, o in sides
    )


def _mean_windows(work: Work) -> Dim:
    """An adaptive pooling's windows at their mean length h/o, and one more per output, in thop's doubles, cut off."""
    (h, w), (p, q) = work.x.shape[2:], work.output.shape[2:]
    if all(is_number(side) for side in (h, w, p, q)) and (h % p or w % q):
        return int((h / p * (w / q) + 1) * work.output.elements)
    return work.output.elements * (exact_div(h, p) * exact_div(w, q) + 1)


def _biases(work: Work) -> Dim:
    return work.output.elements if work.operator.bias else 0


def _scaled(work: Work) -> Dim:
    learned = any(weight.role == "scale" for weight in work.operator.weights(*work.inputs))
    return work.x.elements if learned else 0


def _params(work: Work) -> Dim:
    learned = sum(weight.elements for weight in work.operator.weights(*work.inputs) if weight.trainable)
    return work.x.shape[0] * learned


def _taps(work: Work) -> Dim:
    return work.output.elements * product(per_axis(work.operator.kernel_size, len(work.output.shape) - 2))


def _sides(work: Work) -> Dim:
    size = work.operator.kernel_size
    return work.output.elements * (product(size) if isinstance(size, tuple) else size)


def _rows(work: Work) -> Dim:
    length = work.x.shape[axis(work.x, work.operator.dim, work.operator.name)]
    return exact_div(work.x.elements, length)


def _deepened(work: Work) -> Dim:
    n, c, h, w = work.x.shape
    return n * (c + work.operator.size - 1) * h * w


def _resampled(mode: str) -> Callable[[Work], Dim]:
    return lambda work: work.output.elements if work.operator.mode == mode else 0


FEATURES: Mapping[str, tuple[str, Callable[[Work], Dim]]] = MappingProxyType(
    {
        "macs": ("multiply-accumulates", lambda work: work.operations.macs),
        "products": ("kernel weights an output channel reads, times the outputs", _products),
        "first axis": (
            "the kernel's first axis, or its second where as many go out as come in, × k² × outputs",
            _first_axis,
        ),
        "biases": ("outputs that get a bias", _biases),
        "calls": ("calls", lambda _: 1),
        "inputs": ("input elements", lambda work: work.x.elements),
        "outputs": ("output elements", lambda work: work.output.elements),
        "scaled inputs": ("input elements of a normalisation that learns γ and β", _scaled),
        "plain inputs": ("input elements of one that does not", lambda work: work.x.elements - _scaled(work)),
        "untracked inputs": ("input elements of one that keeps no running statistics", _untracked),
        "params": ("learned numbers, times the batch", _params),
        "taps": ("k², times the outputs", _taps),
        "sides": ("k, times the outputs; k² where the kernel's two sides are given apart", _sides),
        "windows": ("windows of equal length that an adaptive pooling is taken to have, × outputs", _windows),
        "mean windows": ("an adaptive pooling's windows at their mean length, and one more, × outputs", _mean_windows),
        "planes": (
            "height × width of the input, times the outputs",
            lambda work: work.output.elements * product(work.x.shape[2:]),
        ),
        "pixels": (
            "pixels of the output, its channels aside",
            lambda work: exact_div(work.output.elements, work.output.shape[1]),
        ),
        "sums": ("outputs, for each input after the first", lambda work: (len(work.inputs) - 1) * work.output.elements),
        "rows": ("rows that add up to one", _rows),
        "deep windows": (
            "input elements, for each channel of a window",
            lambda work: work.x.elements * work.operator.size,
        ),
        "deepened": ("input elements, with size − 1 channels more", _deepened),
        "nearest": ("output elements, if to the nearest", _resampled("nearest")),
        "bilinear": ("output elements, if bilinear", _resampled("bilinear")),
    }
)
"""Every size by the name under which the table of dialects asks for it, and what it is."""


# ------------------------------------------------------------------ taps on the image


def macs_on_image(operator: Operator, x: Tensor) -> Dim:
    """The multiply-accumulates of a convolution whose tap falls on the image, of a transposed one on the result.

    A tap t of an axis reads position o·s + d·t − p for the output o. It lies in 0 … h − 1 from o = ⌈(p − d·t)/s⌉ on, up
    to ⌊(h − 1 + p − d·t)/s⌋, so that a sum over the kernel's few taps is exact for every stride, padding and dilation.
    The two axes do not depend on each other: their counts multiply. For a 3×3 kernel, stride 1 and padding 1 that is
    (3h − 2)(3w − 2) in place of 9·h·w; XLA counts so.

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
