"""Arrays that are one number."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from archspec.compress.codecs.base import Array, Key
from archspec.compress.codecs.values import Content, Values
from archspec.errors import ArchspecError


@dataclass(frozen=True)
class Constant(Values):
    """One number that all of the array is, told by the description alone."""

    keys: ClassVar = (Key("constant", "value", least=-(2**31), most=2**31, of=float),)
    coded: ClassVar[bool] = False
    value: float

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
