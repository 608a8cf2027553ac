"""Shared numbers: a codebook, and for each weight which of them (Han, Mao and Dally 2016, section 3)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from archspec.compress.clusters import kmeans, middles
from archspec.compress.codecs.base import CODED, Array, ByteReader, Key
from archspec.compress.codecs.huffman import stream
from archspec.compress.codecs.streams import Floats, Stream, rounded
from archspec.compress.codecs.values import Content, Values
from archspec.dims import Dim


@dataclass(frozen=True)
class Codebook(Values):
    """Codes for 2^bits shared numbers, in a codebook before them.

    Attributes:
        bits: Of a code.
        huffman: Whether codes are Huffman coded.
        numbers_of: The bits of a number of the codebook.
        zero: Whether code 0 is kept for 0.0, as fillers need it; then 2^bits − 1 numbers are shared.
        beginning: How k-means begins.
        average: The average length of a Huffman code, as measured.
    """

    keys: ClassVar = (Key("shared", "bits", most=16), CODED, Key("numbers", "numbers_of", (16, 32), usual=32))
    bits: int
    huffman: bool = False
    numbers_of: int = 32
    zero: bool = False
    beginning: str = "linear"
    average: Dim | None = None

    @property
    def stream(self) -> Stream:
        """The codes."""
        return stream(self.bits, self.huffman)

    def beside(self, rows: int, columns: int) -> Mapping[str, tuple[Stream, int]]:  # noqa: ARG002
        """The codebook."""
        return {"codebook": (Floats(self.numbers_of), 2**self.bits)}

    def quantised(self, values: Array, positions: Array | None, rows: int, columns: int) -> Content:  # noqa: ARG002
        """The nearest of the numbers that k-means finds; between two, the smaller. What is not needed is 0."""
        codebook = np.zeros(2**self.bits, f"<f{self.numbers_of // 8}")
        first = int(self.zero)
        if not len(values):
            return Content(np.zeros(0, np.uint16), (codebook,))
        found = kmeans(values, len(codebook) - first, self.beginning)
        centroids = rounded(found.centroids, self.numbers_of, "a codebook")
        codebook[first : first + len(centroids)] = centroids
        near = centroids.astype(np.float64)
        codes = nearest(middles(values, near), values)
        codes += np.uint16(first)
        return Content(codes, (codebook,), clusters=found)

    def numbers(self, content: Content, positions: Array | None, columns: int) -> Array:  # noqa: ARG002
        """The codebook's."""
        return content.tables[0].astype(np.float32)[content.codes]

    def checked(self, content: Content, reader: ByteReader) -> Content:
        """The content, if fillers are zeros."""
        if self.zero and content.tables[0][0] != 0:
            raise reader.damaged("the first shared number is that of fillers, and not 0")
        return content


def nearest(between: Array, values: Array) -> Array:
    """Between which of rising middles each value lies; of one on a middle, below it."""
    found = np.empty(len(values), np.uint16)
    step = 1 << 20
    for start in range(0, len(values), step):
        found[start : start + step] = np.searchsorted(between, values[start : start + step])
    return found
