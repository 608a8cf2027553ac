"""A model with weights from elsewhere."""

from collections.abc import Mapping
from os import PathLike

import torch
from torch import Tensor, nn

from archspec import kernels
from archspec.graph import Network
from archspec.language import Document
from archspec.language.origin import origin
from archspec.runtime.build import build
from archspec.weights.file import WeightFile
from archspec.weights.match import match


def filled(
    network: Network,
    document: Document,
    source: Mapping[str, Tensor] | str | PathLike[str],
    *,
    device: torch.device | str | None = None,
    dtype: torch.dtype | None = None,
    inplace: bool = True,
    assume: bool = False,
) -> nn.Module:
    """The module that computes a network, with a source's weights; see `build` and `match`.

    One-bit layers of a compressed file compute with bits when they are evaluated, where numba is installed.

    Raises:
        ArchspecError: The source cannot be read, not every array is filled, or one of the source is left over.
    """
    matching = match(network, source, assume=assume)
    file = matching.source.compressed if isinstance(matching.source, WeightFile) else None
    if file is not None:
        file.refuse_another(origin(document, network.bindings))
    empty = build(network, document, device="meta", dtype=dtype, inplace=inplace)  # no memory for weights twice
    model = matching.apply(empty).to(device=torch.get_default_device() if device is None else device)
    if file is not None and kernels.best() == "numba":  # the others need not be quicker than real numbers
        kernels.evaluate_with_bits(model)
    return model
