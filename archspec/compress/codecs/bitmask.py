"""A bit for every weight."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from archspec.compress.codecs.base import Array, ByteReader, Stats, Terms, padding
from archspec.compress.codecs.index import Unfilled


@dataclass(frozen=True)
class Bitmask(Unfilled):
    """A bit for every weight: whether it is stored."""

    name: ClassVar[str] = "bitmask"

    def described(self) -> dict[str, Any]:
        """That it is one."""
        return {"bitmask": 1}

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
