"""Huffman coding: the exact length for given frequencies, and the bounds that entropy sets (Huffman 1952)."""

import heapq
from collections.abc import Iterable, Sequence
from decimal import Context, Decimal
from fractions import Fraction
from math import gcd
from typing import Any

from archspec.compress.names import LONGEST
from archspec.dims import Dim
from archspec.errors import ArchspecError
from archspec.interval import Interval

DIGITS = 40
"""The digits that logarithms are computed to."""


def huffman_at_least(n: Dim, H: Dim) -> Dim:  # noqa: N803  # Shannon's letter
    """The bits below which no prefix code of n symbols can be, of entropy H each: n·H."""
    return n * H


def huffman_below(n: Dim, H: Dim) -> Dim:  # noqa: N803
    """The bits that a Huffman code of n symbols of entropy H stays below: n·(H + 1)."""
    return n * (H + 1)


def code_lengths(frequencies: Sequence[int]) -> tuple[int, ...]:
    """The lengths of the codes of a Huffman code, for symbols that occur so often; 0 of one that does not.

    A symbol alone has a code of one bit: a code of none could not be counted when it is read. Of all Huffman codes it
    is one with the shortest longest code.

    Raises:
        ArchspecError: A frequency is negative, or no symbol occurs.

    >>> code_lengths([5, 9, 12, 13, 16, 45])
    (4, 4, 3, 3, 3, 1)
    """
    if any(frequency < 0 for frequency in frequencies):
        raise ArchspecError(f"frequencies are not negative (got {min(frequencies)})")
    used = [symbol for symbol, frequency in enumerate(frequencies) if frequency]
    if not used:
        raise ArchspecError("no symbol occurs")
    lengths = [0] * len(frequencies)
    if len(used) == 1:
        lengths[used[0]] = 1
        return tuple(lengths)
    parents = _tree([frequencies[symbol] for symbol in used])
    depths = [0] * len(parents)
    for node in reversed(range(len(parents) - 1)):
        depths[node] = depths[parents[node]] + 1
    for symbol, depth in zip(used, depths, strict=False):
        lengths[symbol] = depth
    return tuple(lengths)


def _tree(frequencies: Sequence[int]) -> list[int]:
    """The parent of each node of a Huffman tree: first the leaves, then the joins, the root behind all others."""
    count = len(frequencies)
    parents = [0] * (2 * count - 1)
    queue = [(frequency, leaf) for leaf, frequency in enumerate(frequencies)]
    heapq.heapify(queue)
    for join in range(count, 2 * count - 1):
        (a, left), (b, right) = heapq.heappop(queue), heapq.heappop(queue)
        parents[left] = parents[right] = join
        heapq.heappush(queue, (a + b, join))
    return parents


def coded_bits(frequencies: Sequence[int]) -> int:
    """The bits of a text in a Huffman code, from how often each symbol occurs; the table of codes is not counted.

    >>> coded_bits([5, 9, 12, 13, 16, 45])
    224
    """
    return sum(f * length for f, length in zip(frequencies, code_lengths(frequencies), strict=True))


def entropy(frequencies: Iterable[int]) -> Interval:
    """The entropy of a symbol in bits, Σ p·log₂(1/p): certain to about 30 digits.

    >>> round(float(entropy([5, 9, 12, 13, 16, 45]).low), 4)
    2.2199
    """
    used = [frequency for frequency in frequencies if frequency]
    if not used or min(used) < 0:
        raise ArchspecError("no symbol occurs" if not used else f"frequencies are not negative (got {min(used)})")
    common = gcd(*used)
    used = [frequency // common for frequency in used]  # only then are all powers of two seen to be such
    total = sum(used)
    # Σ p·log₂(1/p) = log₂ total − Σ f·log₂ f / total
    logs = sum((frequency * _log2(frequency) for frequency in used), Interval(0, 0))
    found: Interval = _log2(total) - logs * Fraction(1, total)
    return Interval(max(found.low, Fraction(0)), max(found.high, Fraction(0)))


def _log2(n: int) -> Interval:
    """log₂ n, between two rational numbers; exact of a power of two."""
    if n & (n - 1) == 0:
        return Interval(Fraction(n.bit_length() - 1), Fraction(n.bit_length() - 1))
    context = Context(prec=DIGITS)
    near = Fraction(context.divide(context.ln(Decimal(n)), context.ln(Decimal(2))))
    error = near * Fraction(1, 10 ** (DIGITS - 3))  # three roundings, of half a digit each
    return Interval(near - error, near + error)


def bounds(frequencies: Sequence[int]) -> Interval:
    """The bits between which entropy puts the Huffman code of such a text: at least n·H, and less than n·(H + 1)."""
    total, each = sum(frequencies), entropy(frequencies)
    return Interval(huffman_at_least(total, each.low), huffman_below(total, each.high))


def limited_lengths(counts: Sequence[Dim]) -> tuple[int, ...]:
    """The lengths of the shortest prefix codes of at most 15 bits, for symbols that occur so often.

    A symbol that does not occur has the length 0. Where Huffman's own are longer, packages are merged (Larmore and
    Hirschberg 1990).

    Raises:
        ArchspecError: More than 2^15 symbols occur.

    >>> limited_lengths([5, 9, 12, 13, 16, 45]), limited_lengths([0, 3]), limited_lengths([0, 0])
    ((4, 4, 3, 3, 3, 1), (0, 1), (0, 0))
    """
    if not any(counts):
        return (0,) * len(counts)
    lengths = code_lengths(counts)
    return lengths if max(lengths) <= LONGEST else _packaged(counts)


def _packaged(counts: Sequence[Dim]) -> tuple[int, ...]:
    """By packages: the cheapest coins of the values 2^-1 to 2^-15 that add up to one less than the symbols."""
    leaves = sorted((count, symbol) for symbol, count in enumerate(counts) if count)
    if len(leaves) > 2**LONGEST:
        raise ArchspecError(f"{len(leaves)} symbols have no codes of {LONGEST} bits at most; fewer bits, or no codes")
    coins = [(count, (symbol,)) for count, symbol in leaves]
    row: list[tuple[Any, Any]] = []
    for _ in range(LONGEST):
        packages = [(row[i][0] + row[i + 1][0], (row[i][1], row[i + 1][1])) for i in range(0, len(row) - 1, 2)]
        row = sorted([*coins, *packages], key=lambda coin: coin[0])  # of equals, symbols before packages
    lengths = [0] * len(counts)
    bought = [coin[1] for coin in row[: 2 * len(leaves) - 2]]
    while bought:
        coin = bought.pop()
        if isinstance(coin[0], tuple):
            bought.extend(coin)
        else:
            lengths[coin[0]] += 1
    return tuple(lengths)
