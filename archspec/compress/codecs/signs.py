"""One-bit weights (Rastegari et al. 2016, XNOR-Net, arXiv:1603.05279)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from archspec.compress.codecs.base import Array, Key
from archspec.compress.codecs.streams import Floats, Stream, rounded
from archspec.compress.codecs.values import Content, Values


@dataclass(frozen=True)
class Signs(Values):
    """One bit per weight, 1 where it is not negative: sign(0) = +1; and one factor per row, the mean of its |w|.

    Attributes:
        factors: The bits of a factor; 0 where the network has its own, and the signs are ±1.
    """

    keys: ClassVar = (Key("signs", "factors", (0, 16, 32)),)
    term: ClassVar[str] = "signs"
    factors: int = 32

    def beside(self, rows: int, columns: int) -> Mapping[str, tuple[Stream, int]]:  # noqa: ARG002
        """The factors."""
        return {"scales": (Floats(self.factors), rows)} if self.factors else {}

    def quantised(self, values: Array, positions: Array | None, rows: int, columns: int) -> Content:  # noqa: ARG002
        """The signs, and the factors in the order of the weights."""
        codes = (values >= 0).astype(np.uint16)
        if not self.factors:
            return Content(codes)
        matrix = values.reshape(rows, columns)
        means = [float(np.cumsum(np.abs(row), dtype=np.float64)[-1]) / columns for row in matrix]
        return Content(codes, (rounded(means, self.factors, "a layer"),))

    def numbers(self, content: Content, positions: Array | None, columns: int) -> Array:  # noqa: ARG002
        """±1, times the row's factor."""
        signs = content.codes.astype(np.float32) * 2 - 1
        if self.factors:
            factors = content.tables[0].astype(np.float32)
            signs = (signs.reshape(len(factors), -1) * factors[:, None]).ravel()
        return signs
