"""Signs as bits: 64 in a word, a bit set where a number is below 0, so that the sign of 0 and of −0 is +1."""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]

WORD = 64


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
