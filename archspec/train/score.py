"""A network with weights that were learned: how it does on images that it has not seen, and what it tells others."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from archspec import runs
from archspec.architecture import Architecture
from archspec.compress.container import is_compressed
from archspec.errors import ArchspecError
from archspec.graph import Network
from archspec.graph.names import state_key
from archspec.language import Origin, origin
from archspec.memory.peak import memory
from archspec.runtime.calls import refusals
from archspec.train import checkpoint, data, record
from archspec.train.batches import Standardisation, device_of
from archspec.train.data import Data, DataSplit
from archspec.train.recipe import Recipe
from archspec.train.result import Score

BATCH = 500
"""The most images that are tested at once."""
BUDGET = 2**30
"""The bytes that the input and the output of a layer may take then."""

Scaling = tuple[tuple[float, ...], tuple[float, ...]]
"""The mean and the deviation of each channel; black is 0, white 1."""


def evaluate(
    arch: Architecture,
    weights: str | os.PathLike[str],
    source: str,
    *,
    bindings: Mapping[str, Any] | None = None,
    resize: bool = False,
    batch: int | None = None,
    device: str = "auto",
    recipe: Recipe | None = None,
) -> Score:
    """How a network with the weights of a file does on the test images of data.

    The images are scaled as they were when the weights were learned, if the file says how; else by the training images.

    Args:
        arch: The network.
        weights: A safetensors file with the names of `arch.to_torch().state_dict()`, or a compressed one.
        source: See `archspec.train.data.load`.
        bindings: Values for the network's symbols.
        resize: See `archspec.train.data.load`.
        batch: Images at once; as many as fit into a gigabyte, if it is not given, and 500 at most.
        device: See `archspec.train.Options`.
        recipe: That of the training, whose methods may have changed what is learned: a specialist has other classes.

    Raises:
        ArchspecError: The weights are of another specification, or the data do not fit.
    """
    ready = prepared(arch, weights, source, bindings=bindings, resize=resize, device=device, recipe=recipe)
    return score_of(ready, batch)


def score_of(ready: "Prepared", batch: int | None = None) -> Score:
    """The same of what was made ready."""
    images, classes = ready.data.test, input_and_classes(ready.network)[1]
    sums = scores(ready.model, images, ready.inputs, classes, batch or batch_for(ready.network))
    return total(sums, len(images), confusion=True)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A network with weights, and data whose images are scaled as they were when the weights were learned."""

    network: Network
    model: nn.Module
    data: Data
    inputs: Standardisation


def prepared(
    arch: Architecture,
    weights: str | os.PathLike[str],
    source: str,
    *,
    bindings: Mapping[str, Any] | None = None,
    resize: bool = False,
    device: str = "auto",
    recipe: Recipe | None = None,
) -> Prepared:
    """A network and data that are held against each other; see `evaluate`.

    Raises:
        ArchspecError: The weights are of another specification, or the data do not fit.
    """
    network = arch.expand(bindings)
    shape, classes = input_and_classes(network)
    note: Mapping[str, Any] = {}
    if is_compressed(weights):
        model = arch.to_torch(bindings, weights=weights, logits=True)
    else:
        tensors, note = checkpoint.read_weights(Path(weights))
        if "spec" in note:
            refuse_note(note, origin(arch.document, network.bindings), str(weights))
        model = arch.to_torch(bindings, logits=True)
        fill(model, tensors, str(weights))
    place = device_of(device)
    model.to(place)
    found = data.load(source, shape, None, resize=resize)
    for method in recipe.methods if recipe else ():
        found = method.data(found)
    data.agreeing(found, classes)
    data.refuse_other_classes(note.get("names", ()), found.names, str(weights))
    scaling = (
        (tuple(note["mean"]), tuple(note["deviation"])) if {"mean", "deviation"} <= set(note) else found.statistics
    )
    return Prepared(network, model, found, Standardisation(scaling, place, False))


def refuse_note(note: Mapping[str, Any], now: Origin, file: str) -> None:
    """Nothing, if the note of a weights' file names this specification.

    Raises:
        ArchspecError: It names another one, or nothing that can be read.
    """
    try:
        before = Origin(**note["spec"])
        mean, deviation = note["mean"], note["deviation"]
        known = all(isinstance(number, float) for number in (*mean, *deviation))
    except (TypeError, KeyError):
        known = False
    if not known:
        raise ArchspecError(f"{file}: its note is not one that archspec writes")
    record.refuse_another_spec(before, now, file)


