"""Gaps between kept weights (Han, Mao and Dally 2016, section 2)."""

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from archspec.compress.codecs.base import CODED, Array, ByteReader, Counts, Key, Stats, Terms, added
from archspec.compress.codecs.huffman import stream
from archspec.compress.codecs.index import Index
from archspec.compress.codecs.streams import Stream
from archspec.compress.rules import fillers
from archspec.dims import Dim, divide, power


@dataclass(frozen=True)
class Gaps(Index):
    """The zeros skipped before each entry, in so many bits; longer runs are cut by fillers: zeros stored as entries.

    Written are the number of entries in 32 bits, and the stream of gaps.
    """

    keys: ClassVar = (Key("gaps", "bits", most=8), CODED)
    bits: int
    huffman: bool = False
    average: Dim | None = None

    @cached_property
    def stream(self) -> Stream:
        """How gaps are written."""
        return stream(self.bits, self.huffman)

    def stats(self, positions: Array) -> tuple[int, Counts | None]:
        """The fillers of a pattern, and the counts of its gaps."""
        skipped = _skipped(positions)
        filled = int((skipped >> self.bits).sum())
        return filled, Counts.of(skipped & self.longest, self.bits, filled, self.longest)

    def expected(self, density: Dim, kept: Dim) -> tuple[Dim, Counts | None]:
        """With q = 1 − p, a gap of g zeros is left of one that is cut with probability p·q^g / (1 − q^(2^i))."""
        filled = kept * fillers(density, self.bits)
        if not self.huffman or self.average is not None:
            return filled, Counts(kept + filled, average=self.average)
        q = 1 - density
        unit = divide(kept * density, 1 - power(q, 2**self.bits))
        each = [unit * power(q, gap) for gap in range(2**self.bits)]
        each[-1] += filled
        return filled, Counts(kept + filled, tuple(each))

    @property
    def longest(self) -> int:
        """The longest gap, and that of a filler."""
        return int(2**self.bits - 1)

    def terms(self, stats: Stats, rows: int, columns: int) -> Terms:  # noqa: ARG002
        """The gaps, those of fillers apart; their number; and what Huffman codes need."""
        assert stats.gaps is not None  # noqa: S101
        return added({"gaps": 0, "counts": 32}, self.stream.terms("gaps", stats.gaps, stats.filled, self.longest))

    def encode(self, positions: Array, rows: int, columns: int) -> bytes:  # noqa: ARG002
        """The number of entries, and their gaps."""
        skipped = _skipped(positions)
        gaps = self.spread((skipped & self.longest).astype(np.uint16), positions, self.longest)
        return np.array([len(gaps)], "<u4").tobytes() + self.stream.encode(gaps)

    def decode(self, reader: ByteReader, rows: int, columns: int, *, sample: bool = False) -> Array:
        """The positions of all entries.

        Raises:
            DamagedError: They lie outside of the array, or the stream is damaged.
        """
        count = int(reader.numbers("<u4", 1, "the number of entries")[0])
        if count > rows * columns:
            raise reader.damaged(f"{count} entries for {rows * columns} weights")
        reader.note("counts", 32)
        gaps = self.stream.decode(reader, count, "gaps", sample=sample)
        if sample:
            return np.arange(count)
        positions = np.cumsum(gaps.astype(np.int64) + 1) - 1
        if count and positions[-1] >= rows * columns:
            raise reader.damaged(f"an entry at {positions[-1]} of {rows * columns} weights")
        return positions

    def spread(self, codes: Array, positions: Array, filler: int) -> Array:
        """The codes with those of fillers before those that stand behind a long gap."""
        ends = np.cumsum((_skipped(positions) >> self.bits) + 1)
        found = np.full(int(ends[-1]) if len(ends) else 0, filler, codes.dtype)
        found[ends - 1] = codes
        return found


def _skipped(positions: Array) -> Array:
    """The zeros before each position."""
    return np.diff(positions, prepend=-1) - 1
