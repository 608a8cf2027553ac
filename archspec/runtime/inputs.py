"""What a network is called with: a tensor for each input, of whole numbers where a node looks something up by them."""

import torch
from torch import Tensor

from archspec.graph import Network


def zeros(network: Network, device: torch.device | str | None = None) -> tuple[Tensor, ...]:
    """Inputs of zeros, in the order of the network's inputs.

    >>> from archspec.graph import expand
    >>> from archspec.language import load
    >>> [x.shape for x in zeros(expand(load("lenet_5")))]
    [torch.Size([1, 1, 28, 28])]
    """
    return tuple(
        torch.zeros(tensor.shape, device=device, dtype=None if network.below(name) is None else torch.int64)
        for name, tensor in network.inputs.items()
    )


def drawn(network: Network, seed: int) -> tuple[Tensor, ...]:
    """Inputs of random numbers, the same for the same seed."""
    generator = torch.Generator().manual_seed(seed)
    return tuple(
        torch.randn(tensor.shape, generator=generator)
        if (below := network.below(name)) is None
        else torch.randint(int(below), tensor.shape, generator=generator)
        for name, tensor in network.inputs.items()
    )


def results(given: Tensor | tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """What a model gave, as a tuple also where it is one tensor."""
    return given if isinstance(given, tuple) else (given,)
