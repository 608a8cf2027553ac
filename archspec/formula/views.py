"""The two views of a formula without roundings: exact where sizes divide, and what it grows like.

| view       | ⌈(side − 62)/32⌉ | ⌊32α⌋ | ⌊24α⌉₈ |                                                        |
|------------|------------------|-------|--------|--------------------------------------------------------|
| divisible  | side/32 − 1      | 32α   | 24α    | exact under conditions: 32 divides side, α is whole, …  |
| asymptotic | side/32          | 32α   | 24α    | for ratios, and for how costs grow                      |
"""

from collections.abc import Callable, Iterable
from functools import reduce
from math import gcd, lcm

import sympy
from sympy import Add, Expr, Integer, Rational

from archspec import symbols
from archspec.dims import Condition
from archspec.symbols import Ceil, CeilDiv, Floor, MakeDivisible, Maximum, Minimum, reduced, to_sympy

ROUNDINGS = (CeilDiv, Floor, Ceil, MakeDivisible)


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


def merged(conditions: Iterable[Condition]) -> tuple[Condition, ...]:
    """The same conditions in fewer: that 2, 4 and 32 divide a side is that 32 does.

    That q₁·m, q₂·m, … are whole, for rationals q, is that gcd(q₁, q₂, …)·m is.

    >>> from archspec.symbols import symbol
    >>> side = symbol("side")
    >>> print(*merged(Condition("divides", side, Integer(n)) for n in (2, 4, 32)))
    side is a multiple of 32
    """
    shares: dict[Expr, list[Rational]] = {}
    others: dict[Condition, None] = {}
    for condition in conditions:
        coefficient, monomial = (condition.left / condition.right).as_coeff_Mul()
        if condition.kind == "divides" and not monomial.is_Add:
            shares.setdefault(monomial, []).append(coefficient)
        else:
            others[condition] = None
    whole = [_whole(monomial, reduce(_gcd, quotients)) for monomial, quotients in shares.items()]
    kept = [condition for condition in whole if condition is not None]
    return (*others, *(each for each in kept if not any(_follows(each, other) for other in kept if other != each)))


def _follows(condition: Condition, other: Condition) -> bool:
    """Whether a quotient is whole because it is a whole multiple of another that is."""
    times = (condition.left / condition.right) / (other.left / other.right)
    return bool(times.is_integer)


def _whole(monomial: Expr, share: Rational) -> Condition | None:
    """That the share of the monomial is whole; None if that is plain."""
    if (share * monomial).is_integer:
        return None
    over, under = sympy.fraction(monomial)
    return Condition("divides", share.p * over, share.q * under)


def _gcd(a: Rational, b: Rational) -> Rational:
    under = lcm(int(a.q), int(b.q))
    return Rational(gcd(int(a * under), int(b * under)), under)


def bounds(conditions: Iterable[Condition], least: Callable[[Expr], Expr | None]) -> tuple[Condition, ...]:
    """The conditions, with those on sizes as the least value of the symbol that they come from.

    Args:
        conditions: What a formula assumes.
        least: The least value that a symbol can have; None if it is not bounded.
    """
    kept: dict[Condition, None] = {}
    needed: dict[Expr, Expr] = {}
    sizes: list[Condition] = []
    for condition in sorted(conditions, key=lambda condition: sympy.count_ops(condition.left)):
        if condition.kind != "at_least":
            kept[condition] = None
            continue
        if any(_implies(other, condition) for other in sizes):
            continue
        sizes.append(condition)
        solved = _least(condition)
        if solved is None:
            kept[condition] = None
        else:
            needed[solved[0]] = max(needed.get(solved[0], solved[1]), solved[1])
    for free, number in needed.items():
        known = least(free)
        if known is None or known < number:
            kept[Condition("at_least", free, number)] = None
    return tuple(kept)


def _implies(other: Condition, condition: Condition) -> bool:
    """Whether a size is at least a number because another is that is plainly no larger."""
    a, b = reduced(other.left), reduced(condition.left)
    if other.right != condition.right:
        return False
    if isinstance(a, ROUNDINGS) and type(a) is type(b) and a.args[1:] == b.args[1:]:
        a, b = a.args[0], b.args[0]
    return bool((b - a).is_nonnegative)


def _least(condition: Condition) -> tuple[Expr, Expr] | None:
    """The symbol, and its least value for which a size is at least a number; None if that is not plain.

    For integers ⌈u/b⌉ + w ≥ 1 is u ≥ 1 − w·b, and for any x ⌊x⌋ + w ≥ 1 is x ≥ 1 − w.
    """
    atoms = [term for term in Add.make_args(condition.left) if term.free_symbols]
    if len(atoms) != 1:
        return None
    bound = condition.right - (condition.left - atoms[0])
    coefficient, atom = atoms[0].as_coeff_Mul()
    if coefficient != 1 and isinstance(atom, ROUNDINGS):
        return None
    if isinstance(atom, CeilDiv) and atom.args[1].is_Integer:
        return _linear(atom.args[0], (bound - 1) * atom.args[1] + 1)
    if isinstance(atom, Floor):
        return _linear(atom.args[0], bound)
    return _linear(atoms[0], bound)


def _linear(x: Expr, bound: Expr) -> tuple[Expr, Expr] | None:
    """The least s for which a·s + c ≥ bound."""
    constant, rest = sympy.expand(x).as_coeff_Add()
    coefficient, symbol = rest.as_coeff_Mul()
    if not symbol.is_Symbol or coefficient <= 0:
        return None
    number = (bound - constant) / coefficient
    return symbol, sympy.ceiling(number) if symbol.is_integer else number
