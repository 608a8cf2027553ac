"""How large a compressed file is, term by term: expected from densities, or exact from counts of symbols."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from archspec.compress.codecs.base import added
from archspec.compress.coding import ArraySize, Symbols
from archspec.compress.container import CHECK, description, heading
from archspec.compress.layout import CodingChoice, FileLayout, layout
from archspec.compress.plan import Plan
from archspec.compress.progress import Progress, silent
from archspec.dims import Dim
from archspec.graph import Network
from archspec.language.origin import Origin

FLOATS = (16, 32)
"""The bits of numbers that a file holds."""

DIGEST = "0" * 64
"""What stands for the digest of a specification where only its length matters."""


@dataclass(frozen=True)
class FileSize:
    """The size of a compressed file.

    Attributes:
        blobs: Its arrays, blob by blob.
        header_bits: The bits of its header.
        exact: Whether weights were given; else it is what is expected of independent positions.
    """

    blobs: tuple[tuple[ArraySize, ...], ...]
    header_bits: int
    exact: bool

    @property
    def parts(self) -> Iterator[ArraySize]:
        """All arrays."""
        return (part for blob in self.blobs for part in blob)

    @cached_property
    def terms(self) -> Mapping[str, Dim]:
        """The bits of the file by what they are for."""
        framing = {"checksums": 8 * CHECK * len(self.blobs), "header": self.header_bits}
        return added(*(part.terms for part in self.parts), framing)

    @property
    def bytes(self) -> int:
        """The size of the file; where it is expected, rounded up."""
        return math.ceil(sum(self.terms.values()) / 8)

    @property
    def dense_bytes(self) -> int:
        """The bytes of its arrays in float32."""
        return 4 * sum(part.coding.elements for part in self.parts)


def file_size(origin: Origin, plan: Plan, blobs: Sequence[Sequence[ArraySize]], *, exact: bool) -> FileSize:
    """The size of a file of these arrays, header and all."""
    text = description(origin, plan, [[part.coding for part in blob] for blob in blobs])
    sizes = [CHECK + math.ceil(sum(part.bits for part in blob) / 8) for blob in blobs]
    return FileSize(tuple(map(tuple, blobs)), 8 * len(heading(text, sizes)), exact)


def expected_size(network: Network, plan: Plan) -> FileSize:
    """The size of a network's file under a plan, from its densities alone."""
    blobs = [[choice.expected() for choice in blob] for blob in layout(network, plan).blobs]
    return file_size(placeholder_origin(network), plan, blobs, exact=False)


def placeholder_origin(network: Network) -> Origin:
    """A stand-in for where a network comes from, as long as it."""
    return Origin(network.name, DIGEST, {name: str(value) for name, value in network.bindings.items()})


def quantised(
    arrays: FileLayout, source: Mapping[str, Any], progress: Progress = silent
) -> Iterator[Iterator[tuple[ArraySize, Symbols]]]:
    """Blob by blob each array with its size and its symbols, which are made when they are asked for."""
    total = sum(choice.candidates[0].elements for blob in arrays.blobs for choice in blob)
    done = 0

    def parts(blob: Sequence[CodingChoice]) -> Iterator[tuple[ArraySize, Symbols]]:
        nonlocal done
        for choice in blob:
            progress(choice.key, done, total)
            size, symbols = choice.of(arrays.read(source, choice.key))
            done += size.coding.elements
            yield size, symbols
            progress(choice.key, done, total)

    return (parts(blob) for blob in arrays.blobs)


def exact_size(network: Network, plan: Plan, source: Mapping[str, Any], progress: Progress = silent) -> FileSize:
    """The size of the file of given weights, to the byte; nothing is encoded."""
    blobs = [[part for part, _ in blob] for blob in quantised(layout(network, plan), source, progress)]
    return file_size(placeholder_origin(network), plan, blobs, exact=True)
