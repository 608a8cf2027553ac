"""What every form of index has: where kept weights stand.

Positions count from 0 in the order of the scan, along rows of so many columns.
"""

from dataclasses import dataclass

import numpy as np

from archspec.compress.codecs.base import Array, ByteReader, Codec, Counts, Stats, Terms
from archspec.dims import Dim


class Index(Codec):
    """A form of index; one without fillers, unless it says otherwise."""

    def stats(self, positions: Array) -> tuple[int, Counts | None]:  # noqa: ARG002
        """The fillers of a pattern, and the counts of its gaps."""
        return 0, None

    def expected(self, density: Dim, kept: Dim) -> tuple[Dim, Counts | None]:  # noqa: ARG002
        """Those of independent positions."""
        return 0, None

    def terms(self, stats: Stats, rows: int, columns: int) -> Terms:
        """The bits of the index."""
        raise NotImplementedError

    def encode(self, positions: Array, rows: int, columns: int) -> bytes:
        """The index in bytes."""
        raise NotImplementedError

    def decode(self, reader: ByteReader, rows: int, columns: int, *, sample: bool = False) -> Array:
        """The positions of all entries, fillers among them."""
        raise NotImplementedError

    def spread(self, codes: Array, positions: Array, filler: int) -> Array:  # noqa: ARG002
        """The codes with those of fillers among them."""
        return codes


@dataclass(frozen=True)
class Dense(Index):
    """All weights are stored, and the file says nothing of an index: there is none."""

    def terms(self, stats: Stats, rows: int, columns: int) -> Terms:  # noqa: ARG002
        """None."""
        return {}

    def encode(self, positions: Array, rows: int, columns: int) -> bytes:  # noqa: ARG002
        """Nothing."""
        return b""

    def decode(self, reader: ByteReader, rows: int, columns: int, *, sample: bool = False) -> Array:  # noqa: ARG002
        """All of them."""
        return np.arange(rows * columns)
