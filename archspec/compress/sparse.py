"""Sparse storage: compressed rows or columns, and gaps in a fixed number of bits (Han, Mao and Dally 2016).

A gap is the distance from one kept weight to the next, from 1 on; the first one's is from before the first weight.
In i bits a gap has from 1 to 2^i (the authors' file holds it less 1), and a longer one is cut by zeros that are
stored as if they were kept: one for each span of 2^i that is over before the next weight comes.
"""

from collections.abc import Iterable, Sequence

from archspec.dims import Dim, ceil_div, divide, is_number, power
from archspec.errors import ArchspecError

MAX_INDEX_BITS = 16


def compressed_rows(a: Dim, n: Dim) -> Dim:
    """The numbers that compressed sparse rows (or columns) hold of a non-zero ones in n rows (or columns): 2a + n + 1.

    The values, the column of each, and where each row begins, with the end of the last.
    """
    values, columns, begins = a, a, n + 1
    return values + columns + begins


def fillers(p: Dim, i: Dim) -> Dim:
    """The zeros that fill long gaps, expected for each kept weight: q/(1 − q) with q = (1 − p)^(2^i).

    If weights are kept independently with probability p, a gap is longer than g with probability (1 − p)^g. It takes an
    m-th filler if it is longer than m·2^i: with probability q^m. The expectation is q + q² + q³ + … = q/(1 − q).

    Raises:
        ArchspecError: p is no density, or i is too large.

    >>> from fractions import Fraction
    >>> fillers(Fraction(1, 2), 0), fillers(Fraction(1, 2), 2)
    (1, Fraction(1, 15))
    """
    if is_number(i) and not (type(i) is int and 0 <= i <= MAX_INDEX_BITS):
        raise ArchspecError(f"a gap has from 0 to {MAX_INDEX_BITS} bits (got {i})")
    if is_number(p) and not 0 < p <= 1:
        raise ArchspecError(f"a density lies above 0 and is at most 1 (got {p})")
    q = power(1 - p, power(2, i))
    return divide(q, 1 - q)


def stored_share(p: Dim, i: Dim) -> Dim:
    """The share of the weights that is stored: the kept ones, and the fillers among them.

    >>> stored_share(1, 4)
    1
    """
    return p * (1 + fillers(p, i))


def fillers_between(gap: Dim, i: Dim) -> Dim:
    """The fillers of one gap: ⌈gap/2^i⌉ − 1.

    >>> fillers_between(11, 3)
    1
    """
    return ceil_div(gap, power(2, i)) - 1


def fillers_of(positions: Iterable[int], i: int) -> int:
    """The fillers of a pattern: of the positions of its kept weights, from 0 on and in order.

    >>> fillers_of([1, 4, 15], 3)
    1
    """
    return sum(fillers_between(gap, i) for gap in gaps(positions))


def gaps(positions: Iterable[int]) -> Sequence[int]:
    """The gaps of a pattern: each position less the one before it.

    Raises:
        ArchspecError: The positions do not rise.

    >>> gaps([1, 4, 15])
    [2, 3, 11]
    """
    before, found = -1, []
    for position in positions:
        if position <= before:
            raise ArchspecError(f"positions rise from 0 on (got {position} behind {before})")
        found.append(position - before)
        before = position
    return found


def gap_bits(positions: Iterable[int], i: int, w: int) -> int:
    """The bits in which a pattern is stored: a gap of i and a value of w, of each kept weight and each filler."""
    positions = list(positions)
    return (len(positions) + fillers_of(positions, i)) * (i + w)
