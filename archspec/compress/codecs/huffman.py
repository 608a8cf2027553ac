"""Canonical Huffman codes of at most 15 bits, in blocks of 4,096 symbols.

A stream is: the length of each symbol's code in 4 bits; the bits of each block in 16; and the codes. Codes follow from
their lengths: the shortest first, those of one length in the order of their symbols, each the number behind the one
before. A symbol alone has a code of one bit. Blocks can be decoded apart, and so many at once.
"""

from dataclasses import dataclass

import numpy as np

from archspec.compress.codecs.base import Array, ByteReader, Counts, DamagedError, Terms
from archspec.compress.codecs.streams import Fixed, Stream
from archspec.compress.names import LONGEST
from archspec.dims import Dim, ceil_div

BLOCK = 4096
LANES = 4096
"""The blocks that are decoded at once."""

FEW = 64
"""The blocks below which it is quicker to decode one after the other."""

SAMPLE = 16
"""The blocks of a stream that a sample decodes."""


@dataclass(frozen=True)
class Huffman(Stream):
    """Symbols below 2^bits in Huffman codes.

    >>> Huffman(2).encode(np.array([0, 0, 0, 1], np.uint16)).hex()  # lengths 1, 1, 0, 0; 4 bits; 0 0 0 1
    '1100040010'
    """

    def payload(self, counts: Counts) -> Dim:
        """The bits of all codes."""
        if counts.each is None:
            return counts.total * (self.bits if counts.average is None else counts.average)
        return sum(count * length for count, length in zip(counts.each, counts.lengths, strict=True))

    def length(self, counts: Counts, symbol: int) -> Dim:
        """The bits of a symbol's code."""
        if counts.each is None:
            return self.bits if counts.average is None else counts.average
        return counts.lengths[symbol]

    def beside(self, counts: Counts) -> Terms:
        """The lengths of the codes, and those of the blocks."""
        blocks = ceil_div(counts.total, BLOCK) if isinstance(counts.total, int) else counts.total / BLOCK
        return {"tables": 4 * 2**self.bits, "blocks": 16 * blocks}

    def encode(self, symbols: Array) -> bytes:
        """The stream in bytes."""
        lengths = np.array(Counts.of(symbols, self.bits).lengths, np.uint8)
        each = lengths[symbols]
        blocks = np.add.reduceat(each, range(0, len(each), BLOCK), dtype=np.int64) if len(each) else each
        codes = canonical(lengths)[symbols]
        return Fixed(4).encode(lengths) + blocks.astype("<u2").tobytes() + _bits(codes, each)

    def decode(self, reader: ByteReader, count: int, term: str, *, sample: bool = False) -> Array:
        """The symbols back; of a sample, those of some blocks.

        Raises:
            DamagedError: The table is no complete code, a block is not as long as it says, or bytes are missing.
        """
        lengths = Fixed(4).decode(reader, 2**self.bits, "tables")
        _refuse_incomplete(lengths, count, reader)
        blocks = reader.numbers("<u2", ceil_div(count, BLOCK), "the lengths of blocks").astype(np.int64)
        total = int(blocks.sum())
        data = np.frombuffer(reader.take(-(-total // 8), "a stream of codes"), np.uint8)
        if total % 8 and int(data[-1]) & ((1 << (-total % 8)) - 1):
            raise reader.damaged("the bits behind a stream are not zero")
        reader.note("blocks", 16 * len(blocks))
        reader.note(term, total)
        reader.lengths[term] = lengths
        if not count:
            return np.zeros(0, np.uint16)
        sizes = np.full(len(blocks), BLOCK)
        sizes[-1] = count - BLOCK * (len(blocks) - 1)
        starts = np.cumsum(blocks) - blocks
        chosen = np.unique(np.linspace(0, len(blocks) - 1, SAMPLE).astype(int)) if sample else np.arange(len(blocks))
        table = _table(lengths)
        try:
            return np.concatenate(
                [
                    _decoded(data, starts[part], blocks[part], sizes[part], table)
                    for part in np.split(chosen, range(LANES, len(chosen), LANES))
                ]
            )
        except DamagedError as error:
            raise reader.damaged(str(error)) from None


def stream(bits: int, huffman: bool) -> Stream:
    """The stream of symbols below 2^bits, in Huffman codes or not."""
    return Huffman(bits) if huffman else Fixed(bits)


def canonical(lengths: Array) -> Array:
    """The codes that follow from their lengths, by symbol.

    >>> [f"{code:b}" for code in canonical(np.array([2, 1, 3, 3]))]
    ['10', '0', '110', '111']
    """
    codes = np.zeros(len(lengths), np.uint64)
    code = length = 0
    for symbol in np.argsort(lengths, kind="stable"):
        if lengths[symbol]:
            code <<= int(lengths[symbol]) - length
            length = int(lengths[symbol])
            codes[symbol] = code
            code += 1
    return codes


def _bits(codes: Array, lengths: Array) -> bytes:
    """Codes of these lengths, one behind the other: those that begin in a word of 32 bits are added in 64."""
    ends = np.cumsum(lengths, dtype=np.int64)
    total = int(ends[-1]) if len(ends) else 0
    words = np.zeros(total // 32 + 2, np.uint32)
    for start in range(0, len(codes), 1 << 20):
        part = slice(start, start + (1 << 20))
        end, length = ends[part], lengths[part]
        begin = end - length
        word = begin >> 5
        placed = codes[part] << (64 - (begin & 31) - length).astype(np.uint64)
        first = np.concatenate(([0], np.flatnonzero(word[1:] != word[:-1]) + 1))
        sums = np.add.reduceat(placed, first)
        words[word[first]] |= (sums >> np.uint64(32)).astype(np.uint32)
        words[word[first] + 1] |= sums.astype(np.uint32)  # the lower half
    return words.astype(">u4").tobytes()[: -(-total // 8)]


def _refuse_incomplete(lengths: Array, count: int, reader: ByteReader) -> None:
    """Nothing, if the codes fill the tree, so that all words are codes. One symbol alone has a code of one bit."""
    used = lengths[lengths > 0].astype(np.int64)
    room = int((1 << (LONGEST - used)).sum())
    if len(used) == 0 and count == 0:
        return
    if not count or not (room == 1 << LONGEST or (len(used) == 1 and used[0] == 1)):
        raise reader.damaged(f"a table of codes fills {room}/{1 << LONGEST} of the tree for {count} symbols")


def _table(lengths: Array) -> Array:
    """For each word of 15 bits the symbol whose code begins it, times 16, and the length of that code; 0 if none."""
    order = np.argsort(lengths, kind="stable")
    order = order[lengths[order] > 0]
    entries = np.repeat(order * 16 + lengths[order], 1 << (LONGEST - lengths[order].astype(np.int64)))
    return np.concatenate((entries, np.zeros((1 << LONGEST) - len(entries), entries.dtype)))


def _decoded(data: Array, starts: Array, bits: Array, sizes: Array, table: Array) -> Array:
    """The symbols of blocks.

    Raises:
        DamagedError: A block ends elsewhere than it says.
    """
    first = int(starts[0]) // 8
    padded = np.zeros((int(starts[-1] + bits[-1]) + 7) // 8 - first + 4, np.uint32)
    own = data[first : first + len(padded)]
    padded[: len(own)] = own
    windows = (padded[:-2] << 16) | (padded[1:-1] << 8) | padded[2:]
    begins = starts - 8 * first
    try:
        found, ends = (_walked if len(begins) < FEW else _in_step)(windows, begins, sizes, table)
        if np.array_equal(ends, begins + bits):
            return found
    except IndexError:
        """It reads beyond the last."""
    raise DamagedError("a block of codes is not as long as it says")


def _walked(windows: Array, starts: Array, sizes: Array, table: Array) -> tuple[Array, Array]:
    """A few blocks, one symbol at a time: what begins at each bit is looked up beforehand."""
    words = windows[:, None] >> np.arange(24 - LONGEST, 24 - LONGEST - 8, -1, dtype=np.uint32)
    entries = table.take(words.ravel() & (2**LONGEST - 1)).tolist()
    found, ends = [], []
    for start, size in zip(starts.tolist(), sizes.tolist(), strict=True):
        at = start
        for _ in range(size):
            entry = entries[at]
            at += entry & 15
            found.append(entry >> 4)
        ends.append(at)
    return np.array(found, np.uint16), np.array(ends)


def _in_step(windows: Array, starts: Array, sizes: Array, table: Array) -> tuple[Array, Array]:
    """Many blocks, one symbol of each at a time."""
    at, lanes = starts.copy(), len(starts)
    found = np.zeros((int(sizes[0]), lanes), np.uint16)
    for step in range(len(found)):
        if step == sizes[-1]:  # the last block of a stream is shorter
            lanes -= 1
        here = at[:lanes]
        word = windows.take(here >> 3) >> (24 - LONGEST - (here & 7)).astype(np.uint32)
        entry = table.take(word & (2**LONGEST - 1))
        found[step, :lanes] = entry >> 4
        here += entry & 15
    return found.T.ravel()[: int(sizes.sum())], at
