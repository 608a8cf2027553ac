"""What a box says of its layers: the field's words, short."""

import re
from typing import Any

from archspec.dims import equal, is_number
from archspec.graph import Node
from archspec.graph.network import Network
from archspec.ops import Operator, Tensor
from archspec.ops.activation import Elementwise
from archspec.ops.base import per_axis
from archspec.writing import sizes

WORDS = {
    "batch_norm": "BN",
    "local_response_norm": "LRN",
    "relu": "ReLU",
    "relu6": "ReLU6",
    "conv2d": "conv",
    "conv_transpose2d": "transposed conv",
    "binary_conv2d": "1-bit conv",
    "binary_linear": "1-bit linear",
    "max_pool2d": "max pool",
    "avg_pool2d": "average pool",
    "global_avg_pool": "global average pool",
    "prelu": "PReLU",
    "elu": "ELU",
    "gelu": "GELU",
    "silu": "SiLU",
    "add": "+",
    "mul": "×",
    "subtract": "−",
    "divide": "÷",
}
"""What operators are called in pictures, where that is not their name."""

FOLLOWERS = {"batch_norm", "dropout", "layer_norm", "rms_norm"}
"""What stands in the box of the layer before it, besides activations."""

AUTOMATIC = re.compile(r"(branch|unit|repeat|body)\d*(_\d+)?\Z")


def word(operator: Operator) -> str:
    """What an operator is called in a picture."""
    return WORDS.get(operator.name, operator.name.replace("_", " "))


def follows(operator: Operator) -> bool:
    """Whether it stands in the box of the layer before it."""
    return isinstance(operator, Elementwise) or operator.name in FOLLOWERS


def layer(network: Network, node: Node) -> str:
    """A layer in a few words: "depthwise conv 3×3, stride 2".

    >>> from archspec.graph import expand
    >>> from archspec.language import load
    >>> network = expand(load("mobilenet"))
    >>> layer(network, network.nodes[0]), layer(network, network.nodes[3])
    ('conv 3×3, stride 2', 'depthwise conv 3×3')
    """
    operator = node.operator
    text = word(operator)
    groups = getattr(operator, "groups", 1)
    behind = []
    if operator.name == "channel_shuffle":
        behind.append(f"{groups} groups")
    elif not (is_number(groups) and groups == 1):
        depthwise = _same(groups, network.inputs_of(node)[0].shape[1])
        text = f"depthwise {text}" if depthwise else f"group {text}"
        behind += [] if depthwise else [f"{groups} groups"]
    kernel, stride = getattr(operator, "kernel_size", None), getattr(operator, "stride", None)
    if kernel is not None:
        axes = len(network.inputs_of(node)[0].shape) - 2
        text += f" {_sides(kernel, axes)}"
        stride = kernel if stride is None else stride
        one = all(is_number(side) and side == 1 for side in per_axis(stride, axes))
        behind += [] if one else [f"stride {_sides(stride, axes, always=False)}"]
    return ", ".join((text, *behind))


def _same(a: Any, b: Any) -> bool:
    return bool(a == b) if is_number(a) and is_number(b) else equal(a, b)


def _sides(size: Any, axes: int, always: bool = True) -> str:
    """A size along all sides: 3×3; of a stride one number, where all are the same."""
    each = per_axis(size, axes)
    alike = all(_same(each[0], other) for other in each)
    return f"{each[0]}" if alike and not always else sizes(each)


def shape(tensor: Tensor) -> str:
    """The sizes of one element of the batch, a sum among them in brackets.

    >>> shape(Tensor((1, 64, 55, 55)))
    '64×55×55'
    """
    sizes = map(str, tensor.shape[1:])
    return "×".join(f"({size})" if re.search(r" [+−-] ", size) else size for size in sizes) or "scalar"


def own_name(path: str, kind: str) -> str:
    """What a part of the tree of names is called, where the specification says more than its kind; else nothing.

    A unit is called as the repeat is that it is of.

    >>> own_name("fire2/squeeze", "conv_relu"), own_name("entry1/conv", "conv"), own_name("stage2/unit1", "unit")
    ('squeeze', '', 'stage2')
    """
    above, _, name = path.rpartition("/")
    if re.fullmatch(r"unit\d+", name):
        name = above.rpartition("/")[2]
    return "" if AUTOMATIC.match(name) or re.fullmatch(rf"{re.escape(kind)}(_\d+)?", name) else name
