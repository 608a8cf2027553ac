"""The two views of a formula without roundings: exact where sizes divide, and what it grows like.

| view       | ⌈(side − 62)/32⌉ | ⌊32α⌋ | ⌊24α⌉₈ |                                                        |
|------------|------------------|-------|--------|--------------------------------------------------------|
| divisible  | side/32 − 1      | 32α   | 24α    | exact under conditions: 32 divides side, α is whole, …  |
| asymptotic | side/32          | 32α   | 24α    | for ratios, and for how costs grow                      |
"""

from collections.abc import Callable

import sympy
from sympy import Expr, Integer

from archspec import symbols
from archspec.formula.assumptions import ROUNDINGS, merged
from archspec.symbols import CeilDiv, Condition, MakeDivisible, Maximum, Minimum, to_sympy


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
    return sympy.expand(atom.args[0]), divisor


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
