"""One-bit layers, written as arithmetic on signs (Rastegari et al. 2016, XNOR-Net, arXiv:1603.05279, section 3).

y = (sign(x) ∗ sign(W))·K·α + bias, with K the mean of |x| of what each output sees; the factors may stand in any order.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from archspec.importing.flat import FlatNode
from archspec.importing.patterns.base import Seen, told, without
from archspec.importing.program import HeldArray

LAYERS = {"~binary_conv2d": "binary_conv2d", "~binary_linear": "binary_linear"}
WINDOW = {"kernel_size": None, "stride": 1, "padding": 0, "dilation": 1}


def sign(node: Seen) -> Iterator[FlatNode]:
    """2·[x ≥ 0] − 1, and the difference of a value from itself, which only a gradient sees."""
    match node:
        case Seen("add", [Seen("~sub", [doubled], args={"number": 1}), Seen("subtract", [one, other])]) if one == other:
            match doubled:
                case Seen("~mul", [Seen("~at_least", [x], args={"number": 0})], args={"number": 2}):
                    yield replace(node.made("~sign", x), foreign=True)


def input_scale(node: Seen) -> Iterator[FlatNode]:
    """A one-bit layer times K, the mean of |x|."""
    match node:
        case Seen("mul", [Seen("~binary_conv2d" | "~binary_linear", [Seen("~sign", [x])]) as layer, factor]):
            if not layer.args.get("input_scale") and _mean_of(factor, layer) == x:
                args = {**layer.args, "input_scale": True}
                yield replace(layer.flat, name=node.name, args=args, shape=node.shape)


def _mean_of(factor: Seen, layer: Seen) -> Seen | None:
    """Of whose numbers a factor is the mean without their signs, over what each output of a layer sees."""
    mean, axis = factor, len(layer.shape) - 1
    if layer.operator == "~binary_conv2d":
        if factor.operator != "conv2d" or not _averages(factor.arrays["weight"]) or "bias" in factor.arrays:
            return None
        if any({**WINDOW, **factor.args}[name] != {**WINDOW, **layer.args}[name] for name in WINDOW):
            return None
        mean, axis = factor.of[0], 1
    match mean:
        case Seen("mean", [Seen("~abs", [x])], args={"dim": (over,), "keepdim": True}) if over == axis:
            return x
    return None


def _averages(weight: HeldArray) -> bool:
    """Whether a kernel of one channel gives the mean of what it sees."""
    if weight.shape[:2] != (1, 1) or (weight.learned and not weight.guessed):
        return False
    numbers = weight.load()
    return bool(np.allclose(numbers, 1 / numbers.size, rtol=1e-6))


def binarised(node: Seen) -> Iterator[FlatNode]:
    """A one-bit layer times α, a number of each output channel."""
    match node:
        case Seen("mul", [Seen("~binary_conv2d" | "~binary_linear", [x]) as layer, factor]):
            alpha = _of_channels(factor, layer)
            if alpha is None:
                return
            operator, args, signs = LAYERS[layer.operator], without(layer.args, "input_scale"), x.operator == "~sign"
            if not signs:
                args["binary_input"] = False
            elif not layer.args.get("input_scale"):
                args["input_scale"] = False
            inputs = x.flat.inputs if signs else layer.flat.inputs
            arrays = {**layer.arrays, "alpha": alpha}
            found = replace(layer.flat, name=node.name, operator=operator, args=told(operator, args), foreign=False)
            yield replace(found, inputs=inputs, arrays=arrays)


def one_bit_bias(node: Seen) -> Iterator[FlatNode]:
    """The bias of a one-bit layer, which is added behind the factors."""
    match node:
        case Seen("~bias", [Seen("binary_linear") as layer]):
            bias: HeldArray | None = node.arrays["bias"]
        case Seen("add", [Seen("binary_conv2d" | "binary_linear") as layer, Seen("parameter") as added]):
            bias = _of_channels(added, layer)
        case _:
            return
    if bias is not None and "bias" not in layer.arrays and layer.shape == node.shape:
        args, arrays = {**layer.args, "bias": True}, {**layer.arrays, "bias": bias}
        yield replace(layer.flat, name=node.name, args=args, arrays=arrays)


def _of_channels(factor: Seen, layer: Seen) -> HeldArray | None:
    """The array of a number for each channel, or each feature, that a node is."""
    if factor.operator not in {"parameter", "~constant"}:
        return None
    (held,) = factor.arrays.values()
    axis = 1 if layer.operator.endswith("conv2d") else -1
    behind = (1,) * (len(layer.shape) - 2) if axis == 1 else ()
    size = layer.shape[axis]
    sizes = tuple(held.shape)
    while sizes and sizes[0] == 1 and len(sizes) > len(behind) + 1:
        sizes = sizes[1:]
    return held.reshaped((size,)) if sizes == (size, *behind) else None
