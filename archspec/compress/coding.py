"""One array of a compressed file: how its values and their places are written, from numbers to bytes and back."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from archspec.compress.codecs import (
    Bitmask,
    Codebook,
    CompressedRows,
    Constant,
    Content,
    Dense,
    Factors,
    Gaps,
    Index,
    LinearQuantisation,
    Numbers,
    Signs,
    Values,
)
from archspec.compress.codecs.base import Array, ByteReader, DamagedError, Key, Stats, Terms, added
from archspec.compress.names import SCANS
from archspec.dims import Dim
from archspec.errors import ArchspecError
from archspec.writing import printable, sizes

NUMBERS, DENSE = Numbers(), Dense()

VALUES: tuple[type[Values], ...] = (Codebook, LinearQuantisation, Signs, Factors, Constant)
"""The forms of values that a description names; where it names none, they are numbers."""

INDICES: tuple[type[Index], ...] = (Gaps, CompressedRows, Bitmask)
"""The forms of index that a description names."""

SCAN = Key("scan", "scan", SCANS, usual="rows")

KEY = re.compile(r"[A-Za-z0-9_]{1,100}(\.[A-Za-z0-9_]{1,100}){0,30}\Z")
"""The names of arrays; they are shown in errors."""

CHUNK = 1 << 22
"""The weights whose sizes are compared at once."""


@dataclass(frozen=True)
class Coding:
    """How one array is written.

    Attributes:
        key: Its name in the network's state dict.
        shape: Its shape; the first axis makes the rows of a matrix.
        values: What stands for the weights.
        index: Where they stand.
        scan: In which order.
        density: The share of the weights that is kept.
    """

    key: str
    shape: tuple[int, ...]
    values: Values = NUMBERS
    index: Index = DENSE
    scan: str = "rows"
    density: Dim = field(default=1, compare=False)

    @property
    def elements(self) -> int:
        """How many weights there are."""
        return math.prod(self.shape)

    @property
    def matrix(self) -> tuple[int, int]:
        """Its rows and columns, as an output channel is one row."""
        rows = self.shape[0] if self.shape else 1
        return rows, self.elements // rows if rows else 0

    @property
    def scanned(self) -> tuple[int, int]:
        """The rows and columns of what is scanned."""
        rows, columns = self.matrix
        return (rows, columns) if self.scan == "rows" else (columns, rows)

    @property
    def dense(self) -> bool:
        """Whether all weights are stored."""
        return isinstance(self.index, Dense)

    @property
    def part(self) -> str | None:
        """What an array is for that is no kernel or matrix; None of one that is."""
        if len(self.shape) > 1:
            return None
        return "biases" if self.key.endswith("bias") else "others"

    # -------------------------------------------------------------- sizes

    def sized(self, stats: Stats) -> "ArraySize":
        """Its size, given the counts of its symbols."""
        return ArraySize(self, self.terms(stats))

    def terms(self, stats: Stats) -> Terms:
        """Its bits by what they are for."""
        return self._named(added(self.values.terms(stats, *self.matrix), self.index.terms(stats, *self.scanned)))

    def _named(self, terms: Terms) -> Terms:
        """Terms that are not zero, those of an array that is no kernel by what it is for."""
        renamed = {} if self.part is None else {self.values.term: self.part}
        return {renamed.get(name, name): bits for name, bits in terms.items() if type(bits) is not int or bits}

    def measured(self, reader: ByteReader, content: Content) -> Terms:
        """The bits that a reader found for what was decoded, those of fillers apart, as `terms` has them."""
        terms: Terms = dict(reader.ledger)
        if isinstance(self.index, Gaps):
            filled = int(np.count_nonzero(content.codes == self.values.filler))
            for term, bits, symbol in (
                (self.values.term, self.values.stream.bits, self.values.filler),
                ("gaps", self.index.bits, self.index.longest),
            ):
                moved = filled * int(reader.lengths[term][symbol] if term in reader.lengths else bits)
                terms = added(terms, {term: -moved, "fillers": moved}) if moved else terms
        return self._named(terms)

    def stats(self, content: Content) -> Stats:
        """The counts of its symbols."""
        positions = content.positions
        kept = self.elements if positions is None else len(positions)
        filled, gaps = (0, None) if positions is None else self.index.stats(positions)
        return Stats(kept, filled, self.values.counts(content, filled), gaps)

    def expected(self) -> Stats:
        """What is expected of them when its weights are not known: positions are independent."""
        kept = self.elements if self.dense else kept_of(self.elements, self.density)
        filled, gaps = self.index.expected(self.density, kept)
        return Stats(kept, filled, self.values.expected(kept, filled), gaps)

    # -------------------------------------------------------------- symbols

    def symbols(self, array: Array) -> Content:
        """The array as symbols, in the order of the scan."""
        return self.in_scan(self.chosen(array))

    def chosen(self, array: Array) -> Content:
        """What stands for its largest weights, and where these are in the array.

        Raises:
            ArchspecError: It is not of this shape, or holds a number that is not finite.
        """
        if array.shape != self.shape:
            raise ArchspecError(f"{self.key} is {sizes(array.shape)}; the network's is {sizes(self.shape)}")
        flat = np.ascontiguousarray(array, np.float32).ravel()
        if self.dense and self.density == 1:
            if not np.isfinite(flat).all():
                raise ArchspecError(f"{self.key} holds a number that is not finite")
            return self.values.quantised(flat, None, *self.matrix)
        positions = largest(flat, kept_of(self.elements, self.density), self.key)
        content = self.values.quantised(flat[positions], positions, *self.matrix)
        if not self.dense:
            return replace(content, positions=positions)
        codes = np.full(self.elements, self.values.filler, content.codes.dtype)
        codes[positions] = content.codes
        return replace(content, codes=codes)

    def in_scan(self, content: Content) -> Content:
        """What was chosen, in the order of the scan; what came to be zero is left out."""
        codes, positions = content.codes, content.positions
        if positions is None:
            return content
        if self.values.drops:
            left = codes != self.values.filler
            positions, codes = positions[left], codes[left]
        if self.scan == "columns":
            rows, columns = self.matrix
            positions = positions % columns * rows + positions // columns
            order = np.argsort(positions, kind="stable")
            positions, codes = positions[order], codes[order]
        return replace(content, positions=positions, codes=codes)

    def natural(self, positions: Array | None) -> Array | None:
        """Positions of the scan as those of the array."""
        if positions is None or self.scan == "rows":
            return positions
        rows, columns = self.matrix
        found: Array = positions % rows * columns + positions // rows
        return found

    def array(self, content: Content) -> Array:
        """The array that symbols stand for, in float32."""
        columns = self.matrix[1]
        positions = self.natural(content.positions)
        numbers = self.values.numbers(content, positions, columns)
        if positions is None:
            return (
                np.broadcast_to(numbers, self.shape) if len(numbers) != self.elements else numbers.reshape(self.shape)
            )
        flat = np.zeros(self.elements, np.float32)
        flat[positions] = numbers
        return flat.reshape(self.shape)

    # -------------------------------------------------------------- bytes

    def encode(self, content: Content) -> bytes:
        """The symbols in bytes: the index, then the values."""
        codes, positions = content.codes, content.positions
        if positions is None:
            return self.values.encode(content, codes, *self.matrix)
        spread = self.index.spread(codes, positions, self.values.filler)
        index = self.index.encode(positions, *self.scanned)
        return index + self.values.encode(content, spread, *self.matrix)

    def decode(self, reader: ByteReader, *, sample: bool = False) -> Content:
        """The symbols of bytes, the zeros of fillers among them; of a sample, some blocks of each stream.

        Raises:
            DamagedError: The bytes are not what is written.
        """
        if self.dense:
            return self.values.decode(reader, self.elements, *self.matrix, sample=sample)
        positions = self.index.decode(reader, *self.scanned, sample=sample)
        content = self.values.decode(reader, len(positions), *self.matrix, sample=sample)
        return replace(content, positions=positions)

    def without_fillers(self, content: Content) -> Content:
        """Decoded symbols without the zeros that fill gaps, as they were before they were written."""
        if not isinstance(self.index, Gaps) or content.positions is None:
            return content
        kept = content.codes != self.values.filler
        return replace(content, positions=content.positions[kept], codes=content.codes[kept])

    # -------------------------------------------------------------- description

    def described(self) -> list[Any]:
        """What the file says of it: its name, its shape, and how it is written if not as numbers of 32 bits."""
        scan = {"scan": self.scan} if self.scan != "rows" else {}
        how = [self.values.described(), {**self.index.described(), **scan}]
        while how and not how[-1]:
            how.pop()
        return [self.key, list(self.shape), *how]

    @classmethod
    def read(cls, described: Any) -> "Coding":
        """The coding that a description speaks of: only what `described` writes is accepted.

        Raises:
            DamagedError: It is no description that is written.
        """
        try:
            key, shape, *how = described
            said, indexed = (dict(each) for each in [*how, {}, {}][:2])
            values = next((form for form in VALUES if form.keys[0].name in said), Numbers).read(said)
            index = next((form for form in INDICES if form.keys[0].name in indexed), Dense).read(indexed)
            if not isinstance(index, Dense) and not _sparse(values):
                raise ValueError(f"{values.name} are of all weights")
            if isinstance(values, Codebook):
                values = replace(values, zero=isinstance(index, Gaps))
            found = cls(str(key), tuple(shape), values, index, SCAN.read(indexed.get("scan", SCAN.usual)))
        except (TypeError, ValueError) as error:
            raise DamagedError(f"the description of an array cannot be read: {printable(str(error), 100)}") from None
        whole = all(type(size) is int and size > 0 for size in found.shape)
        if not whole or not KEY.match(found.key) or type(key) is not str or found.described() != described:
            raise DamagedError(
                f"the description of an array is not one that this library writes: {printable(str(described), 80)}"
            )
        return found


@dataclass(frozen=True)
class ArraySize:
    """An array of a file, and its bits by what they are for."""

    coding: Coding
    terms: Terms

    @property
    def bits(self) -> Dim:
        """All of them."""
        return sum(self.terms.values())


def _sparse(values: Values) -> bool:
    """Whether such values can be of some weights alone: not if zero has no code of its own, or one for all groups."""
    if isinstance(values, LinearQuantisation):
        return values.rule != "zero_point"
    return isinstance(values, (Numbers, Codebook))


def kept_of(elements: int, density: Dim) -> int:
    """The weights that are kept at a density: ⌈n·p⌉, so that some are.

    >>> kept_of(1000, 1), kept_of(10, 0.25)
    (1000, 3)
    """
    kept: int = math.ceil(elements * density)
    return kept


def largest(values: Array, count: int, what: str) -> Array:
    """The positions of so many values of the largest size; of equals the first. Zeros are never among them.

    So weights are pruned (Han et al. 2015, arXiv:1506.02626).

    Args:
        values: Numbers in float32.
        count: How many, at least one.
        what: What the values are called in errors.

    Raises:
        ArchspecError: One is no finite number.

    >>> largest(np.array([3, -1, 0, 1, -2], np.float32), 3, "w").tolist()
    [0, 1, 4]
    """
    threshold = _threshold(values, count, what)
    above = _where(values, lambda size: size > threshold)
    if threshold == 0 or len(above) == count:
        return above
    equal = _where(values, lambda size: size == threshold)[: count - len(above)]
    return np.sort(np.concatenate((above, equal)))


def _threshold(values: Array, count: int, what: str) -> float:
    """The size of the last that is kept."""
    sizes = np.abs(values)
    if not np.isfinite(sizes.max(initial=0)):
        raise ArchspecError(f"{what} holds a number that is not finite")
    if count >= len(sizes):
        return 0.0
    at = len(sizes) - count
    sizes.partition(at)
    return float(sizes[at])


def _where(values: Array, kept: Callable[[Array], Array]) -> Array:
    """The positions of values whose size is such."""
    parts = [
        np.flatnonzero(kept(np.abs(values[start : start + CHUNK]))) + start for start in range(0, len(values), CHUNK)
    ]
    return np.concatenate(parts) if parts else np.zeros(0, np.intp)
