"""Sums as one would write them: grouped by spatial size, a term for each; and their two views without roundings.

| view       | ⌈(side − 62)/32⌉ | ⌊32α⌋ | ⌊24α⌉₈ |                                                        |
|------------|------------------|-------|--------|--------------------------------------------------------|
| divisible  | side/32 − 1      | 32α   | 24α    | exact under conditions: 32 divides side, α is whole, …  |
| asymptotic | side/32          | 32α   | 24α    | for ratios, and for how costs grow                      |
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sympy import Add, Dummy, Expr, Integer, Mul, Symbol, expand, factor_terms, fraction, preorder_traversal

from archspec import symbols
from archspec.formula.assumptions import ROUNDINGS, merged
from archspec.graph import Network
from archspec.symbols import CeilDiv, Condition, MakeDivisible, Maximum, Minimum, to_sympy

SHORTER = 0.7
"""A factored polynomial is written where it is this much shorter than the sum."""

MOST_TERMS = 60
"""Polynomials of more terms are not factored: it takes long, and helps little."""


def sizes(network: Network) -> tuple[Expr, ...]:
    """The heights and widths of images, and the lengths of sequences, that are expressions, in the order they come in.

    Four axes are an image where a network takes one, and in what is made of it; not where a sequence is split into
    heads. Of three axes the second is the length; the last, where convolutions go along it.
    """
    length = 2 if any(getattr(node.operator, "axes", None) == 1 for node in network.nodes) else 1
    images = {name for name, x in network.inputs.items() if len(x.shape) == 4}
    found: list[Any] = []
    tensors = [(name, (), x) for name, x in network.inputs.items()]
    for name, inputs, x in (*tensors, *((node.name, node.inputs, node.output) for node in network.nodes)):
        if len(x.shape) == 4 and (name in images or any(each in images for each in inputs)):
            images.add(name)
            found += x.shape[2:]
        elif len(x.shape) == 3:
            found.append(x.shape[length])
    return tuple(dict.fromkeys(size for size in found if isinstance(size, Expr) and size.free_symbols))


def repeats(network: Network) -> tuple[Symbol, ...]:
    """The symbols that say how often a part of a network stands in it."""
    often = dict.fromkeys(node.times for node in network.nodes if isinstance(node.times, Expr))
    return tuple(dict.fromkeys(symbol for each in often for symbol in sorted(each.free_symbols, key=str)))


def summed(summands: Iterable[Any]) -> dict[Expr, int]:
    """The summands without repeats, and how often each is there."""
    often: dict[Expr, int] = {}
    for summand in summands:
        expression = to_sympy(summand)
        often[expression] = often.get(expression, 0) + 1
    return often


def collected(summands: Mapping[Expr, int], by: Iterable[Expr] = (), times: Iterable[Symbol] = ()) -> tuple[Expr, ...]:
    """The terms of a sum, one for each product of the sizes that it is grouped by; what is repeated is one of them.

    Args:
        summands: What is added, and how often each.
        by: Spatial sizes; each is one letter while the sum is taken apart, whatever it is made of.
        times: The symbols that say how often something is repeated.

    >>> from sympy import symbols
    >>> c, m, g, h, w, n = symbols("c m g h w n", positive=True)
    >>> collected({h * w * c * m / g: 2, 9 * h * w * m: 1}, by=(h, w))
    (h*w*(2*c*m/g + 9*m),)
    >>> collected({n * h * c**2: 2, n * c * h**2: 1, h * m: 1}, by=(h,), times=(n,))
    (n*(2*c**2*h + c*h**2), h*m)
    """
    by, times = tuple(by), tuple(times)
    if not times:
        return _grouped(summands, by)
    parts: dict[Expr, dict[Expr, int]] = {}
    for summand, often in summands.items():
        for monomial in Add.make_args(expand(summand)):
            outer, inner = monomial.as_independent(*times, as_Add=False)[::-1]
            part = parts.setdefault(outer, {})
            part[inner] = part.get(inner, 0) + often
    found = {outer: _grouped(part, by) for outer, part in parts.items()}
    return tuple(
        term
        for outer in sorted(found, key=lambda outer: (not outer.free_symbols, str(outer)))
        for term in ((outer * Add(*found[outer]),) if outer != 1 else found[outer])
        if term != 0
    )


def _grouped(summands: Mapping[Expr, int], by: tuple[Expr, ...]) -> tuple[Expr, ...]:
    opaque = {size: Dummy(f"size{number:03}", positive=True, integer=True) for number, size in enumerate(by)}
    back = {dummy: size for size, dummy in opaque.items()}
    groups: dict[Expr, dict[Expr, Expr]] = {}
    for summand, often in summands.items():
        for monomial in Add.make_args(expand(summand.xreplace(opaque) if opaque else summand)):
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
        return Integer(1), product
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
    common = factor_terms(flat)
    return common if _length(common) < SHORTER * _length(flat) else _paired(flat)


def _paired(flat: Expr) -> Expr:
    """A sum in which two terms that differ in one letter are one: 2·d·h + 2·d·g is 2·d·(h + g)."""
    terms = list(flat.args)
    for place, one in enumerate(terms):
        for other in terms[place + 1 :]:
            ratio = one / other
            above, below = fraction(ratio)
            if above.is_Symbol and below.is_Symbol and above != below:
                left = Add(*(term for term in terms if term not in (one, other)))
                return Add(left, Mul(one / above, above + below, evaluate=True))
    return flat


def _length(expression: Expr) -> int:
    """How long an expression is to read: its letters, numbers and signs."""
    return sum(1 for _ in preorder_traversal(expression))


# ------------------------------------------------------------------ without roundings


def divisible(expression: Expr) -> tuple[Expr, tuple[Condition, ...]]:
    """The expression without roundings, and the conditions under which it is the same.

    >>> from archspec import dims, symbols
    >>> print(*divisible(dims.ceil_div(symbols.symbol("side") - 62, 32)))
    side/32 - 1 (Condition(kind='divides', left=side, right=32),)
    """
    conditions: list[Condition] = []

    def exact(atom: Expr) -> Expr:
        x, divisor = _argument(atom)
        constant, rest = x.as_coeff_Add()
        conditions.append(Condition("divides", rest, divisor))
        if isinstance(atom, MakeDivisible):
            conditions.extend(Condition("at_least", x, least) for least in atom.args[2:])
            return x
        return rest / divisor + type(atom)(*_numbers(atom, constant, divisor))

    return _replaced(expression, exact), merged(conditions)


def asymptotic(expression: Expr) -> Expr:
    """The expression without roundings and the constants inside them.

    >>> from archspec import dims, symbols
    >>> print(asymptotic(dims.ceil_div(symbols.symbol("side") - 62, 32)))
    side/32
    """

    def leading(atom: Expr) -> Expr:
        x, divisor = _argument(atom)
        if isinstance(atom, MakeDivisible):
            return x
        return x.as_coeff_Add()[1] / divisor

    return _replaced(expression, leading)


def _argument(atom: Expr) -> tuple[Expr, Expr]:
    """What an atom rounds, and by what it is divided first; make_divisible rounds to multiples of its second."""
    divisor = atom.args[1] if len(atom.args) > 1 else Integer(1)
    return expand(atom.args[0]), divisor


def _numbers(atom: Expr, constant: Expr, divisor: Expr) -> tuple[Expr, ...]:
    return (constant, divisor) if isinstance(atom, CeilDiv) else (constant,)


def _replaced(expression: Expr, rule: Callable[[Expr], Expr]) -> Expr:
    """The expression with a rule applied to each rounding, the innermost first."""
    if not expression.has(*ROUNDINGS):
        return expression
    args = [_replaced(arg, rule) for arg in expression.args]
    if isinstance(expression, (Maximum, Minimum)):  # without roundings, fewer of its arguments may be the largest
        return to_sympy(getattr(symbols, expression.rule)(*args))
    inner = expression.func(*args)
    return rule(inner) if isinstance(inner, ROUNDINGS) else inner
