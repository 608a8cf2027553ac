"""The rules behind the closed forms of compression: pruning, sharing, low rank, sparse storage, one bit."""

from collections.abc import Iterable, Sequence

from archspec.dims import Dim, ceil_div, divide, exact, is_number, log2, power, sqrt
from archspec.errors import ArchspecError

# ------------------------------------------------------------------ pruning (Han et al. 2015, arXiv:1506.02626)


def kept_weights(n: Dim, p: Dim) -> Dim:
    """The weights that are kept of n at density p: n·p.

    >>> kept_weights(784 * 300, 1)
    235200
    """
    return exact(n * p)


def pruned_flops(p: Dim, a: Dim) -> Dim:
    """The share of a layer's arithmetic that is left, with p of its weights and a of its inputs not zero: p·a.

    A product is needed where both of its factors are left; that they are so independently is the paper's assumption.
    """
    return p * a


def dropout_after_pruning(D_o: Dim, C_ir: Dim, C_io: Dim) -> Dim:  # noqa: N803  # the paper's letters
    """The dropout with which a pruned layer is trained again: D_o·√(C_ir/C_io).

    The connections of a layer grow with the square of its neurons, and dropout works on neurons: hence the root.

    >>> dropout_after_pruning(1, 9, 36)
    Fraction(1, 2)
    """
    return D_o * sqrt(divide(C_ir, C_io))


# ------------------------------------------------------------------ weight sharing (Han, Mao and Dally 2016, section 3)


def codebook_bits(k: Dim, b: Dim) -> Dim:
    """The bits of a codebook of k numbers of b bits: k·b."""
    return k * b


def shared_bits(n: Dim, k: Dim, b: Dim) -> Dim:
    """The bits of n weights that share k numbers of b bits: a code of log₂ k bits each, and the codebook.

    >>> shared_bits(16, 4, 32)
    160
    """
    codes = n * log2(k)
    return codes + codebook_bits(k, b)


def weight_sharing(n: Dim, k: Dim, b: Dim) -> Dim:
    """The compression rate of n weights of b bits that share k numbers: n·b / (n·log₂ k + k·b).

    >>> float(weight_sharing(16, 4, 32))
    3.2
    """
    return divide(n * b, shared_bits(n, k, b))


def layer_bits(e: Dim, w: Dim, i: Dim, s: Dim, b: Dim, c: Dim) -> Dim:
    """The bits of a compressed layer: e entries of a code (w) and a gap (i), s shared numbers and c biases of b bits.

    With Huffman coding, w and i are average lengths, and the codebook stays.

    >>> layer_bits(100, 5, 4, 2**5, 32, 10)
    2244
    """
    return e * (w + i) + codebook_bits(s, b) + c * b


def scales(m: Dim, n: Dim, per: str | int) -> Dim:
    """The scales of an m × n matrix: one, one per row ("channel"), or one per group of so many weights of a row.

    >>> scales(10, 300, "channel"), scales(10, 300, 128)
    (10, 30)
    """
    if per == "tensor":
        return 1
    return m if per == "channel" else m * ceil_div(n, per)


# ------------------------------------------------------------------ low rank (Denton et al. 2014)


def low_rank_weights(m: Dim, n: Dim, r: Dim) -> Dim:
    """The weights of an m × n matrix as an m × r one and an r × n one: m·r + r·n."""
    return m * r + r * n


def low_rank_rate(m: Dim, n: Dim, r: Dim) -> Dim:
    """How many times fewer weights the two have: m·n / (r·(m + n))."""
    return divide(m * n, low_rank_weights(m, n, r))


def break_even_rank(m: Dim, n: Dim) -> Dim:
    """The rank at which the two have as many weights as the matrix: m·n/(m + n).

    >>> break_even_rank(4096, 4096), low_rank_weights(4096, 4096, 2048) == 4096 * 4096
    (2048, True)
    """
    return divide(m * n, m + n)


# ------------------------------------------------------------------ sparse storage (Han, Mao and Dally 2016, section 2)

# A gap is the distance from one kept weight to the next, from 1 on; the first one's is from before the first weight.
# In i bits a gap has from 1 to 2^i (the authors' file holds it less 1), and a longer one is cut by zeros that are
# stored as if they were kept: one for each span of 2^i that is over before the next weight comes.

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


# ------------------------------------------------------------------ one bit (Rastegari et al. 2016, arXiv:1603.05279)

WORD = 64
"""The one-bit operations that a machine does at once."""


def binary_memory(n: Dim, f: Dim, b: Dim) -> Dim:
    """How much smaller n weights of b bits are with one bit each and f real factors: n·b / (n + f·b).

    >>> binary_memory(1, 0, 32)
    32
    """
    return divide(n * b, n + f * b)


def xnor_speedup(c: Dim, N_W: Dim) -> Dim:  # noqa: N803  # the paper's letters
    """How much faster a filter of c channels and N_W taps is with one bit: 64·c·N_W / (c·N_W + 64).

    Of each output it does c·N_W products, or as many one-bit ones, 64 at once, and one product with a real factor.

    >>> round(float(xnor_speedup(256, 9)), 2)
    62.27
    """
    products, scalings = c * N_W, 1
    return divide(products, divide(products, WORD) + scalings)
