"""The weights of a model as its paper has them at the beginning of training."""

import math

import torch
from torch import Tensor

from archspec.language.initialisation import Filling
from archspec.runtime.calls import runnable


def fill(array: Tensor, filling: Filling) -> None:
    """Fill an array with a constant or with random numbers.

    >>> weight = torch.empty(2, 2)
    >>> fill(weight, Filling("constant", 1))
    >>> weight.sum()
    tensor(4.)
    """
    with torch.no_grad():
        if filling.kind == "truncated_normal" and filling.size is not None:
            truncated_normal_(array, float(filling.size))
        else:
            runnable(filling.call())(array)


def truncated_normal_(array: Tensor, std: float) -> Tensor:
    """Fill with normal numbers that lie within two standard deviations: one uniform draw, and the inverse of erf.

    `torch.nn.init.trunc_normal_` gives the same distribution, and draws all numbers again until the last one fits.
    """
    inside = math.erf(math.sqrt(2))
    array.uniform_(-inside, inside).erfinv_().mul_(math.sqrt(2) * std)
    return array.clamp_(-2 * std, 2 * std)  # at the very edge, rounding may step over it
