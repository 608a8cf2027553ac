"""How much of a trained network is zero: its weights, and what flows between its layers (Han et al. 2015, Table 3)."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import torch
from torch import Tensor, nn

from archspec.compress.rules import pruned_flops
from archspec.graph import Network
from archspec.graph.names import place_of
from archspec.train.score import Prepared, batch_for

IMAGES = 10_000
"""So many training images are looked at."""


@dataclass(frozen=True, slots=True)
class LayerZeros:
    """A layer with weights.

    Attributes:
        name: Its name.
        weights: How many weights it has, biases apart.
        kept: How many are not zero.
        macs: Its multiply-accumulates for an image.
        activations: The share of what the next layers take of it that is not zero; 1 for the last.
        outputs: How many numbers the next layers take of it for an image.
        inputs: The share of what it takes that is not zero, as the paper counts: 1 where it takes the image.
    """

    name: str
    weights: int
    kept: int
    macs: int
    activations: Fraction
    outputs: int
    inputs: Fraction

    @property
    def weights_share(self) -> Fraction:
        """Weights%."""
        return Fraction(self.kept, self.weights)

    @property
    def flops_share(self) -> Fraction:
        """FLOP%: Weights% times the Act% of the layers before."""
        return Fraction(pruned_flops(self.weights_share, self.inputs))


@dataclass(frozen=True, slots=True)
class Zeros:
    """The layers of a network, in order.

    Attributes:
        rows: The layers.
        images: On how many training images activations were measured.
    """

    rows: tuple[LayerZeros, ...]
    images: int

    @property
    def weights_share(self) -> Fraction:
        """Weights% of all."""
        return Fraction(sum(row.kept for row in self.rows), sum(row.weights for row in self.rows))

    @property
    def activations_share(self) -> Fraction:
        """Act% of all."""
        return sum(row.activations * row.outputs for row in self.rows) / Fraction(sum(row.outputs for row in self.rows))

    @property
    def flops_share(self) -> Fraction:
        """FLOP% of all: what is left of the multiply-accumulates."""
        return sum(row.flops_share * row.macs for row in self.rows) / Fraction(sum(row.macs for row in self.rows))


@torch.no_grad()
def zeros(ready: Prepared, batch: int | None = None) -> Zeros:
    """What of a network's weights is not zero, and what of its activations on training images; no test image is seen.

    Args:
        ready: The network with its weights, and the data.
        batch: Images at once, as of `archspec.train.evaluate`.
    """
    network, model = ready.network, ready.model.eval()
    layers = {node.name: array for node in network.nodes if (array := _weights(model, node.name)) is not None}
    before = _sources(network, layers)
    counts = {name: [0, 0] for name in layers}
    for name in layers:
        model.get_submodule(place_of(name)).register_forward_pre_hook(_counting(counts[name]))
    images = ready.data.train.images[:IMAGES]
    step = batch or batch_for(network)
    for first in range(0, len(images), step):
        model(ready.inputs(images[first : first + step]))
    taken = {name: Fraction(*counts[name]) for name in layers}
    given = {source: name for name in reversed(layers) for source in before[name]}
    rows = tuple(
        LayerZeros(
            name,
            array.numel(),
            int(array.count_nonzero()),
            int(network.node(name).operator.operations(*network.inputs_of(network.node(name))).macs),
            taken[given[name]] if name in given else Fraction(1),
            counts[given[name]][1] // len(images) if name in given else network.node(name).output.elements,
            taken[name] if before[name] else Fraction(1),
        )
        for name, array in layers.items()
    )
    return Zeros(rows, len(images))


def _weights(model: nn.Module, node: str) -> Tensor | None:
    """The kernel or matrix of a node; None if it has none."""
    found = getattr(model.get_submodule(place_of(node)), "weight", None)
    return found.detach() if isinstance(found, Tensor) and found.ndim > 1 else None


def _sources(network: Network, layers: Mapping[str, Tensor]) -> dict[str, set[str]]:
    """Of each layer those whose results come to it, with nothing between them that has a kernel or matrix."""
    from_: dict[str, set[str]] = {}
    for node in network.nodes:
        from_[node.name] = set()
        for name in node.inputs:
            from_[node.name] |= {name} if name in layers else from_.get(name, set())
    return {name: from_[name] for name in layers}


def _counting(count: list[int]) -> Any:
    def hook(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        count[0] += int(inputs[0].count_nonzero())
        count[1] += inputs[0].numel()

    return hook
