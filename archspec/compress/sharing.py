"""Weight sharing: a codebook of k numbers, and for each weight which of them (Han, Mao and Dally 2016, section 3)."""

from archspec.dims import Dim, ceil_div, divide, log2


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
