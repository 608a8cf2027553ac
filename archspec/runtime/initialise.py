"""The weights of a model at the beginning of training: as its paper has them, and the same for the same seed."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

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


class Drawing(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch's has none
    """Gives what fills arrays at random, on the processor, a generator of its own; torch's own is not touched.

    So what a thread draws inside follows from a seed, whatever other threads draw.

    >>> with Drawing(0):
    ...     one = torch.empty(3).uniform_()
    >>> with Drawing(0):
    ...     two = torch.nn.init.uniform_(torch.empty(3))
    >>> bool((one == two).all())
    True
    """

    def __init__(self, seed: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.generator = torch.Generator().manual_seed(seed)

    def __torch_dispatch__(
        self,
        func: Any,
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Call an operation, with the generator where it takes one."""
        given = dict(kwargs or {})
        if any(argument.name == "generator" for argument in func._schema.arguments):
            given["generator"] = self.generator
        return func(*args, **given)
