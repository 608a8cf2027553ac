"""One-bit layers by products of int8 matrices: signs as bytes, a quarter of float32, without a compiler.

Weights alone are kept as bits, and computed by NumPy: their inputs are no bytes.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from archspec.kernels.by_numpy import scaled


def packed(weight: Tensor, layer: Any) -> Tensor:
    """Groups × (taps·channels) × filters, or 1 × features × features, of ±1."""
    groups = layer.groups if weight.dim() == 4 else 1
    rows = _signs(weight).movedim(1, -1)  # channels last: they lie side by side in an image
    return rows.reshape(groups, len(weight) // groups, -1).transpose(1, 2).contiguous()


def unpacked(stored: Tensor, layer: Any) -> Tensor:
    """±1."""
    filters, channels, *taps = layer.form.weight.shape
    rows = stored.transpose(1, 2).reshape(filters, *taps, channels)
    return rows.movedim(-1, 1).float().contiguous()


def compute(layer: Any, x: Tensor) -> Tensor:
    """Whole numbers, and the factors."""
    if x.dim() == 2:
        return scaled(layer, product(_signs(x), layer.stored[0]).float(), x)
    return scaled(layer, _convolved(layer, x).float(), x)


def _signs(x: Tensor) -> Tensor:
    return (x < 0).to(torch.int8).mul_(-2).add_(1)


def _convolved(layer: Any, x: Tensor) -> Tensor:
    """n × filters × height × width; padded taps are 0, which a byte can say."""
    window, groups = layer.window, layer.groups
    (top, left), (bottom, right) = window.before, window.after
    image = functional.pad(_signs(x), (left, right, top, bottom)).movedim(1, -1).contiguous()
    n, _, _, channels = image.shape
    size = window.size(*x.shape[2:])
    batch, down, across, along = image.stride()
    (fall, tall), (go, wide) = (
        (stride * each, dilation * each)
        for stride, dilation, each in zip(window.stride, window.dilation, (down, across), strict=True)
    )
    seen = image.as_strided((n, *size, *window.kernel, channels), (batch, fall, go, tall, wide, along))
    some = channels // groups
    wholes = [
        product(seen[..., group * some : (group + 1) * some].reshape(n * size[0] * size[1], -1), weight)
        for group, weight in enumerate(layer.stored)
    ]
    return torch.cat(wholes, 1).reshape(n, *size, -1).movedim(-1, 1)


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
