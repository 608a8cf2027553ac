"""Pruning by size: which weights are kept (Han et al. 2015, arXiv:1506.02626), ties decided by place."""

from collections.abc import Callable

import numpy as np

from archspec.compress.codecs.base import Array
from archspec.errors import ArchspecError

CHUNK = 1 << 22
"""The weights that are compared at once."""


def largest(values: Array, count: int, what: str) -> Array:
    """The positions of so many values of the largest size; of equals the first. Zeros are never among them.

    Args:
        values: Numbers in float32.
        count: How many, at least one.
        what: What the values are called in errors.

    Raises:
        ArchspecError: One is no finite number.

    >>> largest(np.array([3, -1, 0, 1, -2], np.float32), 3, "w").tolist()
    [0, 1, 4]
    """
    threshold = _threshold(values, count, what)
    above = _where(values, lambda size: size > threshold)
    if threshold == 0 or len(above) == count:
        return above
    equal = _where(values, lambda size: size == threshold)[: count - len(above)]
    return np.sort(np.concatenate((above, equal)))


def _threshold(values: Array, count: int, what: str) -> float:
    """The size of the last that is kept."""
    sizes = np.abs(values)
    if not np.isfinite(sizes.max(initial=0)):
        raise ArchspecError(f"{what} holds a number that is not finite")
    if count >= len(sizes):
        return 0.0
    at = len(sizes) - count
    sizes.partition(at)
    return float(sizes[at])


def _where(values: Array, kept: Callable[[Array], Array]) -> Array:
    """The positions of values whose size is such."""
    parts = [
        np.flatnonzero(kept(np.abs(values[start : start + CHUNK]))) + start for start in range(0, len(values), CHUNK)
    ]
    return np.concatenate(parts) if parts else np.zeros(0, np.intp)
