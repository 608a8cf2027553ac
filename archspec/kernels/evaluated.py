"""One-bit layers that compute with bits while they are evaluated, and learn as before."""

from contextlib import suppress
from typing import Any, Self

import torch
from torch import Tensor, nn

from archspec.errors import ArchspecError
from archspec.kernels.layers import PackedLayer, packed, through
from archspec.kernels.ways import check
from archspec.runtime.binary import BinaryConv2d, BinaryLinear


class _Evaluated:
    """What the two layers have besides. Gradients, where some are asked for, are those of the layer of real numbers."""

    way: str
    training: bool
    weight: Tensor
    alpha: Tensor
    bias: Any
    _bits: tuple[Any, PackedLayer | None] | None = None

    def forward(self, x: Tensor) -> Tensor:
        """The layer's output: by the bits, or as before while it learns, is traced, or cannot be packed."""
        reference = super().forward  # type: ignore[misc]  # of BinaryConv2d or BinaryLinear
        plain = type(x) is Tensor and not torch.compiler.is_compiling()
        bits = self.packed() if plain and not self.training else None
        if bits is None:
            return reference(x)  # type: ignore[no-any-return]
        learned = [each for each in (self.weight, self.bias) if each is not None]
        if torch.is_grad_enabled() and any(each.requires_grad for each in (x, *learned)):
            return through(bits, reference, x, *learned)
        return bits(x)  # type: ignore[no-any-return]

    def packed(self) -> PackedLayer | None:
        """The packed layer of the weights as they are now; None of those that cannot be packed, such as NaN."""
        now = tuple((id(each), each._version) for each in (self.weight, self.alpha, self.bias) if each is not None)
        if self._bits is None or self._bits[0] != now:
            layer: PackedLayer | None = None
            with suppress(ArchspecError):
                layer = packed(self, self.way)  # type: ignore[arg-type]  # it is mixed into one
            object.__setattr__(self, "_bits", (now, layer))  # no part of this one: it has nothing to store
        return self._bits[1] if self._bits else None

    def train(self, mode: bool = True) -> Self:
        """As torch's; what was packed is packed again when it is asked for, whatever was done to the weights."""
        object.__setattr__(self, "_bits", None)
        return super().train(mode)  # type: ignore[misc,no-any-return]

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in self.__dict__.items() if key != "_bits"}


class EvaluatedConv2d(_Evaluated, BinaryConv2d):
    """A `BinaryConv2d` that computes with bits while it is evaluated."""


class EvaluatedLinear(_Evaluated, BinaryLinear):
    """A `BinaryLinear` that computes with bits while it is evaluated."""


EVALUATED: dict[type, type] = {BinaryConv2d: EvaluatedConv2d, BinaryLinear: EvaluatedLinear}


def use_bits(model: nn.Module, way: str) -> None:
    """Make the one-bit layers of a model such layers, in their places.

    Raises:
        ArchspecError: There is no such way.
        MissingExtraError: What it needs is not installed.
    """
    check(way)
    for module in model.modules():
        if kind := EVALUATED.get(type(module)):
            module.__class__ = kind
            module.way = way  # type: ignore[assignment]  # no tensor: torch lets any stand
