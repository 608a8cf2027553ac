"""Batch normalisations folded into the layers before them: one scale and one shift per channel.

What is left is y = w′x + shift with w′ = w·s, s = γ/√(σ² + ε), shift = β + (b − μ)·s. The network keeps its nodes: the
layer has no bias then, and the normalisation has γ = 1, μ = 0, σ² = 1 − ε, and β = shift.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from archspec.compress.blobs import as_array
from archspec.compress.codecs.base import Array
from archspec.graph import Network
from archspec.graph.names import state_key

INTO = ("conv2d", "linear")
"""The layers whose rows are output channels."""


@dataclass(frozen=True)
class Fold:
    """A normalisation that goes into a layer.

    Attributes:
        layer: The prefix of the layer's arrays.
        norm: That of the normalisation's.
        eps: Its ε.
        bias: Whether the layer has a bias.
    """

    layer: str
    norm: str
    eps: float
    bias: bool

    @property
    def constants(self) -> Mapping[str, float]:
        """The arrays that are one number afterwards, by key."""
        own = {f"{self.norm}weight": 1.0, f"{self.norm}running_mean": 0.0, f"{self.norm}running_var": 1 - self.eps}
        return {**own, f"{self.layer}bias": 0.0} if self.bias else own

    def applied(self, source: Mapping[str, Any]) -> dict[str, Array]:
        """The two arrays that are left, given all of them, or tensors."""
        gamma, beta, mean, variance = (
            as_array(source[self.norm + name]).astype(np.float64)
            for name in ("weight", "bias", "running_mean", "running_var")
        )
        scale = gamma / np.sqrt(variance + self.eps)
        weight = as_array(source[f"{self.layer}weight"])
        bias = as_array(source[f"{self.layer}bias"]).astype(np.float64) if self.bias else 0.0
        rows = scale.reshape(-1, *[1] * (weight.ndim - 1))
        return {
            f"{self.layer}weight": (weight * rows).astype(np.float32),
            f"{self.norm}bias": (beta + (bias - mean) * scale).astype(np.float32),
        }


def folds(network: Network) -> tuple[Fold, ...]:
    """The normalisations that can be folded: learned, with statistics, alone behind a convolution or linear layer."""
    readers = Counter(name for node in network.nodes for name in set(node.inputs))
    readers.update(network.outputs.values())
    nodes = {node.name: node for node in network.nodes}
    found = []
    for node in network.nodes:
        before = nodes.get(node.inputs[0]) if node.operator.name == "batch_norm" else None
        if before is None or before.operator.name not in INTO or readers[before.name] != 1:
            continue
        if not network.sharing.isdisjoint((node.name, before.name)):
            continue
        settings = node.operator.settings()
        if settings["affine"] and settings["track_running_stats"]:
            bias = bool(before.operator.settings()["bias"])
            found.append(Fold(state_key(before.name, ""), state_key(node.name, ""), float(settings["eps"]), bias))
    return tuple(found)
