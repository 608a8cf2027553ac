"""Compressed sparse rows."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from archspec.compress.codecs.base import Array, ByteReader, Counts, Key, Stats, Terms
from archspec.compress.codecs.index import Index
from archspec.compress.codecs.streams import Fixed, Stream
from archspec.compress.rules import compressed_rows


@dataclass(frozen=True)
class CompressedRows(Index):
    """Compressed sparse rows: where each begins, in 32 bits, with the end of the last; and each weight's column."""

    keys: ClassVar = (Key("rows", "bits", (32,), most=16),)
    bits: int = 32

    @property
    def stream(self) -> Stream:
        """How columns are written."""
        return Fixed(self.bits)

    def terms(self, stats: Stats, rows: int, columns: int) -> Terms:  # noqa: ARG002
        """The columns, and where the rows begin."""
        begins = 32 * (compressed_rows(stats.kept, rows) - 2 * stats.kept)  # beside a value and a column each
        return {**self.stream.terms("columns", Counts(stats.kept)), "rows": begins}

    def encode(self, positions: Array, rows: int, columns: int) -> bytes:
        """The beginnings, and the columns."""
        row, column = np.divmod(positions, columns)
        begins = np.concatenate(([0], np.cumsum(np.bincount(row, minlength=rows)))).astype("<u4")
        return begins.tobytes() + (column.astype("<u4").tobytes() if self.bits == 32 else self.stream.encode(column))

    def decode(self, reader: ByteReader, rows: int, columns: int, *, sample: bool = False) -> Array:  # noqa: ARG002
        """The positions.

        Raises:
            DamagedError: Rows or columns do not rise, or lie outside.
        """
        begins = reader.numbers("<u4", rows + 1, "where rows begin").astype(np.int64)
        reader.note("rows", 32 * len(begins))
        sizes = np.diff(begins)
        if begins[0] or (sizes < 0).any() or (sizes > columns).any():
            raise reader.damaged("rows do not begin one behind the other")
        count = int(begins[-1])
        if self.bits == 32:
            column = reader.numbers("<u4", count, "columns").astype(np.int64)
            reader.note("columns", 32 * count)
        else:
            column = self.stream.decode(reader, count, "columns").astype(np.int64)
        positions = np.repeat(np.arange(rows) * columns, sizes) + column
        if (column >= columns).any() or (np.diff(positions) <= 0).any():
            raise reader.damaged("columns do not rise within their row")
        return positions
