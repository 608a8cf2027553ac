"""Streams of symbols in a fixed number of bits each.

In bytes the highest bit comes first, and in a symbol its highest bit; the last byte is filled with zeros.
"""

from dataclasses import dataclass

import numpy as np

from archspec.compress.codecs.base import Array, ByteReader, Counts, Terms
from archspec.dims import Dim

CHUNK = 1 << 17
"""The symbols, a multiple of 8, that are put into bits at once."""


@dataclass(frozen=True)
class Fixed:
    """Symbols of so many bits each.

    >>> Fixed(3).encode(np.array([1, 2, 7], np.uint16)).hex()  # 001 010 111 + 0000000
    '2b80'
    """

    bits: int

    def payload(self, counts: Counts) -> Dim:
        """Bits per symbol, times symbols."""
        return counts.total * self.bits

    def length(self, counts: Counts, symbol: int) -> Dim:  # noqa: ARG002  # all are alike
        """Bits of any symbol."""
        return self.bits

    def beside(self, counts: Counts) -> Terms:  # noqa: ARG002
        """Nothing."""
        return {}

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
