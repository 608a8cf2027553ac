"""A network that was trained, for use beside another one: its weights, and how its images were scaled."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from archspec import runs
from archspec.architecture import Network
from archspec.errors import ArchspecError
from archspec.train import checkpoint
from archspec.train.batches import Standardisation
from archspec.train.data import DataSplit
from archspec.train.score import batch_for, fill, guesses, input_and_classes

Scaling = tuple[tuple[float, ...], tuple[float, ...]]
"""The mean and the deviation of each channel; black is 0, white 1."""


@dataclass(frozen=True, slots=True)
class Trained:
    """A network with the weights that its run has chosen.

    Attributes:
        name: The folder of the run.
        network: What it was built from.
        model: Gives logits; nothing in it learns.
        scaling: How the images were scaled that it learned from.
        digest: The SHA-256 of its weights.
        names: What its classes are called; empty if nobody said.
    """

    name: str
    network: "Network"
    model: nn.Module
    scaling: Scaling
    digest: str
    names: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, ...]:
        """Channels, height and width that it takes."""
        return input_and_classes(self.network)[0]

    @property
    def classes(self) -> int:
        """How many classes it tells apart."""
        return input_and_classes(self.network)[1]

    def logits(self, images: Tensor, scaling: Scaling) -> Tensor:
        """What it gives for images that are scaled so."""
        if self.scaling != scaling:
            (mean, deviation), (own_mean, own_deviation) = (
                (torch.tensor(values, device=images.device).view(-1, 1, 1) for values in each)
                for each in (scaling, self.scaling)
            )
            images = (images * deviation + (mean - own_mean)) / own_deviation
        return self.model(images).float()  # type: ignore[no-any-return]

    def guesses(self, split: DataSplit, precision: Callable[[], AbstractContextManager[Any]] = nullcontext) -> Tensor:
        """What it gives for each image of a split, n × classes, on the processor."""
        device = next(self.model.parameters()).device
        return guesses(
            self.model, split, Standardisation(self.scaling, device, False), batch_for(self.network), precision
        )


def trained(place: str, device: torch.device) -> Trained:
    """The network of a run's folder.

    Raises:
        ArchspecError: There is no run, it has saved no weights, or one of them is not a number.
    """
    run = runs.load(place)
    arch = run.architecture()
    weights, note = checkpoint.read_weights(run.weights)
    if not all(bool(tensor.isfinite().all()) for tensor in weights.values()):
        raise ArchspecError(f"a weight of {run.weights} is not a number")
    model = arch.to_torch(run.bindings, logits=True)
    fill(model, weights, str(run.weights))
    try:
        scaling = (tuple(map(float, note["mean"])), tuple(map(float, note["deviation"])))
    except (KeyError, TypeError, ValueError):
        raise ArchspecError(f"{run.weights}: its note is none that archspec writes") from None
    network = arch.expand(run.bindings)
    names = tuple(map(str, note.get("names", ())))
    model = model.to(device).eval().requires_grad_(False)
    return Trained(place, network, model, scaling, checkpoint.digest(run.weights), names)
