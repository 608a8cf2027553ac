"""How a network does on images that it has not learned from."""

import os
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from archspec.compress.container import is_compressed
from archspec.errors import ArchspecError
from archspec.language import Origin, origin
from archspec.runtime.refusal import refusals
from archspec.train import checkpoint, data, record
from archspec.train.batches import Inputs
from archspec.train.data import Split
from archspec.train.result import Score

if TYPE_CHECKING:
    from archspec.architecture import Architecture, Network

BATCH = 500


def evaluate(
    arch: "Architecture",
    weights: str | os.PathLike[str],
    source: str,
    *,
    bindings: Mapping[str, Any] | None = None,
    resize: bool = False,
) -> Score:
    """How a network with the weights of a file does on the test images of data.

    The images are scaled as they were when the weights were learned, if the file says how; else by the training images.

    Args:
        arch: The network.
        weights: A safetensors file with the names of `arch.to_torch().state_dict()`, or a compressed one.
        source: See `archspec.train.data.load`.
        bindings: Values for the network's symbols.
        resize: See `archspec.train.data.load`.

    Raises:
        ArchspecError: The weights are of another specification, or the data do not fit.
    """
    network = arch.expand(bindings)
    shape, classes = faces(network)
    note: Mapping[str, Any] = {}
    if is_compressed(weights):
        model = arch.to_torch(bindings, weights=weights)
    else:
        tensors, note = checkpoint.read_weights(Path(weights))
        if "spec" in note:
            refuse_note(note, origin(arch.document, network.bindings), str(weights))
        model = arch.to_torch(bindings)
        fill(model, tensors, str(weights))
    found = data.load(source, shape, classes, resize=resize)
    scaling = (
        (tuple(note["mean"]), tuple(note["deviation"])) if {"mean", "deviation"} <= set(note) else found.statistics
    )
    inputs = Inputs(scaling, torch.device("cpu"), False)
    return total(scores(model, likelihoods(network), found.test, inputs), len(found.test))


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
        raise ArchspecError(f"{file}: its note is none that archspec writes")
    record.refuse_another_spec(before, now, file)


def fill(model: nn.Module, tensors: Mapping[str, Tensor], file: str) -> None:
    """Give a model the weights of a file.

    Raises:
        ArchspecError: A weight is missing, is of another shape, or is not the model's; names the first.
    """
    own = model.state_dict()
    for name, tensor in own.items():
        if name not in tensors:
            raise ArchspecError(f"{file}: there is no weight {name}")
        if tensors[name].shape != tensor.shape:
            raise ArchspecError(
                f"{file}: {name} is {tuple(tensors[name].shape)}, the network's is {tuple(tensor.shape)}"
            )
    if foreign := sorted(set(tensors) - set(own)):
        raise ArchspecError(f"{file}: {foreign[0]} is no weight of the network")
    model.load_state_dict(dict(tensors))


def faces(network: "Network") -> tuple[tuple[int, ...], int]:
    """What a network takes, without the batch, and how many classes it tells apart.

    Raises:
        ArchspecError: It does not take images, or gives something else than a row of numbers each.
    """
    shape, result = network.input.shape, network.tensor(network.output).shape
    if len(shape) != 4:
        raise ArchspecError(f"{network.name} takes {network.input}; images are channels × height × width")
    if len(result) != 2:
        raise ArchspecError(f"{network.name} gives {network.tensor(network.output)}; wanted is one number a class")
    return tuple(shape[1:]), int(result[1])


def likelihoods(network: "Network") -> Callable[[Tensor], Tensor]:
    """What makes logits of what a network gives: the logarithm, where it ends with a softmax."""
    if network.node(network.output).operator.name != "softmax":
        return lambda given: given
    return lambda given: given.float().clamp_min(torch.finfo(torch.float32).tiny).log()


@torch.no_grad()
def scores(
    model: nn.Module,
    logits: Callable[[Tensor], Tensor],
    split: Split,
    inputs: Inputs,
    share: tuple[int, int] = (0, 1),
    precision: Callable[[], AbstractContextManager[Any]] = nullcontext,
) -> Tensor:
    """The summed loss and the numbers of right guesses and of right ones among five, of a process's share of images."""
    rank, processes = share
    learning = model.training
    model.eval()
    found = torch.zeros(3, dtype=torch.float64)
    for begin in range(rank * BATCH, len(split), processes * BATCH):
        images = inputs(split.images[begin : begin + BATCH])
        labels = split.labels[begin : begin + BATCH].to(inputs.device)
        with precision(), refusals(model):
            guesses = logits(model(images)).float()
        five = guesses.topk(min(5, guesses.shape[1]), 1).indices == labels[:, None]
        found[0] += functional.cross_entropy(guesses, labels, reduction="sum").double().cpu()
        found[1] += five[:, 0].sum().cpu()
        found[2] += five.sum().cpu()
    model.train(learning)
    return found


def total(sums: Tensor, images: int) -> Score:
    """The score that the sums over all images come to."""
    loss, right, five = sums.tolist()
    return Score(images, loss / images, int(right), int(five))
