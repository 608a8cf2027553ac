"""Low rank: two thin matrices."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from archspec.compress.codecs.base import Array, Key
from archspec.compress.codecs.streams import Floats, Stream, rounded
from archspec.compress.codecs.values import Content, Values


@dataclass(frozen=True)
class Factors(Values):
    """Two thin matrices whose product stands for the weights: the best of that rank, by singular values.

    They come from LAPACK, as no sum in a fixed order is quick enough: another machine may round them otherwise.
    """

    keys: ClassVar = (Key("rank", "rank", most=2**31), Key("numbers", "bits", (16, 32), usual=32))
    coded: ClassVar[bool] = False
    rank: int
    bits: int = 32

    def beside(self, rows: int, columns: int) -> Mapping[str, tuple[Stream, int]]:
        """The two matrices."""
        how = Floats(self.bits)
        return {"left": (how, rows * self.rank), "right": (how, self.rank * columns)}

    def quantised(self, values: Array, positions: Array | None, rows: int, columns: int) -> Content:  # noqa: ARG002
        """Left: the first singular vectors of the shorter side; right: the weights in their terms."""
        matrix = values.reshape(rows, columns)
        tall = rows > columns
        short = matrix.T if tall else matrix
        gram = sum(
            part @ part.T
            for part in (short[:, at : at + 4096].astype(np.float64) for at in range(0, short.shape[1], 4096))
        )
        _, vectors = np.linalg.eigh(gram)
        basis = np.ascontiguousarray(vectors[:, : -self.rank - 1 : -1])
        other = basis.T.astype(np.float32) @ short
        left, right = (other.T, basis.T) if tall else (basis, other)
        tables = tuple(rounded(part.ravel(), self.bits, "a matrix") for part in (left, right))
        return Content(np.zeros(0, np.uint16), tables)

    def numbers(self, content: Content, positions: Array | None, columns: int) -> Array:  # noqa: ARG002
        """Their product."""
        left, right = (table.astype(np.float32) for table in content.tables)
        return np.asarray(left.reshape(-1, self.rank) @ right.reshape(self.rank, columns)).ravel()
