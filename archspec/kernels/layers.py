"""One-bit layers that are packed: they compute with bits, and give to the bit what the layers of ±1 give.

Whole numbers are counted first, then the factors are multiplied in the order of `archspec.runtime.binary`: ·K, ·α, +
bias. The means of |x| are computed by that layer's own method. Weights alone of one bit add real inputs, in another
order than torch: equal where the sums are exact, else up to their last digits. (What a window gives that sees padding
alone is 0; its sign torch leaves to how it computes.)

A packed layer does not learn, though gradients go through it to what stands before it. In a state dict it has the
names and shapes of the layer that it was packed from, with ±1 for weights.
"""

import copy
from abc import abstractmethod
from collections.abc import Callable
from math import isnan
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from archspec.errors import ArchspecError
from archspec.kernels.by_numpy import Array
from archspec.kernels.ways import Way, way
from archspec.kernels.window import Window
from archspec.runtime.binary import BinaryConv2d, BinaryLinear

EXACT = 2**24
"""Products of a filter: so many ±1 add up exactly in float32, in any order."""

INSTEAD = "unpack(model) gives layers of ±1 that do"


class PackedLayer(nn.Module):
    """What the two packed layers share.

    Args:
        layer: The one-bit layer, which stays as it is.
        way: The way to compute it; see `archspec.kernels.ways`.

    Attributes:
        form: The layer without its numbers.
        way: The name of the way.
        ready: What the way has kept for the next call.
        stored: What stands for the signs.
        alpha: The factor of each filter.
        bias: What is added to each, or None.

    Raises:
        ArchspecError: Its weights hold NaN, or it is one that no way takes; it is said why.
    """

    form: Any
    ready: Any
    stored: Tensor
    alpha: Tensor
    bias: Tensor | None

    def __init__(self, layer: BinaryConv2d | BinaryLinear, way: str) -> None:
        super().__init__()
        refuse(layer)
        self._begin(layer)
        object.__setattr__(self, "form", _without_numbers(layer))  # no part of this one: it has nothing to store
        self.way, self.ready = way, None
        self._fitting: torch.Size | None = None  # a shape that was looked at already
        # of one-bit inputs without their means nothing but the signs is left, and NaN has none
        self.carries_nan = layer.input_scale or not layer.binary_input
        self.register_buffer("stored", self._pack(layer.weight), persistent=False)
        self.register_buffer("bias", None if layer.bias is None else layer.bias.detach().clone())
        self.register_buffer("alpha", layer.alpha.detach().clone())
        self.training = False

    def _begin(self, layer: Any) -> None:
        """What a kind of layer knows besides."""

    @property
    def by(self) -> Way:
        """What computes: NumPy, and not int8, where weights alone have one bit, and inputs are no bytes."""
        return way("numpy" if self.way == "int8" and not self.form.binary_input else self.way)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "ready": None}  # it shares memory, which a copy would not

    def _pack(self, weight: Tensor) -> Tensor:
        return self.by.packed(weight.detach(), self)

    def forward(self, x: Tensor) -> Tensor:
        """The layer's output: by the bits, or by the layer of ±1 where these do not take the input.

        That is: an input of another type than float32, on another device, of another shape than the layer's, under
        autocast, or with NaN where no mean of |x| carries it on.

        Raises:
            ArchspecError: It is traced.
        """
        if torch.compiler.is_compiling():
            raise ArchspecError(f"packed one-bit layers are not traced: archspec.kernels.{INSTEAD}")
        if not self._takes(x):
            return self.unpacked()(x)  # type: ignore[no-any-return]
        if not x.requires_grad:
            return self.compute(x)
        if not torch.is_grad_enabled():
            return self.compute(x.detach())
        return through(self.compute, lambda again: self.unpacked()(again), x)  # noqa: PLW0108  # unpacked when asked

    @abstractmethod
    def compute(self, x: Tensor) -> Tensor:
        """The layer's output, by the bits."""

    def _takes(self, x: Tensor) -> bool:
        plain = (type(x) is Tensor or type(x) is nn.Parameter) and x.is_cpu and x.dtype is torch.float32
        alpha: Any = self._buffers["alpha"]  # nn.Module looks for self.alpha last of all
        if not plain or alpha.dtype is not torch.float32 or not self._fits(x) or torch.is_autocast_enabled("cpu"):
            return False
        return self.carries_nan or not isnan(x.sum().item())

    def _fits(self, x: Tensor) -> bool:
        if x.shape != self._fitting:
            if not self._has_place_for(x):
                return False
            self._fitting = x.shape
        return True

    @abstractmethod
    def _has_place_for(self, x: Tensor) -> bool:
        """Whether an input is of a shape that the layer takes."""

    def input_factors(self, x: Tensor, *box: Tensor) -> Tensor:
        """The means of |x|, as the layer of ±1 has them."""
        return self.form.input_factors(x, *box)  # type: ignore[no-any-return]

    @torch.no_grad()
    def unpacked(self) -> BinaryConv2d | BinaryLinear:
        """The layer with weights of ±1, not training."""
        empty = copy.deepcopy(self.form).to_empty(device=self.alpha.device)
        layer: BinaryConv2d | BinaryLinear = empty.to(self.alpha.dtype)
        layer.weight.copy_(self.by.unpacked(self.stored, self))
        layer.alpha = self.alpha.clone()
        if layer.bias is not None and self.bias is not None:
            layer.bias.copy_(self.bias)
        return layer.eval()

    def train(self, mode: bool = True) -> Self:
        """Stay as it is.

        Raises:
            ArchspecError: It is told to learn.
        """
        if mode:
            raise ArchspecError(f"packed one-bit layers do not learn: archspec.kernels.{INSTEAD}")
        return super().train(mode)

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        destination[f"{prefix}weight"] = self.by.unpacked(self.stored, self)
        super()._save_to_state_dict(destination, prefix, keep_vars)

    def _load_from_state_dict(
        self,
        state_dict: Any,
        prefix: str,
        local_metadata: Any,
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        key = f"{prefix}weight"
        weight, shape = state_dict.get(key), self.form.weight.shape
        if weight is None:
            missing_keys.append(key)
        elif weight.shape != shape:
            error_msgs.append(f"{key}: {tuple(weight.shape)}, where the layer has {tuple(shape)}")
        elif weight.isnan().any():
            error_msgs.append(f"{key}: NaN, which has no sign")
        else:
            self.stored = self._pack(weight)
        others = {name: value for name, value in state_dict.items() if name != key}
        super()._load_from_state_dict(others, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs)

    def extra_repr(self) -> str:
        """The layer's own, and the way."""
        return f"{self.form.extra_repr()}, way={self.way}"


class PackedConv2d(PackedLayer):
    """A packed `BinaryConv2d`."""

    window: Window

    def __init__(self, layer: BinaryConv2d, way: str) -> None:
        super().__init__(layer, way)
        self._border: tuple[tuple[int, int], Array, Array, Array] | None = None

    def _begin(self, layer: Any) -> None:
        self.window, self.groups, self.box = Window.of(layer), layer.groups, layer.box(layer.weight.device)
        self.single = self.window.kernel == (1, 1) and not any(self.window.before + self.window.after)

    def input_factors(self, x: Tensor, *box: Tensor) -> Tensor:
        """The means of |x|, as the layer of ±1 has them; of windows of one pixel they are its own."""
        if not self.single:
            return super().input_factors(x, *(box or (self.box,)))
        down, across = self.window.stride
        return x.abs().mean(-3, keepdim=True)[..., ::down, ::across]

    def compute(self, x: Tensor) -> Tensor:
        """The layer's output, by the bits."""
        if x.dim() == 4:
            return self.by.compute(self, x)
        return self.by.compute(self, x[None])[0]

    def _has_place_for(self, x: Tensor) -> bool:
        fits = x.dim() in (3, 4) and x.shape[-3] == self.form.in_channels and x.numel() > 0
        return fits and min(self.window.size(*x.shape[-2:])) >= 1

    def border(self, height: int, width: int) -> tuple[Array, Array, Array]:
        """The border of an image of this size, see `Window.border`, and filters × cases the weights on padded taps."""
        if self._border is None or self._border[0] != (height, width):
            pixels, cases, taps = self.window.border(height, width)
            weight = self.by.unpacked(self.stored, self)
            sums = weight.sum(1).flatten(1).numpy()  # filters × taps
            self._border = (height, width), pixels, cases, (sums @ taps.T.astype("f4")).astype("i4")
        return self._border[1:]


class PackedLinear(PackedLayer):
    """A packed `BinaryLinear`."""

    def compute(self, x: Tensor) -> Tensor:
        """The layer's output, by the bits."""
        if x.dim() == 2:
            return self.by.compute(self, x)
        y = self.by.compute(self, x.reshape(-1, x.shape[-1]))
        return y.reshape(*x.shape[:-1], y.shape[-1])

    def _has_place_for(self, x: Tensor) -> bool:
        return x.dim() > 0 and x.shape[-1] == self.form.in_features and x.numel() > 0


class _Through(torch.autograd.Function):
    """See `through`."""

    @staticmethod
    def forward(ctx: Any, bits: Any, reference: Any, x: Tensor, *learned: Tensor) -> Tensor:
        ctx.save_for_backward(x, *learned)
        ctx.reference, ctx.learned = reference, learned
        return bits(x.detach())  # type: ignore[no-any-return]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        x, *_ = ctx.saved_tensors  # which torch refuses where they were written over
        with torch.enable_grad():
            again = x.detach().requires_grad_()
            y = ctx.reference(again)
        asked = [(place, each) for place, each in enumerate((again, *ctx.learned)) if ctx.needs_input_grad[place + 2]]
        found = torch.autograd.grad(y, [each for _, each in asked], gradients)
        given: list[Tensor | None] = [None] * (1 + len(ctx.learned))
        for (place, _), gradient in zip(asked, found, strict=True):
            given[place] = gradient
        return None, None, *given


def through(
    bits: Callable[[Tensor], Tensor], reference: Callable[[Tensor], Tensor], x: Tensor, *learned: Tensor
) -> Tensor:
    """The output by the bits; the gradients, those of what is learned too, by the layer of real numbers."""
    return _Through.apply(bits, reference, x, *learned)  # type: ignore[no-untyped-call,no-any-return]


def packed(layer: BinaryConv2d | BinaryLinear, way: str) -> PackedLayer:
    """The packed form of a layer."""
    return PackedConv2d(layer, way) if isinstance(layer, BinaryConv2d) else PackedLinear(layer, way)


def refuse(layer: BinaryConv2d | BinaryLinear) -> None:
    """Nothing, if the layer can be packed.

    Raises:
        ArchspecError: It cannot.
    """
    weight = layer.weight
    if weight.device.type != "cpu" or weight.dtype != torch.float32:
        raise ArchspecError(f"weights are packed on the CPU from float32 (found {weight.device}, {weight.dtype})")
    if weight.isnan().any():
        raise ArchspecError("its weights hold NaN, which has no sign")
    if weight[0].numel() >= EXACT:
        raise ArchspecError(f"a filter has {weight[0].numel():,} products; float32 adds fewer than {EXACT:,} exactly")


def _without_numbers(layer: BinaryConv2d | BinaryLinear) -> Any:
    """A layer of the same settings on torch's meta device: shapes without memory."""
    settings: dict[str, Any] = {
        "bias": layer.bias is not None,
        "binary_input": layer.binary_input,
        "input_scale": layer.input_scale,
        "device": "meta",
    }
    if isinstance(layer, BinaryLinear):
        return BinaryLinear(layer.in_features, layer.out_features, **settings)
    left, right, top, bottom = layer.sides
    settings |= {
        "kernel_size": layer.kernel_size,
        "stride": layer.stride,
        "padding": (top, bottom, left, right) if any(layer.sides) else layer.padding,
        "dilation": layer.dilation,
        "groups": layer.groups,
    }
    return BinaryConv2d(layer.in_channels, layer.out_channels, **settings)
