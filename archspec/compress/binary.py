"""One-bit weights and inputs: what they save (Rastegari et al. 2016, XNOR-Net, arXiv:1603.05279).

The rules say it of one layer. `binarised` makes the network with one-bit layers, whose counts then say it of the whole.
"""

from collections.abc import Container
from dataclasses import replace
from typing import Any

from archspec.dims import Dim, divide
from archspec.graph import Network, Node
from archspec.ops import registered

WORD = 64
"""The one-bit operations that a machine does at once."""

BINARY = {cls.one_bit: name for name, cls in registered().items() if cls.one_bit}
"""The one-bit form of an operator."""


def binary_memory(n: Dim, f: Dim, b: Dim) -> Dim:
    """How much smaller n weights of b bits are with one bit each and f real factors: n·b / (n + f·b).

    >>> binary_memory(1, 0, 32)
    32
    """
    return divide(n * b, n + f * b)


def xnor_speedup(c: Dim, N_W: Dim) -> Dim:  # noqa: N803  # the paper's letters
    """How much faster a filter of c channels and N_W taps is with one bit: 64·c·N_W / (c·N_W + 64).

    Of each output it does c·N_W products, or as many one-bit ones, 64 at once, and one product with a real factor.

    >>> round(float(xnor_speedup(256, 9)), 2)
    62.27
    """
    products, scalings = c * N_W, 1
    return divide(products, divide(products, WORD) + scalings)


def binarised(
    network: Network, names: Container[str], *, binary_input: bool = True, input_scale: bool = True
) -> Network:
    """The network with the one-bit form of the convolutions and linear layers of these names."""
    nodes = tuple(_one_bit(node, binary_input, input_scale) if node.name in names else node for node in network.nodes)
    return replace(network, nodes=nodes)


def _one_bit(node: Node, binary_input: bool, input_scale: bool) -> Node:
    make: Any = registered()[BINARY[node.operator.name]]
    settings = {key: value for key, value in node.operator.settings().items() if key in make.model_fields}
    return replace(node, operator=make(**settings, binary_input=binary_input, input_scale=input_scale))
