"""The weights that a training begins with: those of a run, or of a file; a head of other classes begins fresh."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from archspec import runs
from archspec.errors import ArchspecError
from archspec.graph import Network
from archspec.graph.names import state_key
from archspec.train import checkpoint


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
    head = head_of(network)
    own, fresh = model.state_dict(), []
    for name, tensor in own.items():
        found = start.tensors.get(name)
        if found is not None and found.shape == tensor.shape:
            tensor.copy_(found)
        elif name.startswith(state_key(head, "")):
            fresh.append(f"{name} {tuple(tensor.shape)}" + ("" if found is None else f" for {tuple(found.shape)}"))
        elif found is None:
            raise ArchspecError(f"{start.file}: there is no weight {name}; archspec weights map brings names together")
        else:
            raise ArchspecError(
                f"{start.file}: {name} is {tuple(found.shape)}, the network's is {tuple(tensor.shape)}; "
                f"only the head, {head}, may be another"
            )
    if foreign := sorted(name for name in start.tensors if name not in own):
        raise ArchspecError(f"{start.file}: {foreign[0]} is not a weight of the network")
    return f"begun with {start.file}" + (f"; fresh: {', '.join(fresh)}" if fresh else "")


def head_of(network: Network) -> str:
    """The name of the last layer that has weights."""
    return next((node.name for node in reversed(network.nodes) if network.weights_of(node)), "")


def bias(network: Network) -> str:
    """The name of the head's bias, one number per class."""
    return state_key(head_of(network), "bias")
