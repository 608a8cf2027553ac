"""Dropout on a processor, from random bits.

torch draws one number after another for it, 15 ns each: two fifths of the time of a large fully connected network in
bf16. A word of 64 random bits takes 4 ns, and decides on two values.
"""

from types import MethodType

import torch
from torch import Tensor, nn

BITS = 32
"""Random bits that decide on a value: its probability is exact to half of 2^−32."""


def draw_bits(model: nn.Module) -> None:
    """Let every `nn.Dropout` of a model draw from bits: the same layer, with other random numbers.

    >>> layer = nn.Dropout(0.25)
    >>> draw_bits(layer)
    >>> dropped = layer(torch.ones(1000, 100))
    >>> sorted(set(dropped.flatten().tolist())), abs(float((dropped == 0).float().mean()) - 0.25) < 0.01
    ([0.0, 1.3333333730697632], True)
    """
    for module in model.modules():
        if type(module) is nn.Dropout and not module.inplace:
            module.forward = MethodType(_dropped, module)  # type: ignore[method-assign]


def _dropped(layer: nn.Dropout, x: Tensor) -> Tensor:
    if not layer.training or not layer.p:
        return x
    return x * kept(x, layer.p)


def kept(x: Tensor, p: float) -> Tensor:
    """1/(1 − p) where a value of x is kept and 0 where it is dropped, with the probability p; of x's shape and type."""
    if p >= 1:
        return torch.zeros_like(x)
    words = torch.empty((x.numel() + 1) // 2, dtype=torch.int64).random_(-(2**63), None)
    bits = words.view(torch.int32)[: x.numel()].view(x.shape)
    first = round(p * 2**BITS) - 2 ** (BITS - 1)  # of the numbers with a sign
    return torch.ge(bits, first, out=torch.empty(x.shape, dtype=x.dtype)).mul_(1 / (1 - p))
