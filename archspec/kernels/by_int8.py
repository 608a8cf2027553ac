"""One-bit layers by products of int8 matrices: signs as bytes, a quarter of float32, without a compiler."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from archspec.kernels.by_numpy import WAY as BITS
from archspec.kernels.by_numpy import scaled


class ByInt8:
    """See `archspec.kernels.ways`. Weights alone are kept as bits: their inputs are no bytes."""

    def packed(self, weight: Tensor, layer: Any) -> Tensor:
        """Groups × (channels·taps) × filters, or features × features, of ±1."""
        if not layer.form.binary_input:
            return BITS.packed(weight, layer)
        groups = layer.groups if weight.dim() == 4 else 1
        signs = 1 - 2 * (weight < 0).to(torch.int8)
        return signs.reshape(groups, len(weight) // groups, -1).transpose(1, 2).contiguous()

    def unpacked(self, stored: Tensor, layer: Any) -> Tensor:
        """±1."""
        if not layer.form.binary_input:
            return BITS.unpacked(stored, layer)
        return stored.transpose(1, 2).reshape(layer.form.weight.shape).float()

    def compute(self, layer: Any, x: Tensor) -> Tensor:
        """Whole numbers, and the factors."""
        if not layer.form.binary_input:
            return BITS.compute(layer, x)
        signs = torch.where(x < 0, -1.0, 1.0)
        if x.dim() == 2:
            return scaled(layer, product(signs.to(torch.int8), layer.stored[0]).float(), x)
        window, groups = layer.window, layer.groups
        (top, left), (bottom, right) = window.before, window.after
        signs = functional.pad(signs, (left, right, top, bottom))
        seen = functional.unfold(signs, window.kernel, window.dilation, 0, window.stride)  # n × (c·taps) × pixels
        n, _, pixels = seen.shape
        seen = seen.to(torch.int8).reshape(n, groups, -1, pixels).permute(1, 0, 3, 2)
        wholes = [
            product(part.reshape(n * pixels, -1), weight).reshape(n, pixels, -1)
            for part, weight in zip(seen, layer.stored, strict=True)
        ]
        y = torch.cat(wholes, 2).transpose(1, 2).reshape(n, -1, *window.size(*x.shape[2:]))
        return scaled(layer, y.float(), x)


def product(a: Tensor, b: Tensor) -> Tensor:
    """The product of two matrices of int8, in whole numbers.

    By torch's own one, which is private to it and may go, or refuse a shape or a machine; else in float32, which is
    exact for ±1. On the CPU it leaves the result as it was where an axis of length 1 has another stride than usual
    (pytorch/pytorch#195066), so both get the usual ones.

    >>> product(torch.ones(2, 3, dtype=torch.int8), -torch.ones(3, 1, dtype=torch.int8)).tolist()
    [[-3], [-3]]
    """
    try:
        plain = [each.contiguous().as_strided(each.shape, (each.shape[1], 1)) for each in (a, b)]
        found: Tensor = torch._int_mm(*plain)
    except (AttributeError, NotImplementedError, RuntimeError):
        return (a.float() @ b.float()).to(torch.int32)
    return found


WAY = ByInt8()
