"""One-bit layers that compute with bits: packed once, 64 signs in a word, XNOR and bit counts, factors after.

>>> import archspec
>>> model = archspec.load("lenet_5").with_one_bit("xnor_lenet_5").to_torch(seed=0).eval()
>>> small = archspec.kernels.pack(model, way="numpy")
>>> import torch
>>> x = torch.randn(2, 1, 28, 28)
>>> bool((small(x) == model(x)).all())
True

The numbers are those of the model, to the bit. Its float32 weights are gone: a packed layer keeps a bit for each. It
does not learn; `unpack` gives back layers of ±1 that do.
"""

import copy
from typing import TYPE_CHECKING, Any

from archspec.errors import ArchspecError
from archspec.kernels.ways import best, check, names

if TYPE_CHECKING:
    from torch import nn

__all__ = ["best", "bytes_of", "evaluate_with_bits", "names", "pack", "unpack"]


def pack(model: "nn.Module", way: str | None = None) -> "nn.Module":
    """A copy of a model, to be evaluated, whose one-bit layers compute with bits.

    The model itself stays as it is. The copy can be copied and pickled; its state dict has the names and shapes of the
    model's, with ±1 for one-bit weights; told to train, it refuses.

    Args:
        model: On the CPU, its weights in float32.
        way: "numba", "int8" or "numpy"; by default the quickest that is installed.

    Raises:
        ArchspecError: The model has no one-bit layers, or one that cannot be packed: its weights are NaN, or shared.
        MissingExtraError: What the way needs is not installed.
    """
    from archspec.kernels.layers import packed
    from archspec.runtime.binary import BinaryConv2d, BinaryLinear
    from archspec.runtime.build import Sharing

    chosen = best() if way is None else way
    check(chosen)
    made: dict[int, Any] = {}
    for name, module in model.named_modules():
        if isinstance(module, BinaryConv2d | BinaryLinear):
            if isinstance(module, Sharing):
                what = (
                    f"layer '{name}' has the weights of another one-bit layer, and packed layers have bits of their own"
                )
                raise ArchspecError(f"{what}; evaluate_with_bits(model) takes such a model")
            try:
                made[id(module)] = packed(module, chosen)
            except ArchspecError as error:
                raise type(error)(f"layer '{name}': {error}" if name else str(error)) from None
    if not made:
        what = f"{type(model).__name__} has no one-bit layers to pack"
        raise ArchspecError(f"{what}; a plan makes them: arch.with_one_bit('xnor_alexnet')")
    copied: nn.Module = copy.deepcopy(model, made)
    return copied.eval()


def unpack(model: "nn.Module") -> "nn.Module":
    """A copy of a packed model whose one-bit layers have weights of ±1, which can learn.

    Raises:
        ArchspecError: The model has no packed layers.
    """
    from archspec.kernels.layers import PackedLayer

    made: dict[int, Any] = {id(each): each.unpacked() for each in model.modules() if isinstance(each, PackedLayer)}
    if not made:
        raise ArchspecError(f"{type(model).__name__} has no packed layers to unpack")
    copied: nn.Module = copy.deepcopy(model, made)
    return copied


def evaluate_with_bits(model: "nn.Module", way: str | None = None) -> "nn.Module":
    """The same model, whose one-bit layers compute with bits while it is evaluated, and as before while it learns.

    So are models that get their weights from a compressed file, where numba is installed. The layers keep their weights
    in float32, and the bits beside them; weights that change are packed again.

    Args:
        model: Is changed.
        way: As of `pack`.
    """
    from archspec.kernels.evaluated import use_bits

    use_bits(model, best() if way is None else way)
    return model


def bytes_of(model: "nn.Module") -> int:
    """The bytes of a model's parameters and buffers, those of packed signs included.

    >>> import archspec
    >>> model = archspec.load("lenet_300_100").to_torch()
    >>> bytes_of(model) == 4 * 266610
    True
    """
    tensors = {id(each): each for each in (*model.parameters(), *model.buffers())}
    return sum(each.numel() * each.element_size() for each in tensors.values())
