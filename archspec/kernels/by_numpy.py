"""One-bit layers by NumPy: signs in words, and the bits that differ counted. What the other ways are held against.

Of signs 64 are in a word, a bit set where a number is below 0, so that the sign of 0 and of −0 is +1.
"""

from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from torch import Tensor

Array: TypeAlias = NDArray[Any]

WORD = 64

AT_ONCE = 2**22
"""Words that are compared at once: 32 MiB."""


def packed(weight: Tensor, layer: Any) -> Tensor:  # noqa: ARG001  # other ways ask it
    """Filters × taps × words, or features × words; int64, since torch computes little with uint64."""
    signs = (weight < 0).numpy()
    if weight.dim() == 4:
        signs = signs.transpose(0, 2, 3, 1).reshape(len(weight), -1, weight.shape[1])
    return torch.from_numpy(words(signs).view(np.int64))


def unpacked(stored: Tensor, layer: Any) -> Tensor:
    """±1."""
    shape = layer.form.weight.shape
    below = bits(stored.numpy().view(np.uint64), shape[1])
    if len(shape) == 4:
        below = below.reshape(shape[0], *shape[2:], shape[1]).transpose(0, 3, 1, 2)
    return torch.from_numpy(np.where(below, np.float32(-1), np.float32(1)))


def compute(layer: Any, x: Tensor) -> Tensor:
    """Whole numbers, and the factors; of weights alone what the layer of ±1 computes, from its bits."""
    form = layer.form
    if not form.binary_input:
        result: Tensor = layer.unpacked()(x)
        return result
    signs = layer.stored.numpy().view(np.uint64)
    wholes = _convolved(layer, x, signs) if x.dim() == 4 else _multiplied(x, signs)
    return scaled(layer, torch.from_numpy(wholes.astype(np.float32)), x)


def _multiplied(x: Tensor, signs: Array) -> Array:
    """Rows × features."""
    features = x.shape[1]
    return features - 2 * _differing(words((x < 0).numpy()), signs)


def _convolved(layer: Any, x: Tensor, signs: Array) -> Array:
    """n × filters × height × width: +1 is padded, and the weights on padded taps are taken off."""
    window, groups = layer.window, layer.groups
    n, channels, height, width = x.shape
    out = window.size(height, width)
    below = (x < 0).numpy().reshape(n, groups, channels // groups, height, width)
    planes = words(np.moveaxis(below, 2, -1))  # n × groups × height × width × words
    around = list(zip(window.before, window.after, strict=True))
    planes = np.pad(planes, [(0, 0), (0, 0), *around, (0, 0)])
    reach = [d * (k - 1) + 1 for d, k in zip(window.dilation, window.kernel, strict=True)]
    seen = sliding_window_view(planes, reach, axis=(2, 3))
    seen = seen[:, :, :: window.stride[0], :: window.stride[1], :, :: window.dilation[0], :: window.dilation[1]]
    seen = seen[:, :, : out[0], : out[1]].transpose(1, 0, 2, 3, 5, 6, 4)  # groups × n × h × w × taps × words
    rows, columns = window.padded(height, width)
    padded = (rows[:, None, :, None] | columns[None, :, None, :]).reshape(out[0] * out[1], -1)
    found = []
    for group, filters in enumerate(signs.reshape(groups, -1, *signs.shape[1:])):
        flat = seen[group].reshape(n * out[0] * out[1], -1)
        total = padded.shape[1] * below.shape[2]
        sums = below.shape[2] - 2 * ones(filters).sum(-1, dtype=np.int64)  # of each filter at each tap
        wholes = total - 2 * _differing(flat, filters.reshape(len(filters), -1))
        wholes = wholes.reshape(n, *out, -1) - (padded.astype(np.int64) @ sums.T).reshape(*out, -1)
        found.append(wholes)
    return np.moveaxis(np.concatenate(found, -1), -1, 1)


def _differing(rows: Array, others: Array) -> Array:
    """The bits in which each row differs from each of the others: rows × others."""
    some = max(1, AT_ONCE // max(1, others.size))
    return np.concatenate(
        [ones(rows[at : at + some, None] ^ others[None]).sum(-1, dtype=np.int64) for at in range(0, len(rows), some)]
    )


def scaled(layer: Any, wholes: Tensor, x: Tensor) -> Tensor:
    """Sums times their factors, in the order of `archspec.runtime.binary`."""
    shape = (-1, 1, 1) if x.dim() == 4 else (-1,)
    form = layer.form
    y = wholes * form.input_factors(x) if form.binary_input and form.input_scale else wholes
    y = y * layer.alpha.view(shape)
    shifted: Tensor = y if layer.bias is None else y + layer.bias.view(shape)
    return shifted


# ------------------------------------------------------------------ signs as bits


def words(below: Array) -> Array:
    """The bits of the last axis as words; what is left of the last word is 0, as of +1.

    >>> words(np.array([[True, False, True], [False, True, False]])).tolist()
    [[5], [2]]
    """
    *outer, length = below.shape
    padded = np.zeros((*outer, -(-length // WORD) * WORD), bool)
    padded[..., :length] = below
    return np.packbits(padded, axis=-1, bitorder="little").view("<u8").astype(np.uint64, copy=False)


def bits(packed: Array, length: int) -> Array:
    """The bits again.

    >>> bits(words(np.array([True, False, True])), 3).tolist()
    [True, False, True]
    """
    plain = np.ascontiguousarray(packed).astype("<u8", copy=False).view(np.uint8)
    return np.unpackbits(plain, axis=-1, count=length, bitorder="little").view(bool)


def ones(packed: Array) -> Array:
    """How many bits of each word are set, by NumPy 2 or by a table of bytes.

    >>> ones(np.array([7, 2**64 - 1], np.uint64)).tolist()
    [3, 64]
    """
    if hasattr(np, "bitwise_count"):
        found: Array = np.bitwise_count(packed)
        return found
    counted: Array = _BYTES[np.ascontiguousarray(packed)[..., None].view(np.uint8)].sum(-1, dtype=np.uint8)
    return counted


_BYTES = np.array([bin(byte).count("1") for byte in range(256)], np.uint8)
