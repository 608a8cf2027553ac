"""Windows around which a function puts something first: the padding is the window's own."""

from collections.abc import Iterator
from dataclasses import replace
from math import inf
from typing import Any

import numpy as np

from archspec.importing.flat import FlatNode
from archspec.importing.patterns.base import Seen, without
from archspec.ops.base import per_axis
from archspec.ops.window import Sides, sides

CONVOLUTIONS = frozenset({"conv1d", "conv2d", "conv3d", "~binary_conv2d"})


def padded_window(node: Seen) -> Iterator[FlatNode]:
    """A convolution or the largest under a window, padded by a function before it.

    A layer of its own, such as `ZeroPad2d`, stays one.
    """
    convolves = node.operator in CONVOLUTIONS
    found = _put_around(node, 0 if convolves else -inf) if convolves or node.operator.startswith("max_pool") else None
    if found is not None and convolves:
        args = {**node.args, "padding": found.args["padding"]}
        yield replace(node.flat, args=args, inputs=found.flat.inputs)
    elif found is not None:
        yield from _as_tensorflow(node, found)


def average_of_what_is_there(node: Seen) -> Iterator[FlatNode]:
    """The mean under windows that reach into a padding, over the share of each that does not: TensorFlow's."""
    match node:
        case Seen("divide", [Seen("avg_pool1d" | "avg_pool2d" | "avg_pool3d") as pool, Seen("~constant") as divisor]):
            found, share = _put_around(pool, 0), divisor.constant
            if found is not None and share is not None:
                for made in _as_tensorflow(pool, found):
                    if np.allclose(share.reshape(share.shape[2:]), _shares(pool, found), atol=1e-6):
                        yield replace(made, name=node.name)


def _put_around(node: Seen, value: float) -> Seen | None:
    """What puts a value around before a node that pads nothing itself."""
    match node.of:
        case [Seen("zero_pad" | "pad" | "~pad") as found] if node.args.get("padding", 0) == 0:
            own = "Pad" in (found.flat.place.kinds or ("",))[-1]  # a layer
            fits = found.args.get("value", 0) == value and not found.args.get("mode")
            return found if fits and not own else None
    return None


def _as_tensorflow(node: Seen, found: Seen) -> Iterator[FlatNode]:
    """A pooling whose padding is TensorFlow's, the only one of which sides may differ."""
    around = _sides(found)
    sizes = tuple(size - sum(pair) for size, pair in zip(found.shape[2:], around, strict=True))
    kernel = per_axis(node.args["kernel_size"], len(sizes))
    stride, dilation = node.args.get("stride", kernel), node.args.get("dilation", 1)
    if sides("tf_same", sizes, kernel, stride, dilation) == around:
        args = {**without(node.args, "padding", "count_include_pad"), "padding": "tf_same"}
        yield replace(node.flat, args=args, inputs=found.flat.inputs)


def _sides(found: Seen) -> Sides:
    padding, axes = found.args["padding"], len(found.shape) - 2
    if isinstance(padding, tuple) and len(padding) == 2 * axes:
        return tuple(zip(padding[::2], padding[1::2], strict=True))
    return tuple((one, one) for one in per_axis(padding, axes))


def _shares(pool: Seen, found: Seen) -> "np.ndarray[Any, Any]":
    """What share of each window is inside."""
    around = _sides(found)
    inside = np.pad(np.ones([size - sum(pair) for size, pair in zip(found.shape[2:], around, strict=True)]), around)
    kernel = per_axis(pool.args["kernel_size"], len(around))
    strides = per_axis(pool.args.get("stride", kernel), len(around))
    windows = np.lib.stride_tricks.sliding_window_view(inside, kernel)
    means = windows.mean(tuple(range(len(around), 2 * len(around))))
    found_means: np.ndarray[Any, Any] = means[tuple(slice(None, None, step) for step in strides)]
    return found_means
