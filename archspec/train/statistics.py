"""Batch statistics of averaged weights: those of the weights that learn are of another network, and wrong for them."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from archspec.train.batches import Standardisation, generator
from archspec.train.data import DataSplit

IMAGES = 10_000
"""So many training images are looked at, or all, if there are fewer."""


@torch.no_grad()
def recompute(
    model: nn.Module,
    split: DataSplit,
    inputs: Standardisation,
    batch: int,
    precision: Callable[[], AbstractContextManager[Any]],
) -> None:
    """Give each batch norm of a model the mean statistics over batches of training images, unchanged ones.

    Which images they are follows from their number alone: every process, and every resumed training, takes the same.
    """
    norms = [module for module in model.modules() if isinstance(module, _BatchNorm) and module.track_running_stats]
    norms = [norm for norm in norms if norm.train().training]  # a frozen one stays as it is
    if not norms:
        return
    momenta = [norm.momentum for norm in norms]
    model.eval()
    for norm in norms:
        norm.train()
        norm.reset_running_stats()
        norm.momentum = None  # the mean over all batches
    order = torch.randperm(len(split), generator=generator("statistics", len(split)))[:IMAGES].to(split.images.device)
    for which in torch.split(order, min(batch, len(split))):
        if len(which) == min(batch, len(split)):
            with precision():
                model(inputs(split.images[which]))
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    model.eval()
