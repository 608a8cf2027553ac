"""No index: all weights are stored."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from archspec.compress.codecs.base import Array, ByteReader, Stats, Terms
from archspec.compress.codecs.index import Unfilled


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
