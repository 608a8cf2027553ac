"""One-bit layers, written as arithmetic on signs (Rastegari et al. 2016, XNOR-Net, arXiv:1603.05279, section 3).

y = (sign(x) ∗ sign(W))·K·α + bias, with K the mean of |x| of what each output sees; the factors may stand in any order.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from archspec.importing.flat import FlatNode
from archspec.importing.patterns.base import Nodes, before, told
from archspec.importing.program import HeldArray

LAYERS = {"~binary_conv2d": "binary_conv2d", "~binary_linear": "binary_linear"}
WINDOW = ("kernel_size", "stride", "padding", "dilation")


def sign(node: FlatNode, nodes: Nodes) -> FlatNode | None:
    """2·[x ≥ 0] − 1, and the difference of a value from itself, which only a gradient sees."""
    if node.operator != "add" or len(node.inputs) != 2:
        return None
    for one, other in (node.inputs, node.inputs[::-1]):
        nothing, shifted = nodes.get(other), nodes.get(one)
        if nothing is None or nothing.operator != "subtract" or len({*nothing.inputs}) > 1:
            continue
        doubled = before(shifted, nodes, "~mul") if shifted is not None and shifted.operator == "~sub" else None
        reached = before(doubled, nodes, "~at_least") if doubled is not None else None
        if shifted is None or doubled is None or reached is None:
            continue
        if (reached.args["number"], doubled.args["number"], shifted.args["number"]) == (0, 2, 1):
            return replace(node, operator="~sign", args={}, inputs=reached.inputs, foreign=True)
    return None


def input_scale(node: FlatNode, nodes: Nodes) -> FlatNode | None:
    """A one-bit layer times K, the mean of |x|."""
    for one, other in (node.inputs, node.inputs[::-1]) if node.operator == "mul" and len(node.inputs) == 2 else ():
        layer, factor = nodes.get(one), nodes.get(other)
        if layer is None or factor is None or layer.operator not in LAYERS or layer.args.get("input_scale"):
            continue
        signs = before(layer, nodes, "~sign")
        if signs is not None and _mean_of(factor, layer, nodes) == signs.inputs[0]:
            return replace(layer, name=node.name, args={**layer.args, "input_scale": True}, shape=node.shape)
    return None


def _mean_of(factor: FlatNode, layer: FlatNode, nodes: Nodes) -> str | None:
    """Of whose numbers a factor is the mean without their signs, over what each output of a layer sees."""
    mean: FlatNode | None = factor
    if layer.operator == "~binary_conv2d":
        if factor.operator != "conv2d" or not _averages(factor.arrays["weight"]) or "bias" in factor.arrays:
            return None
        default = {"stride": 1, "padding": 0, "dilation": 1}
        if any(factor.args.get(w, default.get(w)) != layer.args.get(w, default.get(w)) for w in WINDOW):
            return None
        mean = nodes.get(factor.inputs[0])
    axis = 1 if layer.operator == "~binary_conv2d" else len(layer.shape) - 1
    if mean is None or mean.operator != "mean" or dict(mean.args) != {"dim": (axis,), "keepdim": True}:
        return None
    absolute = before(mean, nodes, "~abs")
    return absolute.inputs[0] if absolute is not None else None


def _averages(weight: HeldArray) -> bool:
    """Whether a kernel of one channel gives the mean of what it sees."""
    if weight.shape[:2] != (1, 1) or (weight.learned and not weight.guessed):
        return False
    numbers = weight.load()
    return bool(np.allclose(numbers, 1 / numbers.size, rtol=1e-6))


def binarised(node: FlatNode, nodes: Nodes) -> FlatNode | None:
    """A one-bit layer times α, a number of each output channel."""
    for one, other in (node.inputs, node.inputs[::-1]) if node.operator == "mul" and len(node.inputs) == 2 else ():
        layer, factor = nodes.get(one), nodes.get(other)
        alpha = _of_channels(factor, layer) if layer is not None and layer.operator in LAYERS else None
        if layer is None or alpha is None:
            continue
        signs = before(layer, nodes, "~sign")
        args: dict[str, Any] = {name: value for name, value in layer.args.items() if name != "input_scale"}
        if signs is None:
            args["binary_input"] = False
        elif not layer.args.get("input_scale"):
            args["input_scale"] = False
        return replace(
            layer,
            name=node.name,
            operator=LAYERS[layer.operator],
            args=told(LAYERS[layer.operator], args),
            inputs=signs.inputs if signs is not None else layer.inputs,
            arrays={**layer.arrays, "alpha": alpha},
            foreign=False,
        )
    return None


def one_bit_bias(node: FlatNode, nodes: Nodes) -> FlatNode | None:
    """The bias of a one-bit layer, which is added behind the factors."""
    if node.operator == "~bias":
        layer = nodes.get(node.inputs[0])
        bias = node.arrays["bias"] if layer is not None and layer.operator == "binary_linear" else None
        return _with_bias(layer, node, bias)
    for one, other in (node.inputs, node.inputs[::-1]) if node.operator == "add" and len(node.inputs) == 2 else ():
        layer, added = nodes.get(one), nodes.get(other)
        if layer is not None and layer.operator in LAYERS.values() and added is not None:
            bias = _of_channels(added, layer) if added.operator == "parameter" else None
            if (found := _with_bias(layer, node, bias)) is not None:
                return found
    return None


def _with_bias(layer: FlatNode | None, node: FlatNode, bias: HeldArray | None) -> FlatNode | None:
    if layer is None or bias is None or "bias" in layer.arrays or layer.shape != node.shape:
        return None
    args, arrays = {**layer.args, "bias": True}, {**layer.arrays, "bias": bias}
    return replace(layer, name=node.name, args=args, arrays=arrays)


def _of_channels(factor: FlatNode | None, layer: FlatNode) -> HeldArray | None:
    """The array of a number for each channel, or each feature, that a node is."""
    if factor is None or factor.operator not in {"parameter", "~constant"}:
        return None
    (held,) = factor.arrays.values()
    axis = 1 if layer.operator.endswith("conv2d") else -1
    behind = (1,) * (len(layer.shape) - 2) if axis == 1 else ()
    size = layer.shape[axis]
    sizes = tuple(held.shape)
    while sizes and sizes[0] == 1 and len(sizes) > len(behind) + 1:
        sizes = sizes[1:]
    return held.reshaped((size,)) if sizes == (size, *behind) else None