def fill(model: nn.Module, tensors: Mapping[str, Tensor], file: str, head: str | None = None) -> list[str]:
    """Give a model the weights of a file; says which of its own stay, with their shapes.

    Args:
        model: The model.
        tensors: The weights by name.
        file: What they are called.
        head: The layer whose arrays may be missing, or of other shapes, and then stay; None for none.

    Raises:
        ArchspecError: A weight is missing, is of another shape, or is not the model's; names the first.
    """
    own, fresh = model.state_dict(), []
    for name, tensor in own.items():
        found = tensors.get(name)
        if found is not None and found.shape == tensor.shape:
            tensor.copy_(found)
        elif head is not None and name.startswith(state_key(head, "")):
            fresh.append(f"{name} {tuple(tensor.shape)}" + ("" if found is None else f" for {tuple(found.shape)}"))
        elif found is None:
            hint = "" if head is None else "; archspec weights map brings names together"
            raise ArchspecError(f"{file}: there is no weight {name}{hint}")
        else:
            hint = "" if head is None else f"; only the head, {head}, may be another"
            raise ArchspecError(f"{file}: {name} is {tuple(found.shape)}, the network's is {tuple(tensor.shape)}{hint}")
    if foreign := sorted(set(tensors) - set(own)):
        raise ArchspecError(f"{file}: {foreign[0]} is not a weight of the network")
    return fresh


def input_and_classes(network: Network) -> tuple[tuple[int, ...], int]:
    """What a network takes, without the batch, and how many classes it tells apart.

    Raises:
        ArchspecError: It does not take images, or gives something else than a row of numbers each.
    """
    if not network.one_to_one:
        found = f"inputs {', '.join(network.inputs)} and outputs {', '.join(network.outputs)}"
        raise ArchspecError(f"{network.name} has {found}; training takes one of images and one of classes")
    shape, result = network.input.shape, network.tensor(network.output).shape
    if len(shape) != 4:
        raise ArchspecError(f"{network.name} takes {network.input}; images are channels × height × width")
    if len(result) != 2:
        raise ArchspecError(f"{network.name} gives {network.tensor(network.output)}; expected one number per class")
    return tuple(shape[1:]), int(result[1])


def batch_for(network: Network) -> int:
    """How many images are tested at once: as many as fit into `BUDGET` bytes, by the network's largest layer."""
    largest = memory(network, "layerwise", "float32").peak // network.input.shape[0]
    return int(min(BATCH, max(1, BUDGET // largest)))


@torch.no_grad()
def scores(
    model: nn.Module,
    split: DataSplit,
    inputs: Standardisation,
    classes: int,
    batch: int = BATCH,
    share: tuple[int, int] = (0, 1),
    precision: Callable[[], AbstractContextManager[Any]] = nullcontext,
) -> Tensor:
    """How often each class (row) is taken for each (column), the summed loss, and the right ones among five.

    Args:
        model: Gives logits.
        split: The images.
        inputs: What makes floats of them.
        classes: How many classes there are.
        batch: Images at once.
        share: The number of this process, and of all; each takes every so-manieth batch.
        precision: In what it computes.
    """
    sums = torch.zeros(classes**2 + 2, dtype=torch.float64)
    for begin, logits in _guessed(model, split, inputs, batch, share, precision):
        sums += tally(logits, split.labels[begin : begin + batch].to(inputs.device))
    return sums


def tally(logits: Tensor, labels: Tensor) -> Tensor:
    """The sums of `scores` for some images; logarithms of probabilities are logits, too."""
    classes = logits.shape[1]
    best = logits.topk(min(5, classes), 1).indices
    loss = functional.cross_entropy(logits, labels, reduction="sum").cpu()
    five = (best == labels[:, None]).sum().cpu()
    counts = torch.bincount((labels * classes + best[:, 0]).cpu(), minlength=classes**2)
    return torch.cat([counts.double(), torch.stack([loss.double(), five.double()])])


@torch.no_grad()
def guesses(
    model: nn.Module,
    split: DataSplit,
    inputs: Standardisation,
    batch: int = BATCH,
    precision: Callable[[], AbstractContextManager[Any]] = nullcontext,
) -> Tensor:
    """What a model gives for each image, n × classes, on the processor; the arguments are those of `scores`."""
    return torch.cat([logits.cpu() for _, logits in _guessed(model, split, inputs, batch, (0, 1), precision)])


def _guessed(
    model: nn.Module,
    split: DataSplit,
    inputs: Standardisation,
    batch: int,
    share: tuple[int, int],
    precision: Callable[[], AbstractContextManager[Any]],
) -> Iterator[tuple[int, Tensor]]:
    """The number of each batch's first image, and the logits of the batch."""
    rank, processes = share
    learning = model.training
    model.eval()
    for begin in range(rank * batch, len(split), processes * batch):
        images = inputs(split.images[begin : begin + batch])
        with precision(), refusals(model):
            yield begin, model(images).float()
    model.train(learning)


def total(sums: Tensor, images: int, *, confusion: bool = False) -> Score:
    """The score that the sums over all images come to, with the table of confusions, if it is asked for."""
    loss, five = sums[-2:].tolist()
    classes = round(len(sums[:-2]) ** 0.5)
    counts = sums[:-2].long().view(classes, classes)
    table = tuple(tuple(row) for row in counts.tolist()) if confusion else ()
    return Score(images, loss / images, int(counts.diagonal().sum()), int(five), table)


# ------------------------------------------------------------------ for use beside another network


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


def head_of(network: Network) -> str:
    """The name of the last layer that has weights."""
    return next((node.name for node in reversed(network.nodes) if network.weights_of(node)), "")


def bias_of(network: Network) -> str:
    """The name of the head's bias, one number per class."""
    return state_key(head_of(network), "bias")
