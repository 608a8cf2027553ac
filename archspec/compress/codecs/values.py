"""What every form of values has: a stream of codes, tables before it, and a size."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from archspec.compress.clusters import Clusters
from archspec.compress.codecs.base import Array, ByteReader, Codec, Counts, Stats, Terms, added
from archspec.compress.codecs.streams import Fixed, Stream
from archspec.dims import Dim


@dataclass(frozen=True)
class Content:
    """What is written of an array.

    Attributes:
        codes: A symbol for each entry; for a form without codes, none.
        tables: The arrays beside them, in the order in which they are written.
        positions: Where the entries stand, in the order of the array or of its scan; None of all weights.
        clusters: How shared numbers were found, when they were.
    """

    codes: Array
    tables: tuple[Array, ...] = ()
    positions: Array | None = None
    clusters: Clusters | None = field(default=None, compare=False)


class Values(Codec):
    """A form of values: its stream of codes, and what stands before it."""

    filler: ClassVar[int] = 0
    """The code of a zero that fills a gap."""
    term: ClassVar[str] = "codes"
    """What the bits of its codes are for."""
    coded: ClassVar[bool] = True
    """Whether there is a code for each entry; else the tables say all."""
    average: Dim | None = None
    """The average length of a Huffman code, as measured."""
    drops: ClassVar[bool] = False
    """Whether a kept weight can come to be zero, and is left out then."""

    @property
    def stream(self) -> Stream:
        """How codes are written: a bit each, unless a form says otherwise."""
        return Fixed(1)

    def beside(self, rows: int, columns: int) -> Mapping[str, tuple[Stream, int]]:  # noqa: ARG002
        """The tables written before the codes: what each is for, how it is written, and how long it is."""
        return {}

    def quantised(self, values: Array, positions: Array | None, rows: int, columns: int) -> Content:
        """The content that stands for values at positions of a matrix (all of them, if None)."""
        raise NotImplementedError

    def numbers(self, content: Content, positions: Array | None, columns: int) -> Array:
        """The values of a content, in float32."""
        raise NotImplementedError

    def checked(self, content: Content, reader: ByteReader) -> Content:  # noqa: ARG002
        """The content, if it is one that is written.

        Raises:
            DamagedError: It is not.
        """
        return content

    def counts(self, content: Content, filled: int) -> Counts | None:
        """The counts of the codes, fillers among them; None where there are no codes."""
        return Counts.of(content.codes, self.stream.bits, filled, self.filler) if self.coded else None

    def expected(self, kept: Dim, filled: Dim) -> Counts | None:
        """Those that are expected when nothing is known of the codes but their average length."""
        return Counts(kept + filled, average=self.average) if self.coded else None

    def terms(self, stats: Stats, rows: int, columns: int) -> Terms:
        """The codes, those of fillers apart, and what stands before them."""
        tables = [how.terms(name, Counts(size)) for name, (how, size) in self.beside(rows, columns).items()]
        if stats.codes is None:
            return added(*tables)
        return added(*tables, self.stream.terms(self.term, stats.codes, stats.filled, self.filler))

    def encode(self, content: Content, codes: Array, rows: int, columns: int) -> bytes:
        """The tables and the codes, which have those of fillers among them."""
        tables = self.beside(rows, columns).values()
        written = [how.encode(table) for (how, _), table in zip(tables, content.tables, strict=True)]
        return b"".join([*written, self.stream.encode(codes if self.coded else codes[:0])])

    def decode(self, reader: ByteReader, entries: int, rows: int, columns: int, *, sample: bool = False) -> Content:
        """The content back.

        Raises:
            DamagedError: The bytes do not suffice, or are not what is written.
        """
        tables = tuple(how.decode(reader, size, name) for name, (how, size) in self.beside(rows, columns).items())
        codes = self.stream.decode(reader, entries if self.coded else 0, self.term, sample=sample)
        return self.checked(Content(codes, tables), reader)
