"""What codecs share: sizes by term, counts of symbols, and a reader that never reads beyond its end."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from archspec.compress.huffman import limited_lengths
from archspec.dims import Dim
from archspec.errors import ArchspecError

Array: TypeAlias = NDArray[Any]
Terms: TypeAlias = dict[str, Dim]
"""Bits by what they are for."""


class DamagedError(ArchspecError):
    """A compressed file that is not what its writer writes; the message says where and in what."""


def added(*terms: Mapping[str, Dim]) -> Terms:
    """Sizes of several parts as one, term by term.

    >>> added({"codes": 8, "gaps": 4}, {"codes": 2})
    {'codes': 10, 'gaps': 4}
    """
    found: Terms = {}
    for part in terms:
        for name, bits in part.items():
            found[name] = found.get(name, 0) + bits
    return found


def padding(bits: Dim) -> Dim:
    """The bits that fill the last byte; of an expected number of bits, none.

    >>> padding(13), padding(16)
    (3, 0)
    """
    return -bits % 8 if isinstance(bits, int) else 0


@dataclass(frozen=True)
class Counts:
    """How often the symbols of a stream occur: counted, or expected.

    Attributes:
        total: How many symbols there are.
        each: How often each occurs, by symbol; None if that is not known.
        average: The average length of a code where it is known and `each` is not.
    """

    total: Dim
    each: tuple[Dim, ...] | None = None
    average: Dim | None = None

    @classmethod
    def of(cls, symbols: Array, bits: int) -> "Counts":
        """Those of a stream of symbols below 2^bits."""
        each = np.bincount(symbols, minlength=2**bits) if len(symbols) else np.zeros(2**bits, int)
        return cls(len(symbols), tuple(each.tolist()))

    @cached_property
    def lengths(self) -> tuple[int, ...]:
        """The lengths of their Huffman codes, at most 15 bits."""
        return limited_lengths(self.each or ())


@dataclass(frozen=True)
class Stats:
    """What the size of an array follows from: numbers of symbols, never the symbols themselves.

    Attributes:
        kept: The weights that are stored.
        filled: The zeros that fill long gaps between them.
        codes: The codes of both.
        gaps: The gaps before both; None where the index has none.
    """

    kept: Dim
    filled: Dim = 0
    codes: Counts | None = None
    gaps: Counts | None = None


class ByteReader:
    """Bytes read from the front, and a ledger of what their bits were for.

    Args:
        data: The bytes.
        what: What they are called in errors.

    Attributes:
        at: How many were read.
        ledger: The bits that were read by what they were for.
        lengths: The lengths of the codes of streams that had a table, by what they were for.
    """

    def __init__(self, data: Any, what: str) -> None:
        self.data = memoryview(data)
        self.what = what
        self.at = 0
        self.ledger: dict[str, int] = {}
        self.lengths: dict[str, Array] = {}

    def take(self, size: int, part: str) -> memoryview:
        """The next bytes.

        Raises:
            DamagedError: There are not so many.
        """
        left = len(self.data) - self.at
        if size > left:
            raise self.damaged(f"{part} needs {size} bytes, {left} are left")
        found = self.data[self.at : self.at + size]
        self.at += size
        return found

    def numbers(self, dtype: str, count: int, part: str) -> Array:
        """The next numbers of a type.

        Raises:
            DamagedError: There are not so many.
        """
        return np.frombuffer(self.take(count * np.dtype(dtype).itemsize, part), dtype)

    def note(self, term: str, bits: int) -> None:
        """Put so many bits on the ledger, and those that fill their last byte."""
        for name, count in ((term, bits), ("padding", -bits % 8)):
            if count:
                self.ledger[name] = self.ledger.get(name, 0) + count

    def damaged(self, message: str) -> DamagedError:
        """The error that says it of these bytes."""
        return DamagedError(f"{self.what}: {message}")
