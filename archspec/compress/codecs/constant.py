"""Arrays that are one number."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from archspec.compress.codecs.base import Array, ByteReader, Counts
from archspec.compress.codecs.fixed import Fixed
from archspec.compress.codecs.streams import Stream
from archspec.compress.codecs.values import Content, Values
from archspec.dims import Dim
from archspec.errors import ArchspecError


@dataclass(frozen=True)
class Constant(Values):
    """One number that all of the array is, told by the description alone."""

    name: ClassVar[str] = "constant"
    value: float

    def described(self) -> dict[str, Any]:
        """The number."""
        return {"constant": self.value}

    @property
    def stream(self) -> Stream:
        """No codes."""
        return Fixed(1)

    def quantised(self, values: Array, positions: Array | None, rows: int, columns: int) -> Content:  # noqa: ARG002
        """Nothing, if the values are it.

        Raises:
            ArchspecError: They are not.
        """
        if (values != np.float32(self.value)).any():
            raise ArchspecError(f"an array is said to be {self.value} and is not")
        return Content(np.zeros(0, np.uint16))

    def numbers(self, content: Content, positions: Array | None, columns: int) -> Array:  # noqa: ARG002
        """The number, once."""
        return np.array([self.value], np.float32)

    def counts(self, content: Content, filled: int) -> Counts | None:  # noqa: ARG002
        """None: there are no codes."""
        return None

    def expected(self, kept: Dim, filled: Dim) -> Counts | None:  # noqa: ARG002
        """None: there are no codes."""
        return None

    def encode(self, content: Content, codes: Array, rows: int, columns: int) -> bytes:  # noqa: ARG002
        """Nothing."""
        return b""

    def decode(self, reader: ByteReader, entries: int, rows: int, columns: int, *, sample: bool = False) -> Content:  # noqa: ARG002
        """Nothing."""
        return Content(np.zeros(0, np.uint16))
