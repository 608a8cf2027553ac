"""Windows around which a function puts something first: the padding is the window's own."""

from dataclasses import replace
from math import inf
from typing import Any

import numpy as np

from archspec.importing.flat import FlatNode
from archspec.importing.patterns.base import Nodes, constant
from archspec.ops.base import per_axis
from archspec.ops.window import Sides, sides

CONVOLUTIONS = frozenset({"conv1d", "conv2d", "conv3d", "~binary_conv2d"})
POOLINGS = {f"{kind}_pool{axes}d": least for kind, least in (("max", -inf), ("avg", 0)) for axes in (1, 2, 3)}
"""What poolings may have around them so that it counts for nothing."""


def padded_window(node: FlatNode, nodes: Nodes) -> FlatNode | None:
    """A convolution or the largest under a window, padded by a function before it.

    A layer of its own, such as `ZeroPad2d`, stays one.
    """
    convolves = node.operator in CONVOLUTIONS
    if not convolves and not node.operator.startswith("max_pool"):
        return None
    found = _put_around(node, nodes, 0 if convolves else -inf)
    if found is None:
        return None
    if convolves:
        return replace(node, args={**node.args, "padding": found.args["padding"]}, inputs=found.inputs)
    return _as_tensorflow(node, found)


def average_of_what_is_there(node: FlatNode, nodes: Nodes) -> FlatNode | None:
    """The mean under windows that reach into a padding, over the share of each that does not: TensorFlow's."""
    pool = nodes.get(node.inputs[0]) if node.operator == "divide" and len(node.inputs) == 2 else None
    share = constant(node.inputs[1], nodes) if pool is not None and pool.operator.startswith("avg_pool") else None
    found = _put_around(pool, nodes, 0) if pool is not None and share is not None else None
    if pool is None or share is None or found is None:
        return None
    made = _as_tensorflow(pool, found)
    if made is None or not np.allclose(share.reshape(share.shape[2:]), _shares(pool, found), atol=1e-6):
        return None
    return replace(made, name=node.name)


def _put_around(node: FlatNode, nodes: Nodes, value: float) -> FlatNode | None:
    """What puts a value around before a node that pads nothing itself."""
    found = nodes.get(node.inputs[0]) if node.args.get("padding", 0) == 0 else None
    if found is None or found.operator not in {"zero_pad", "pad", "~pad"} or found.args.get("mode"):
        return None
    kind = found.place.kinds[-1] if found.place.kinds else ""
    return found if "Pad" not in kind and found.args.get("value", 0) == value else None


def _as_tensorflow(node: FlatNode, found: FlatNode) -> FlatNode | None:
    """A pooling whose padding is TensorFlow's, the only one of which sides may differ."""
    around = _sides(found)
    sizes = tuple(size - sum(pair) for size, pair in zip(found.shape[2:], around, strict=True))
    kernel = per_axis(node.args["kernel_size"], len(sizes))
    stride, dilation = node.args.get("stride", kernel), node.args.get("dilation", 1)
    if sides("tf_same", sizes, kernel, stride, dilation) != around:
        return None
    args = {name: value for name, value in node.args.items() if name not in {"padding", "count_include_pad"}}
    return replace(node, args={**args, "padding": "tf_same"}, inputs=found.inputs)


def _sides(found: FlatNode) -> Sides:
    padding, axes = found.args["padding"], len(found.shape) - 2
    if isinstance(padding, tuple) and len(padding) == 2 * axes:
        return tuple(zip(padding[::2], padding[1::2], strict=True))
    return tuple((one, one) for one in per_axis(padding, axes))


def _shares(pool: FlatNode, found: FlatNode) -> "np.ndarray[Any, Any]":
    """What share of each window is inside."""
    around = _sides(found)
    inside = np.pad(np.ones([size - sum(pair) for size, pair in zip(found.shape[2:], around, strict=True)]), around)
    kernel = per_axis(pool.args["kernel_size"], len(around))
    strides = per_axis(pool.args.get("stride", kernel), len(around))
    windows = np.lib.stride_tricks.sliding_window_view(inside, kernel)
    means = windows.mean(tuple(range(len(around), 2 * len(around))))
    found_means: np.ndarray[Any, Any] = means[tuple(slice(None, None, step) for step in strides)]
    return found_means
