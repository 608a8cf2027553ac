"""The weights themselves."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from archspec.compress.codecs.base import Array, Counts, Key
from archspec.compress.codecs.streams import Floats, Stream, rounded
from archspec.compress.codecs.values import Content, Values


@dataclass(frozen=True)
class Numbers(Values):
    """The weights themselves, in 16 or 32 bits."""

    keys: ClassVar = (Key("numbers", "bits", (16, 32), usual=32),)
    term: ClassVar[str] = "numbers"
    drops: ClassVar[bool] = True
    bits: int = 32

    @property
    def stream(self) -> Stream:
        """Floating-point numbers."""
        return Floats(self.bits)

    def quantised(self, values: Array, positions: Array | None, rows: int, columns: int) -> Content:  # noqa: ARG002
        """The numbers, rounded."""
        return Content(rounded(values, self.bits, "an array"))

    def numbers(self, content: Content, positions: Array | None, columns: int) -> Array:  # noqa: ARG002
        """Themselves."""
        return content.codes.astype(np.float32)

    def counts(self, content: Content, filled: int) -> Counts | None:
        """How many there are."""
        return Counts(len(content.codes) + filled)
