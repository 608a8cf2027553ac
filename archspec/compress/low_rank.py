"""Low-rank factorisation: a matrix as the product of two thin ones, by its singular values (Denton et al. 2014)."""

from archspec.dims import Dim, divide


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
