"""One-bit layers by numba: what stands between torch's tensors and the compiled functions."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from archspec.kernels import compiled
from archspec.kernels.by_numpy import Array, bits, scaled, words
from archspec.kernels.window import Window

WORTH_A_THREAD = 2**26
"""Products of ±1, or additions of real numbers 16 times as slow, that take longer than to wake a thread."""

NOTHING = -0.0
"""What changes no number when it is added; 0 would make 0 of −0."""


def packed(weight: Tensor, layer: Any) -> Tensor:
    """Of convolutions groups × filters × (taps·words), of matrices blocks × words × LANES features.

    Of weights alone groups × blocks × products: a bit for each of 16 filters.
    """
    below = (weight < 0).numpy()
    groups = layer.groups if weight.dim() == 4 else 1
    if not layer.form.binary_input:
        signs = _blocks(below.reshape(groups, len(weight) // groups, -1), compiled.FLOATS)
        packed = np.packbits(signs, axis=-1, bitorder="little").view("<u2")[..., 0]
        return torch.from_numpy(packed.astype(np.uint16, copy=False).view(np.int16))
    if weight.dim() == 4:
        signs = words(below.transpose(0, 2, 3, 1)).reshape(groups, len(weight) // groups, -1)
        return torch.from_numpy(signs.view(np.int64))
    return torch.from_numpy(_blocks(words(below), compiled.LANES).view(np.int64))


def unpacked(stored: Tensor, layer: Any) -> Tensor:
    """±1."""
    shape, form = layer.form.weight.shape, layer.form
    plain = stored.numpy()
    if not form.binary_input:
        lanes = np.unpackbits(plain.view(np.uint16)[..., None].astype("<u2").view(np.uint8), axis=-1, bitorder="little")
        groups = len(plain)
        signs = lanes.swapaxes(-1, -2).reshape(groups, -1, plain.shape[-1])[:, : shape[0] // groups]
        below = signs.reshape(tuple(shape)).astype(bool)
    elif len(shape) == 4:
        rows = plain.view(np.uint64).reshape(shape[0], *shape[2:], -1)
        below = bits(rows, shape[1]).transpose(0, 3, 1, 2)
    else:
        rows = plain.view(np.uint64).swapaxes(1, 2).reshape(-1, plain.shape[1])[: shape[0]]
        below = bits(rows, shape[1])
    return torch.from_numpy(np.where(below, np.float32(-1), np.float32(1)))


def compute(layer: Any, x: Tensor) -> Tensor:
    """The layer, shared among torch's threads."""
    if not layer.form.binary_input:
        return _added(layer, x)
    return _convolved(layer, x) if x.dim() == 4 else _multiplied(layer, x)


