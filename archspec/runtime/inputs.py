"""Inputs to try a network on."""

import torch
from torch import Tensor, nn

from archspec.graph import Network
from archspec.graph.network import INPUT
from archspec.runtime.learned import TokenEmbedding


def example(network: Network, seed: int) -> Tensor:
    """Random numbers of the shape of a network's input: whole ones, where it looks rows up by them."""
    generator = torch.Generator().manual_seed(seed)
    most = _below(network)
    if most is None:
        return torch.randn(network.input.shape, generator=generator)
    return torch.randint(most, network.input.shape, generator=generator)


def _below(network: Network) -> int | None:
    """The number that whole numbers of the input must be below; None where it takes any numbers."""
    rooted = {INPUT}
    for node in network.nodes:
        if node.operator.view and node.inputs[0] in rooted:
            rooted.add(node.name)
    found = (node.operator.below for node in network.nodes if not rooted.isdisjoint(node.inputs))
    return min((most for most in found if most is not None), default=None)


def input_type(model: nn.Module) -> torch.dtype:
    """The type of a model's input: that of its weights, or whole numbers where it looks rows up by them."""
    if any(isinstance(module, TokenEmbedding) for module in model.modules()):
        return torch.int64
    return next(model.parameters(), torch.empty(0)).dtype
