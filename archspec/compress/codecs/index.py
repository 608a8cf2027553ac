"""What every form of index has: where kept weights stand.

Positions count from 0 in the order of the scan, along rows of so many columns.
"""

from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np

from archspec.compress.codecs.base import Array, ByteReader, Counts, Stats, Terms
from archspec.dims import Dim


class Index(Protocol):
    """A form of index."""

    name: ClassVar[str]

    def described(self) -> dict[str, Any]:
        """What the file says of it."""

    def stats(self, positions: Array) -> tuple[int, Counts | None]:
        """The fillers of a pattern, and the counts of its gaps."""

    def expected(self, density: Dim, kept: Dim) -> tuple[Dim, Counts | None]:
        """Those of independent positions."""

    def terms(self, stats: Stats, rows: int, columns: int) -> Terms:
        """The bits of the index."""

    def encode(self, positions: Array, rows: int, columns: int) -> bytes:
        """The index in bytes."""

    def decode(self, reader: ByteReader, rows: int, columns: int, *, sample: bool = False) -> Array:
        """The positions of all entries, fillers among them."""

    def spread(self, codes: Array, positions: Array, filler: int) -> Array:
        """The codes with those of fillers among them."""


class Unfilled:
    """A form without fillers."""

    def stats(self, positions: Array) -> tuple[int, Counts | None]:  # noqa: ARG002
        """None."""
        return 0, None

    def expected(self, density: Dim, kept: Dim) -> tuple[Dim, Counts | None]:  # noqa: ARG002
        """None."""
        return 0, None

    def spread(self, codes: Array, positions: Array, filler: int) -> Array:  # noqa: ARG002
        """The codes."""
        return codes


@dataclass(frozen=True)
class Dense(Unfilled):
    """All weights are stored: no index."""

    name: ClassVar[str] = "dense"

    def described(self) -> dict[str, Any]:
        """Nothing: it is what is meant where nothing is said."""
        return {}

    def terms(self, stats: Stats, rows: int, columns: int) -> Terms:  # noqa: ARG002
        """None."""
        return {}

    def encode(self, positions: Array, rows: int, columns: int) -> bytes:  # noqa: ARG002
        """Nothing."""
        return b""

    def decode(self, reader: ByteReader, rows: int, columns: int, *, sample: bool = False) -> Array:  # noqa: ARG002
        """All of them."""
        return np.arange(rows * columns)
