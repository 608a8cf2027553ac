"""Linear quantisation: levels of a scale."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from archspec.compress.codecs.base import CODED, Array, ByteReader, Key
from archspec.compress.codecs.huffman import stream
from archspec.compress.codecs.streams import Fixed, Floats, Stream, rounded
from archspec.compress.codecs.values import Content, Values
from archspec.compress.names import RULES
from archspec.compress.rules import scales
from archspec.dims import Dim

ROWS_AT_ONCE = 1 << 20
"""The weights whose levels are computed at once."""


@dataclass(frozen=True)
class LinearQuantisation(Values):
    """Levels of a scale: w ≈ scale·(code − zero point), rounded half to even.

    Attributes:
        bits: Of a code.
        rule: One of `names.RULES`. Without zero points, what is written is the level + 2^(bits − 1).
        per: "tensor", "channel" (a row of the matrix), or how many weights of a row share a scale; the last group of a
            row may be shorter.
        scale_bits: Of a scale, 16 or 32.
        huffman: Whether codes are Huffman coded.
        average: The average length of a Huffman code, as measured.
    """

    keys: ClassVar = (
        Key("linear", "bits", least=2, most=16),
        Key("rule", "rule", RULES),
        Key("per", "per", ("tensor", "channel"), most=2**31),
        CODED,
        Key("scale_bits", "scale_bits", (16, 32), usual=32),
    )
    drops: ClassVar[bool] = True
    bits: int
    rule: str = "symmetric"
    per: str | int = "channel"
    scale_bits: int = 32
    huffman: bool = False
    average: Dim | None = None

    @property
    def stream(self) -> Stream:
        """The codes."""
        return stream(self.bits, self.huffman)

    @property
    def filler(self) -> int:  # type: ignore[override]
        """The code of 0."""
        return int(2 ** (self.bits - 1))

    def beside(self, rows: int, columns: int) -> Mapping[str, tuple[Stream, int]]:
        """The scales, and the zero points."""
        count = scales(rows, columns, self.per)
        tables = {"scales": (Floats(self.scale_bits), count)}
        return {**tables, "zero_points": (Fixed(self.bits), count)} if self.rule == "zero_point" else tables

    def _group(self, positions: Array | None, columns: int, part: slice) -> Array:
        """The group of each of a part of the positions."""
        at = np.arange(part.start, part.stop) if positions is None else positions[part]
        if self.per == "tensor":
            return np.zeros(len(at), np.intp)
        row, column = np.divmod(at, columns)
        return row if self.per == "channel" else row * -(-columns // int(self.per)) + column // int(self.per)

    def quantised(self, values: Array, positions: Array | None, rows: int, columns: int) -> Content:
        """The nearest levels of the scales that the rule gives; where a scale is 0, all are 0."""
        low, high = self._ends(values, positions, rows, columns)
        scale, zero = self._scales(low, high)
        codes = np.empty(len(values), np.uint16)
        for part, level in self._levels(values, positions, columns, scale, zero):
            codes[part] = np.clip(level, self.least, 2**self.bits - 1)
        tables = (scale, zero.astype(np.uint16)) if self.rule == "zero_point" else (scale,)
        return Content(codes, tables)

    @property
    def least(self) -> int:
        """The least code of a level."""
        return int(self.rule == "symmetric")

    def inside(self, values: Array, positions: Array | None, rows: int, columns: int) -> Array:
        """Which values are between the ends of their scale once they are rounded; the others are cut to an end."""
        scale, zero = self._scales(*self._ends(values, positions, rows, columns))
        found = np.empty(len(values), bool)
        for part, level in self._levels(values, positions, columns, scale, zero):
            found[part] = (level >= self.least) & (level < 2**self.bits)
        return found

    def _levels(
        self, values: Array, positions: Array | None, columns: int, scale: Array, zero: Array
    ) -> Iterator[tuple[slice, Array]]:
        """The code of each value part by part, before it is cut to those that there are."""
        for start in range(0, len(values), ROWS_AT_ONCE):
            part = slice(start, min(start + ROWS_AT_ONCE, len(values)))
            group = self._group(positions, columns, part)
            step = scale[group].astype(np.float64)
            with np.errstate(divide="ignore", invalid="ignore"):
                level = np.rint(values[part].astype(np.float64) / step)
            level[step == 0] = 0
            yield part, level + zero[group]

    def _ends(self, values: Array, positions: Array | None, rows: int, columns: int) -> tuple[Array, Array]:
        """The least and the largest weight of each group, with 0 between them."""
        if positions is None:
            step = self.per if isinstance(self.per, int) else columns
            starts = (np.arange(rows)[:, None] * columns + np.arange(0, columns, step)).ravel()
            starts = starts[:1] if self.per == "tensor" else starts
            least, most = (end.reduceat(values, starts) for end in (np.minimum, np.maximum))
            return np.minimum(least, 0), np.maximum(most, 0)
        low, high = (np.zeros(scales(rows, columns, self.per)) for _ in range(2))
        for start in range(0, len(values), ROWS_AT_ONCE):
            part = slice(start, min(start + ROWS_AT_ONCE, len(values)))
            group = self._group(positions, columns, part)
            np.minimum.at(low, group, values[part])
            np.maximum.at(high, group, values[part])
        return low, high

    def _scales(self, low: Array, high: Array) -> tuple[Array, Array]:
        """Scales as they are written, and what is added to a level."""
        half = 2 ** (self.bits - 1)
        if self.rule == "symmetric":
            scale = np.maximum(-low, high) / (half - 1)
        elif self.rule == "signed":
            scale = np.where(high > -low, high, low) / -half
        else:
            scale = (high - low) / (2**self.bits - 1)
        written = rounded(scale, self.scale_bits, "a layer")
        if self.rule != "zero_point":
            return written, np.full(len(low), half)
        step = np.where(written == 0, 1, written.astype(np.float64))
        return written, np.clip(np.rint(-low / step), 0, 2**self.bits - 1)

    def numbers(self, content: Content, positions: Array | None, columns: int) -> Array:
        """Scale times level, in float32."""
        scale = content.tables[0].astype(np.float32)
        zero = content.tables[1].astype(np.float32) if self.rule == "zero_point" else None
        found = np.empty(len(content.codes), np.float32)
        for start in range(0, len(found), ROWS_AT_ONCE):
            part = slice(start, min(start + ROWS_AT_ONCE, len(found)))
            group = self._group(positions, columns, part)
            level = content.codes[part].astype(np.float32)
            level -= np.float32(self.filler) if zero is None else zero[group]
            with np.errstate(over="ignore"):
                np.multiply(scale[group], level, out=found[part])
        return found

    def checked(self, content: Content, reader: ByteReader) -> Content:
        """The content, if its codes are of levels that there are."""
        lowest = self.rule == "symmetric" and len(content.codes) and not content.codes.min()
        if lowest or (self.rule != "signed" and (content.tables[0] < 0).any()):
            raise reader.damaged(f"levels are not those of the rule '{self.rule}'")
        return content
