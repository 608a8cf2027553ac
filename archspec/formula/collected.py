"""A sum with many summands, as one would write it: grouped by spatial size, a term for each."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import sympy
from sympy import Add, Dummy, Expr, Mul

from archspec.graph import Network
from archspec.symbols import to_sympy

SHORTER = 0.7
"""A factored polynomial is written where it is this much shorter than the sum."""

MOST_TERMS = 60
"""Polynomials of more terms are not factored: it takes long, and helps little."""

Groups: TypeAlias = dict[Expr, dict[Expr, Expr]]


def sizes(network: Network) -> tuple[Expr, ...]:
    """The spatial sizes of a network that are expressions, in the order in which they come."""
    tensors = (*network.inputs.values(), *(node.output for node in network.nodes))
    found = (size for tensor in tensors if len(tensor.shape) == 4 for size in tensor.shape[2:])
    return tuple(dict.fromkeys(size for size in found if isinstance(size, Expr) and size.free_symbols))


def summed(summands: Iterable[Any]) -> dict[Expr, int]:
    """The summands without repeats, and how often each is there."""
    often: dict[Expr, int] = {}
    for summand in summands:
        expression = to_sympy(summand)
        often[expression] = often.get(expression, 0) + 1
    return often


def collected(summands: Mapping[Expr, int], by: Iterable[Expr] = ()) -> tuple[Expr, ...]:
    """The terms of a sum, one for each product of the sizes that it is grouped by.

    Args:
        summands: What is added, and how often each.
        by: Spatial sizes; each is one letter while the sum is taken apart, whatever it is made of.

    >>> from sympy import symbols
    >>> c, m, g, h, w = symbols("c m g h w", positive=True)
    >>> collected({h * w * c * m / g: 2, 9 * h * w * m: 1}, by=(h, w))
    (h*w*(2*c*m/g + 9*m),)
    """
    opaque = {size: Dummy(f"size{number:03}", positive=True, integer=True) for number, size in enumerate(by)}
    back = {dummy: size for size, dummy in opaque.items()}
    groups: Groups = {}
    for summand, often in summands.items():
        for monomial in Add.make_args(sympy.expand(summand.xreplace(opaque) if opaque else summand)):
            coefficient, rest = monomial.as_coeff_Mul()
            outer, inner = _split(rest, back)
            group = groups.setdefault(outer, {})
            group[inner] = group.get(inner, 0) + often * coefficient
    ordered = sorted(groups, key=lambda outer: (not outer.free_symbols, str(outer)))
    terms = (outer.xreplace(back) * polynomial(groups[outer]).xreplace(back) for outer in ordered)
    return tuple(term for term in terms if term != 0)


def _split(product: Expr, back: Mapping[Expr, Expr]) -> tuple[Expr, Expr]:
    """A product as that of its sizes and that of the rest."""
    if not back:
        return sympy.Integer(1), product
    outer: list[Expr] = []
    inner: list[Expr] = []
    for factor in Mul.make_args(product):
        (outer if factor.as_base_exp()[0] in back else inner).append(factor)
    return Mul(*outer), Mul(*inner)


def polynomial(monomials: Mapping[Expr, Expr]) -> Expr:
    """The sum of monomials with their coefficients, with what all have in common taken out where that is shorter."""
    flat = Add(*(coefficient * monomial for monomial, coefficient in monomials.items()))
    if not flat.is_Add or len(flat.args) > MOST_TERMS:
        return flat
    common = sympy.factor_terms(flat)
    return common if _length(common) < SHORTER * _length(flat) else flat


def _length(expression: Expr) -> int:
    """How long an expression is to read: its letters, numbers and signs."""
    return sum(1 for _ in sympy.preorder_traversal(expression))
