"""A bit for every weight."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from archspec.compress.codecs.base import Array, ByteReader, Key, Stats, Terms, padding
from archspec.compress.codecs.index import Index


@dataclass(frozen=True)
class Bitmask(Index):
    """A bit for every weight: whether it is stored."""

    keys: ClassVar = (Key("bitmask", "bits", (1,)),)
    bits: int = 1

    def terms(self, stats: Stats, rows: int, columns: int) -> Terms:  # noqa: ARG002
        """One bit per weight."""
        return {"bitmask": rows * columns, "padding": padding(rows * columns)}

    def encode(self, positions: Array, rows: int, columns: int) -> bytes:
        """The bits, the first weight's highest."""
        mask = np.zeros(rows * columns, np.uint8)
        mask[positions] = 1
        return np.packbits(mask).tobytes()

    def decode(self, reader: ByteReader, rows: int, columns: int, *, sample: bool = False) -> Array:  # noqa: ARG002
        """The positions of ones.

        Raises:
            DamagedError: The bits do not suffice, or those behind them are not zero.
        """
        data = np.frombuffer(reader.take(-(-rows * columns // 8), "a bitmask"), np.uint8)
        reader.note("bitmask", rows * columns)
        positions = np.flatnonzero(np.unpackbits(data))
        if len(positions) and positions[-1] >= rows * columns:
            raise reader.damaged("the bits behind a bitmask are not zero")
        return positions
