"""Weights that were learned before: a training begins with them, or a trained network is used beside another one."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from archspec import runs
from archspec.errors import ArchspecError
from archspec.graph import Network
from archspec.graph.names import state_key
from archspec.train import checkpoint
from archspec.train.batches import Standardisation
from archspec.train.data import DataSplit
from archspec.train.score import batch_for, fill, guesses, input_and_classes

Scaling = tuple[tuple[float, ...], tuple[float, ...]]
"""The mean and the deviation of each channel; black is 0, white 1."""


@dataclass(frozen=True, slots=True)
class Start:
    """Weights to begin with.

    Attributes:
        file: Where they were read.
        digest: The SHA-256 of the file.
        tensors: The weights by name.
        note: What the file says of itself.
    """

    file: Path
    digest: str
    tensors: dict[str, Tensor]
    note: dict[str, Any]


def read(place: str | os.PathLike[str]) -> Start:
    """The weights of a run's folder, or of a file.

    Raises:
        ArchspecError: There are none, or they cannot be read.
    """
    run = runs.find(place)
    file = Path(place) if run is None else run.weights
    tensors, note = checkpoint.read_weights(file)
    return Start(file, checkpoint.digest(file), tensors, note)


def into(model: nn.Module, network: Network, start: Start) -> str:
    """Give a model the weights to begin with; says which arrays of its head stay fresh, since they are of other shapes.

    Raises:
        ArchspecError: An array below the head is missing or of another shape, or the weights are of another network.
    """
    fresh = fill(model, start.tensors, str(start.file), head_of(network))
    return f"begun with {start.file}" + (f"; fresh: {', '.join(fresh)}" if fresh else "")


def head_of(network: Network) -> str:
    """The name of the last layer that has weights."""
    return next((node.name for node in reversed(network.nodes) if network.weights_of(node)), "")


def bias(network: Network) -> str:
    """The name of the head's bias, one number per class."""
    return state_key(head_of(network), "bias")


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
    network: Network
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

    def guesses(self, split: DataSplit) -> Tensor:
        """What it gives for each image of a split, n × classes, on the processor."""
        inputs = Standardisation(self.scaling, next(self.model.parameters()).device, False)
        return guesses(self.model, split, inputs, batch_for(self.network))


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
