"""The layers of a network that a plan speaks of, and what in a plan does not fit them; one-bit forms, and folding.

A batch normalisation is folded into the layer before it as one scale and one shift per channel: what is left is
y = w′x + shift with w′ = w·s, s = γ/√(σ² + ε), shift = β + (b − μ)·s. The network keeps its nodes: the layer has no
bias then, and the normalisation has γ = 1, μ = 0, σ² = 1 − ε, and β = shift.
"""

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from archspec.compress.blobs import as_array
from archspec.compress.codecs.base import Array
from archspec.compress.plan import Plan
from archspec.dims import Dim, known_less, product
from archspec.errors import SpecError, SpecErrors
from archspec.graph import Network, Node
from archspec.graph.names import state_key
from archspec.ops import Weight, registered
from archspec.writing import sizes

BINARY = {cls.one_bit: name for name, cls in registered().items() if cls.one_bit}
"""The one-bit form of an operator."""

INTO = ("conv2d", "linear")
"""The layers whose rows are output channels."""


def planned(network: Network, plan: Plan) -> dict[Node, Weight]:
    """The layers with weights that a plan can speak of, in order, each with its kernel or first matrix.

    Raises:
        SpecErrors: The plan names layers that the network does not have, or does to one what cannot be done; all are
            named.
    """
    arrays = {node: network.weights_of(node) for node in network.nodes}
    layers = {node: own[0] for node, all_ in arrays.items() if (own := matrices(all_))}
    faults = [*_strays(plan, layers, network), *_misfits(plan, layers)]
    if faults:
        raise SpecErrors(faults)
    return layers


def matrices(arrays: Iterable[Weight]) -> tuple[Weight, ...]:
    """The kernel or matrix of a layer, stored in numbers of full precision; of a recurrent layer all that it has."""
    return tuple(w for w in arrays if w.role == "weight" and len(w.shape) > 1 and w.bits is None)


def matrix(weight: Weight) -> tuple[Dim, Dim]:
    """A kernel as a matrix: one row per filter."""
    return weight.shape[0], product(weight.shape[1:])


def _strays(plan: Plan, layers: Iterable[Node], network: Network) -> list[SpecError]:
    """Entries that name no layer with weights."""
    return [
        SpecError(f"'{network.name}' has no layer with weights called '{entry.layer}'", entry.value_at("layer"))
        for entry in plan.layers
        if not any(entry.names(node.name) for node in layers)
    ]


def _misfits(plan: Plan, layers: Mapping[Node, Weight]) -> Iterator[SpecError]:
    """Layers that cannot have what is planned for them."""
    for node, weight in layers.items():
        entry = plan.entry(node.name)
        if entry.binary and node.operator.name not in BINARY:
            message = f"'{node.name}' is a {node.operator.name}, which has no one-bit form"
            yield SpecError(message, entry.key_at("binary"))
        elif entry.rank and any(known_less(side, entry.rank) for side in matrix(weight)):
            sides = sizes(matrix(weight))
            yield SpecError(
                f"'{node.name}' is a matrix of {sides}, of no higher rank than either", entry.key_at("rank")
            )


# ------------------------------------------------------------------ one bit


def binarised(
    network: Network, names: Container[str], *, binary_input: bool = True, input_scale: bool = True
) -> Network:
    """The network with the one-bit form of the convolutions and linear layers of these names."""
    nodes = tuple(_one_bit(node, binary_input, input_scale) if node.name in names else node for node in network.nodes)
    return replace(network, nodes=nodes)


def _one_bit(node: Node, binary_input: bool, input_scale: bool) -> Node:
    make: Any = registered()[BINARY[node.operator.name]]
    settings = {key: value for key, value in node.operator.settings().items() if key in make.model_fields}
    return replace(node, operator=make(**settings, binary_input=binary_input, input_scale=input_scale))


# ------------------------------------------------------------------ folding


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
