"""Streams of symbols: in a fixed number of bits each, or as the floating-point numbers they are.

In bytes the highest bit comes first, and in a symbol its highest bit; the last byte is filled with zeros. Numbers are
little-endian.
"""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from archspec.compress.codecs.base import Array, ByteReader, Counts, Terms
from archspec.compress.codecs.fixed import Fixed
from archspec.compress.codecs.huffman import Huffman
from archspec.dims import Dim
from archspec.errors import ArchspecError


class Stream(Protocol):
    """How the symbols of a stream are written."""

    @property
    def bits(self) -> int:
        """Of a symbol before it is coded."""

    def payload(self, counts: Counts) -> Dim:
        """The bits of the symbols."""

    def length(self, counts: Counts, symbol: int) -> Dim:
        """The bits of one symbol."""

    def beside(self, counts: Counts) -> Terms:
        """What is written beside the symbols."""

    def encode(self, symbols: Array) -> bytes:
        """The stream in bytes."""

    def decode(self, reader: ByteReader, count: int, term: str, *, sample: bool = False) -> Array:
        """The symbols back; on the reader's ledger they are for a term."""


def stream(bits: int, huffman: bool) -> Stream:
    """The stream of symbols below 2^bits, in Huffman codes or not."""
    return Huffman(bits) if huffman else Fixed(bits)


@dataclass(frozen=True)
class Floats:
    """Floating-point numbers of 16 or 32 bits, as they are."""

    bits: int

    @property
    def dtype(self) -> str:
        """NumPy's name of the type."""
        return dtype(self.bits)

    def payload(self, counts: Counts) -> Dim:
        """Bits per number, times numbers."""
        return counts.total * self.bits

    def length(self, counts: Counts, symbol: int) -> Dim:  # noqa: ARG002
        """Bits of any number."""
        return self.bits

    def beside(self, counts: Counts) -> Terms:  # noqa: ARG002
        """Nothing."""
        return {}

    def encode(self, symbols: Array) -> bytes:
        """The numbers, little-endian."""
        return symbols.astype(self.dtype).tobytes()

    def decode(self, reader: ByteReader, count: int, term: str, *, sample: bool = False) -> Array:  # noqa: ARG002
        """The numbers back.

        Raises:
            DamagedError: The bytes do not suffice, or hold what is no number.
        """
        found = reader.numbers(self.dtype, count, "an array of numbers")
        if not np.isfinite(found).all():
            raise reader.damaged("an array holds a number that is not finite")
        reader.note(term, count * self.bits)
        return found


def dtype(bits: int) -> str:
    """NumPy's name of the little-endian floating-point type of 16 or 32 bits."""
    return {16: "<f2", 32: "<f4"}[bits]


def rounded(numbers: Any, bits: int, what: str) -> Array:
    """Numbers as the file holds them.

    Raises:
        ArchspecError: One is too large for that type.
    """
    with np.errstate(over="ignore"):
        found = np.asarray(numbers).astype(dtype(bits))
    if not np.isfinite(found).all():
        raise ArchspecError(f"{what} holds numbers above 65504, which 16 bits do not hold; take 32")
    return found
