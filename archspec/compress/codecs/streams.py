"""Streams of symbols: in a fixed number of bits each, or as the floating-point numbers they are.

In bytes the highest bit comes first, and in a symbol its highest bit; the last byte is filled with zeros. Numbers are
little-endian.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from archspec.compress.codecs.base import Array, ByteReader, Counts, Terms, padding
from archspec.dims import Dim
from archspec.errors import ArchspecError

CHUNK = 1 << 17
"""The symbols, a multiple of 8, that are put into bits at once."""


@dataclass(frozen=True)
class Stream:
    """How the symbols of a stream are written.

    Attributes:
        bits: Of a symbol before it is coded.
    """

    bits: int

    def payload(self, counts: Counts) -> Dim:
        """The bits of the symbols."""
        return counts.total * self.bits

    def length(self, counts: Counts, symbol: int) -> Dim:  # noqa: ARG002  # all are alike, where they are not coded
        """The bits of one symbol."""
        return self.bits

    def beside(self, counts: Counts) -> Terms:  # noqa: ARG002
        """What is written beside the symbols."""
        return {}

    def terms(self, term: str, counts: Counts, filled: Dim = 0, filler: int = 0) -> Terms:
        """The bits of symbols that are for a term, those of so many fillers apart, and of what is beside them."""
        payload = self.payload(counts)
        fillers = {"fillers": filled * self.length(counts, filler)} if filled else {}
        own = {term: payload - sum(fillers.values()), **fillers, "padding": padding(payload)}
        return own | self.beside(counts)

    def encode(self, symbols: Array) -> bytes:
        """The stream in bytes."""
        raise NotImplementedError

    def decode(self, reader: ByteReader, count: int, term: str, *, sample: bool = False) -> Array:
        """The symbols back; on the reader's ledger they are for a term.

        Raises:
            DamagedError: The bytes do not suffice, or are not what is written.
        """
        raise NotImplementedError


@dataclass(frozen=True)
class Fixed(Stream):
    """Symbols of so many bits each.

    >>> Fixed(3).encode(np.array([1, 2, 7], np.uint16)).hex()  # 001 010 111 + 0000000
    '2b80'
    """

    def encode(self, symbols: Array) -> bytes:
        """The symbols' bits, one behind the other."""
        if self.bits in (8, 16):
            return symbols.astype(f">u{self.bits // 8}").tobytes()
        shifts = np.arange(self.bits - 1, -1, -1, dtype=np.uint16)
        parts = []
        for start in range(0, len(symbols), CHUNK):
            chunk = symbols[start : start + CHUNK].astype(np.uint16)
            parts.append(np.packbits(((chunk[:, None] >> shifts) & 1).astype(np.uint8)).tobytes())
        return b"".join(parts)

    def decode(self, reader: ByteReader, count: int, term: str, *, sample: bool = False) -> Array:  # noqa: ARG002
        """The symbols back; the bits behind them are zeros.

        Raises:
            DamagedError: The bytes do not suffice, or the last holds more.
        """
        data = np.frombuffer(reader.take(-(-count * self.bits // 8), "a stream"), np.uint8)
        if int(data[-1] if count else 0) & ((1 << (-count * self.bits % 8)) - 1):
            raise reader.damaged("the bits behind a stream are not zero")
        reader.note(term, count * self.bits)
        if self.bits in (8, 16):
            return data.view(f">u{self.bits // 8}").astype(np.uint16)
        symbols = np.zeros(count, np.uint16)
        for start in range(0, count, CHUNK):
            chunk = symbols[start : start + CHUNK]
            first = start * self.bits // 8  # a whole byte: CHUNK is a multiple of 8
            bits = np.unpackbits(data[first : first + CHUNK * self.bits // 8], count=len(chunk) * self.bits)
            for column in bits.reshape(-1, self.bits).T:
                np.bitwise_or(chunk << 1, column, out=chunk)
        return symbols


@dataclass(frozen=True)
class Floats(Stream):
    """Floating-point numbers of 16 or 32 bits, as they are."""

    def encode(self, symbols: Array) -> bytes:
        """The numbers, little-endian."""
        return symbols.astype(dtype(self.bits)).tobytes()

    def decode(self, reader: ByteReader, count: int, term: str, *, sample: bool = False) -> Array:  # noqa: ARG002
        """The numbers back.

        Raises:
            DamagedError: The bytes do not suffice, or hold what is no number.
        """
        found = reader.numbers(dtype(self.bits), count, "an array of numbers")
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
