"""What models give, compared."""

from typing import Any

import torch
from torch import Tensor

from archspec.errors import ArchspecError
from archspec.writing import sizes


def first(output: Any) -> Tensor:
    """The output, the first where there are several: auxiliary classifiers come behind."""
    found = next(iter(output.values()), None) if isinstance(output, dict) else output
    while isinstance(found, list | tuple) and found:
        found = found[0]
    if not isinstance(found, Tensor):
        raise ArchspecError(f"the source gives a {type(found).__name__}, not a tensor")
    return found


def same(one: Tensor, other: Tensor, tolerance: float) -> bool:
    """Whether two are equal within a share of the largest number."""
    return one.shape == other.shape and largest(one - other) <= tolerance * largest(other)


def largest(tensor: Tensor) -> float:
    """The largest number, its sign left out."""
    return float(tensor.abs().max()) if tensor.numel() else 0.0


def apart(ours: Tensor, theirs: Tensor) -> str:
    """By how much two are apart, in words."""
    if ours.shape != theirs.shape:
        return f"{sizes(ours.shape)} here, {sizes(theirs.shape)} in the source"
    return f"numbers differ up to {largest(ours - theirs):.1e}, where the largest is {largest(theirs):.1e}"


def normalised(output: Tensor, kind: str) -> bool:
    """Whether each row sums to 1, as a softmax, or a log softmax, leaves it."""
    shares = output.exp() if kind.lower().startswith("log") else output
    sums = shares.flatten(1).sum(1)
    return bool((shares >= 0).all()) and torch.allclose(sums, torch.ones_like(sums), atol=1e-4)
