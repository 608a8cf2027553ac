"""Pruning: what is left of weights, of arithmetic and of dropout (Han et al. 2015, arXiv:1506.02626)."""

from archspec.dims import Dim, divide, exact, sqrt


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