class Ready:
    """Arrays and numbers that are the same in every call: they share the memory of a layer's tensors.

    What is not yet known to the processor costs more than what it computes: between two calls of a layer others ran.

    Args:
        layer: The layer.
        size: Height and width of its images; nothing for a matrix.
    """

    def __init__(self, layer: Any, size: tuple[int, ...]) -> None:
        form = layer.form
        self.stored, self.factors, self.size = layer.stored, (layer.alpha, layer.bias), size
        self.signs = layer.stored.numpy().view(np.uint64)
        self.alpha, self.bias = _factors(layer)
        self.scaled = form.binary_input and form.input_scale
        if not size:
            self.out: tuple[int, ...] = (form.out_features,)
            self.filter, self.parts = form.in_features, len(self.signs)
            return
        window: Window = layer.window
        groups, filters = self.signs.shape[:2]
        self.out = (form.out_channels, *window.size(*size))
        self.filter, self.parts = form.weight[0].numel(), filters
        self.alpha, self.bias = self.alpha.reshape(groups, filters), self.bias.reshape(groups, filters)
        self.places = (*size, *window.kernel, *self.out[1:], *window.stride, *window.before, *window.dilation)
        edge, case, lost = layer.border(*size)
        self.border = edge, case, lost.reshape(groups, filters, -1)
        self.given = (groups, form.in_channels // groups, size[0] * size[1])
        self.taken = (groups, filters, self.out[1] * self.out[2])

    def still(self, layer: Any, size: tuple[int, ...]) -> bool:
        """Whether the layer and the size are still these."""
        buffers, (alpha, bias) = layer._buffers, self.factors
        now = buffers["stored"] is self.stored and buffers["alpha"] is alpha and buffers["bias"] is bias
        return now and size == self.size


def _ready(layer: Any, size: tuple[int, ...]) -> Ready:
    found: Ready | None = layer.ready
    if found is None or not found.still(layer, size):
        layer.ready = found = Ready(layer, size)
    return found


def _multiplied(layer: Any, x: Tensor) -> Tensor:
    known = _ready(layer, ())
    n = x.shape[0]
    means = layer.input_factors(x) if known.scaled else torch.ones(n, 1)
    given, factors, out = x.contiguous().numpy(), means.numpy(), np.empty((n, *known.out), np.float32)
    fixed = known.signs, factors, known.alpha, known.bias, out
    share(compiled.linear, (given, *fixed), known.parts, out.size * known.filter)
    return torch.from_numpy(out)


def _convolved(layer: Any, x: Tensor) -> Tensor:
    known = _ready(layer, tuple(x.shape[2:]))
    n = x.shape[0]
    means = layer.input_factors(x) if known.scaled else torch.ones(n, 1, *known.out[1:])
    given = x.contiguous().numpy().reshape(n, *known.given)
    factors, out = means.contiguous().numpy().reshape(n, -1), np.empty((n, *known.taken), np.float32)
    fixed = known.signs, known.places, known.border, factors, known.alpha, known.bias, out
    share(compiled.convolve, (given, *fixed), known.parts, out.size * known.filter)
    return torch.from_numpy(out.reshape(n, *known.out))


def _added(layer: Any, x: Tensor) -> Tensor:
    """The sums of real inputs with the signs of one-bit weights, times α."""
    form = layer.form
    masks = layer.stored.numpy().view(np.uint16)
    groups = len(masks)
    if x.dim() == 4:
        window = layer.window
        (top, left), (bottom, right) = window.before, window.after
        around = functional.pad(x, (left, right, top, bottom)) if any(window.before + window.after) else x
        seen = functional.unfold(around, window.kernel, window.dilation, 0, window.stride)
        n, _, pixels = seen.shape
        seen = seen.reshape(n, groups, -1, pixels).permute(1, 0, 3, 2).reshape(groups, n * pixels, -1)
    else:
        seen = x[None]
    given = seen.contiguous().numpy()
    filters = len(layer.alpha) // groups
    sums = np.empty((groups, given.shape[1], masks.shape[1] * compiled.FLOATS), np.float32)
    for group in range(groups):
        work = 16 * given.shape[1] * form.weight.numel() // groups
        share(compiled.add_signed, (given[group], masks[group], sums[group]), masks.shape[1], work)
    y = torch.from_numpy(sums[:, :, :filters])
    if x.dim() == 4:
        y = y.reshape(groups, n, pixels, filters).permute(1, 0, 3, 2).reshape(n, -1, *layer.window.size(*x.shape[2:]))
    else:
        y = y[0]
    return scaled(layer, y, x)


def _blocks(rows: Array, lanes: int) -> Array:
    """Some rows side by side: … × rows × length to … × blocks × length × lanes, the last ones filled with 0."""
    *outer, count, length = rows.shape
    filled = np.zeros((*outer, -(-count // lanes) * lanes, length), rows.dtype)
    filled[..., :count, :] = rows
    return np.ascontiguousarray(filled.reshape(*outer, -1, lanes, length).swapaxes(-1, -2))


def _factors(layer: Any) -> tuple[Array, Array]:
    alpha = layer.alpha.contiguous().numpy()
    return alpha, np.full_like(alpha, NOTHING) if layer.bias is None else layer.bias.contiguous().numpy()


# ------------------------------------------------------------------ threads


def share(work: Callable[..., None], given: tuple[Any, ...], count: int, products: int) -> None:
    """Do a work of `count` parts in as many threads as torch uses, or in this one if it is small."""
    threads = 1 if products < WORTH_A_THREAD else min(torch.get_num_threads(), count, products // WORTH_A_THREAD)
    if threads == 1:
        work(*given, 0, count)
        return
    ends = [count * number // threads for number in range(threads + 1)]
    parts = [_pool(threads, os.getpid()).submit(work, *given, *part) for part in pairwise(ends)]
    for part in parts:
        part.result()


@cache
def _pool(threads: int, process: int) -> ThreadPoolExecutor:  # noqa: ARG001  # a fork has no threads of its parent's
    return ThreadPoolExecutor(threads, "archspec-kernels")
