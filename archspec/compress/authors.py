"""The files that the authors of Deep Compression published: their layout, its size term by term, and a reader.

Little-endian, without magic number, checksum or Huffman codes (github.com/songhan/SqueezeNet-Deep-Compression): how
many weights each layer stores, in 32 bits; then layer by layer a codebook of 256 numbers, all biases, codes of a byte,
and gaps of 4 bits, the lower half of a byte first. Code 0 is 0.0 and fills gaps above 15: so 255 numbers are shared. In
their AlexNet (songhan/Deep-Compression-AlexNet) linear layers have codes of 4 bits too, and codebooks of 16 numbers.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from archspec.compress.codecs.base import Array, ByteReader
from archspec.compress.layers import planned
from archspec.compress.plan import Plan
from archspec.dims import ceil_div
from archspec.errors import ArchspecError
from archspec.graph import Network
from archspec.graph.names import state_key

GAP_BITS = 4
CODE_BITS = 8


@dataclass(frozen=True)
class AuthorsLayer:
    """A layer as it stands in the file: its keys, the shape of its weights, its biases, and the bits of a code."""

    weight: str
    bias: str | None
    shape: tuple[int, ...]
    biases: int
    bits: int


def layers(network: Network, *, linear_bits: int = CODE_BITS) -> tuple[AuthorsLayer, ...]:
    """A network's layers with weights, in order; codes have 8 bits, or 4 of linear layers as in their AlexNet."""
    found = []
    for node, weight in planned(network, Plan(name="all")).items():
        arrays = network.weights_of(node)
        biases = [array for array in arrays if array.role == "bias"]
        found.append(
            AuthorsLayer(
                state_key(node.name, weight.name),
                state_key(node.name, "bias") if biases else None,
                weight.shape,
                sum(array.elements for array in biases),
                linear_bits if node.operator.name == "linear" else CODE_BITS,
            )
        )
    return tuple(found)


def size(found: Sequence[AuthorsLayer], entries: Sequence[int]) -> Mapping[str, int]:
    """The bytes of a file by what they are for, given how many weights each layer stores, fillers among them.

    >>> size([AuthorsLayer("w", None, (10, 10), 0, 8)], [13])
    {'counts': 4, 'codebooks': 1024, 'biases': 0, 'codes': 13, 'gaps': 7}
    """
    return {
        "counts": 4 * len(found),
        "codebooks": sum(4 * 2**layer.bits for layer in found),
        "biases": sum(4 * layer.biases for layer in found),
        "codes": sum(ceil_div(count * layer.bits, 8) for layer, count in zip(found, entries, strict=True)),
        "gaps": sum(ceil_div(count * GAP_BITS, 8) for count in entries),
    }


def read(path: str | os.PathLike[str], network: Network, *, linear_bits: int = CODE_BITS) -> dict[str, Array]:
    """The weights and biases of such a file, by the names of the network's state dict.

    Args:
        path: The file.
        network: What it holds the weights of; the file does not say.
        linear_bits: See `layers`.

    Raises:
        DamagedError: The file is not as long as its counts say, or a weight lies outside of its layer.
        ArchspecError: It cannot be opened, or is longer than the network's weights can be.
    """
    found = layers(network, linear_bits=linear_bits)
    most = sum(size(found, [int(np.prod(layer.shape, dtype=object)) for layer in found]).values())
    try:
        with Path(path).open("rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        raise ArchspecError(f"{path}: cannot be read: {error.strerror}") from None
    reader = ByteReader(data, str(path))
    counts = reader.numbers("<u4", len(found), "how many weights each layer stores")
    arrays: dict[str, Array] = {}
    for layer, count in zip(found, counts.tolist(), strict=True):
        arrays |= _layer(reader, layer, count)
    if reader.at != len(data):
        raise reader.damaged(f"{len(data) - reader.at} bytes or more are left over")
    return arrays


def _layer(reader: ByteReader, layer: AuthorsLayer, count: int) -> dict[str, Array]:
    elements = int(np.prod(layer.shape, dtype=object))
    if count > elements:
        raise reader.damaged(f"{layer.weight}: {count} weights are stored of {elements}")
    codebook = reader.numbers("<f4", 2**layer.bits, "a codebook")
    biases = reader.numbers("<f4", layer.biases, "biases")
    if not (np.isfinite(codebook).all() and np.isfinite(biases).all()):
        raise reader.damaged(f"{layer.weight}: a number is not finite")
    codes = _halves(reader, count) if layer.bits == GAP_BITS else reader.numbers("u1", count, "codes")
    positions = np.cumsum(_halves(reader, count).astype(np.int64) + 1) - 1
    if count and positions[-1] >= elements:
        raise reader.damaged(f"{layer.weight}: a weight at {positions[-1]} of {elements}")
    weights = np.zeros(elements, np.float32)
    weights[positions] = codebook[codes]
    own = {layer.weight: weights.reshape(layer.shape)}
    return {**own, layer.bias: biases} if layer.bias else own


def _halves(reader: ByteReader, count: int) -> Array:
    """Numbers of 4 bits, the lower half of a byte first."""
    data = reader.numbers("u1", ceil_div(count, 2), "numbers of 4 bits")
    return np.stack((data & 15, data >> 4), axis=1).ravel()[:count]
