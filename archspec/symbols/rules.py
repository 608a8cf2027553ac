"""The rules of `dims` on symbols: roundings, quotients, roots, and the largest and the smallest."""

from collections.abc import Mapping
from functools import lru_cache
from itertools import combinations
from random import Random
from typing import Any

import sympy
from sympy import Expr, Integer, Symbol

from archspec import dims
from archspec.errors import ArchspecError, DivisibilityError
from archspec.symbols.atoms import (
    Atom,
    Ceil,
    CeilDiv,
    Extreme,
    Floor,
    Log2,
    MakeDivisible,
    Maximum,
    Minimum,
    Rounding,
    TableLookup,
    from_sympy,
    to_sympy,
)
from archspec.symbols.atoms import value as number_at
from archspec.symbols.conditions import Condition, condition, require


def log2(x: Any) -> Any:
    """log₂ x; that x is a power of two is recorded."""
    found = Log2(to_sympy(x))
    if found.free_symbols:
        require(Condition("divides", found, Integer(1)))
    return from_sympy(found)


def floor_log2(x: Any) -> Any:
    """⌊log₂ x⌋ of the one number that x is."""
    return dims.floor_log2(dims.settled(from_sympy(to_sympy(x))))


def floor_sqrt(x: Any) -> Any:
    """⌊√x⌋ of the one number that x is."""
    return dims.floor_sqrt(dims.settled(from_sympy(to_sympy(x))))


def power(base: Any, exponent: Any) -> Any:
    """The base to the exponent."""
    return from_sympy(to_sympy(base) ** to_sympy(exponent))


def sqrt(x: Any) -> Any:
    """√x."""
    return from_sympy(sympy.sqrt(to_sympy(x)))


def floor(x: Any) -> Any:
    """⌊x⌋; integers and integer terms stand outside."""
    return _outside(Floor, to_sympy(x))


def ceil(x: Any) -> Any:
    """⌈x⌉; integers and integer terms stand outside."""
    return _outside(Ceil, to_sympy(x))


def _outside(atom: type[Rounding], x: Expr) -> Any:
    inside: list[Expr] = []
    outside: list[Expr] = []
    for term in sympy.Add.make_args(sympy.expand(x)):
        (outside if term.is_integer else inside).append(term)
    rest = sympy.Add(*inside)
    return from_sympy(sympy.Add(*outside, atom(rest) if inside else Integer(0)))


def floor_div(a: Any, b: Any) -> Any:
    """⌊a/b⌋ = ⌈(a − b + 1)/b⌉ for integers; of a symbol it stays one atom, which is written ⌊a/b⌋."""
    a, b = to_sympy(a), _divisor(b)
    if a.is_integer and b.is_integer and b.free_symbols:
        quotients = {term: term / b for term in sympy.Add.make_args(sympy.expand(a))}
        whole = [each for each in quotients.values() if each.is_integer]
        rest = sympy.Add(*(term for term, each in quotients.items() if not each.is_integer))
        return from_sympy(sympy.Add(*whole, CeilDiv(rest - b + 1, b) if rest != 0 else Integer(0)))
    if a.is_integer and b.is_integer:
        return ceil_div(a - b + 1, b)
    return floor(a / b)


def ceil_div(a: Any, b: Any) -> Any:
    """⌈a/b⌉, with a nested ceiling folded into one and whole quotients of symbols taken out."""
    a, b = sympy.expand(to_sympy(a)), _divisor(b)
    if not (a.is_integer and b.is_integer):
        return ceil(a / b)
    folded = _fold(a, b)
    if folded is not None:
        return ceil_div(*folded)
    if b == 1:  # a sum stays one atom, which no product takes apart
        return CeilDiv(a, b) if a.is_Add else from_sympy(a)
    whole: list[Expr] = []
    rest: list[Expr] = []
    for term in sympy.Add.make_args(a):
        share = term / b
        outside = share.is_integer and not term.is_Number
        (whole if outside else rest).append(share if outside else term)
    if b.free_symbols and rest and sympy.Add(*whole) == -1:
        whole, rest = [], [*rest, -b]  # of a window as far as its stride: ⌈(u + 1)/b⌉ − 1 is ⌊u/b⌋, one atom
    if not rest:
        return from_sympy(sympy.Add(*whole))
    return from_sympy(sympy.Add(*whole, CeilDiv(sympy.Add(*rest), b)))


def _fold(a: Expr, b: Expr) -> tuple[Expr, Expr] | None:
    """⌈(⌈u/s⌉ + c)/b⌉ as the pair (u + c·s, s·b), where a = ⌈u/s⌉ + c and c is an integer; None if a is not so."""
    terms = sympy.Add.make_args(a)
    inner = [term for term in terms if isinstance(term, CeilDiv)]
    others = [term for term in terms if not isinstance(term, CeilDiv)]
    if len(inner) != 1 or not all(term.is_Integer for term in others):
        return None
    u, s = inner[0].args
    return u + sympy.Add(*others) * s, s * b


def exact_div(a: Any, b: Any) -> Any:
    """a/b; that b divides a is recorded unless it is plain.

    Raises:
        DivisibilityError: b does not divide a: that is plain, or so at the values at hand.
    """
    found = sympy.expand(to_sympy(a) / _divisor(b))
    needed = Condition("divides", to_sympy(a), to_sympy(b))
    if found.is_integer is False or (not found.is_integer and not require(needed)):
        raise DivisibilityError(f"{a} is not divisible by {b}")
    return from_sympy(found)


def divide(a: Any, b: Any) -> Any:
    """a/b."""
    divisor = to_sympy(b)
    if divisor.is_zero or (divisor.is_zero is None and not require(condition("differs", divisor, Integer(0)))):
        raise ArchspecError("division by zero")
    return from_sympy(to_sympy(a) / divisor)


def _divisor(b: Any) -> Expr:
    divisor = to_sympy(b)
    if divisor.is_positive:
        return divisor
    needed = ("at_least", Integer(1)) if divisor.is_integer else ("above", Integer(0))
    if divisor.is_nonpositive or not require(condition(needed[0], divisor, needed[1])):
        raise ArchspecError(f"the divisor must be positive, found {b}")
    return divisor


def make_divisible(x: Any, divisor: Any = 8, minimum: Any = None) -> Any:
    """The atom of `dims.make_divisible`."""
    args = (x, _divisor(divisor)) if minimum is None else (x, _divisor(divisor), minimum)
    return from_sympy(MakeDivisible(*map(to_sympy, args)))


# ------------------------------------------------------------------ expressions in other forms


def cleared(value: Any) -> Any:
    """The same as one fraction, its powers as they are."""
    return sympy.together(to_sympy(value))


def quotient(a: Any, b: Any) -> Any:
    """a/b with common factors taken out, as a sum of simple terms where that is shorter."""
    cancelled = sympy.cancel(to_sympy(a) / to_sympy(b))
    return min(
        (cancelled, sympy.expand(cancelled), sympy.factor(cancelled)), key=lambda form: (len(str(form)), str(form))
    )


def replaced(x: Expr, rule: Mapping[Symbol, Expr]) -> Expr:
    """An expression with others for its symbols, all at once; roundings are made anew, by their own laws.

    >>> from archspec.symbols import ceil_div, symbol
    >>> side, n = symbol("side"), symbol("n")
    >>> replaced(ceil_div(side, 16), {side: 32 * n})
    2*n
    """
    if x.is_Symbol:
        return rule.get(x, x)
    if not x.free_symbols:
        return x
    if isinstance(x, TableLookup):
        return x.func(sympy.Tuple(*(replaced(key, rule) for key in x.keys)), *x.args[1:])
    args = [replaced(arg, rule) for arg in x.args]
    return to_sympy(getattr(dims, x.rule)(*args)) if isinstance(x, Atom) else x.func(*args)


# ------------------------------------------------------------------ the largest and the smallest


TRIED = (1, 2, 3, 8, 31, 97, 250, 1000)
MOST = 24
"""How many arguments an extreme has at the most for pairs of them to be held against the others."""

TRIES = 16
"""Numbers at which expressions are compared before anything is proved of them, and how often."""


def maximum(*values: Any) -> Any:
    """The largest, without the arguments that are plainly no larger than another."""
    return _extreme(Maximum, values, sign=1)


def minimum(*values: Any) -> Any:
    """The smallest, without the arguments that are plainly no smaller than another."""
    return _extreme(Minimum, values, sign=-1)


def _extreme(atom: type[Extreme], values: tuple[Any, ...], sign: int) -> Any:
    kept: list[Expr] = []
    for value in dict.fromkeys(map(to_sympy, values)):
        if not any(_covers((other,), value, sign) for other in kept):
            kept = [other for other in kept if not _covers((value,), other, sign)] + [value]
    for value in [value for value in kept if value.is_Add and len(kept) <= MOST]:
        pairs = combinations([other for other in kept if other != value], 2)
        if any(_covers(pair, value, sign) for pair in pairs):  # x + y is no more than the larger of 2x and 2y
            kept.remove(value)
    return from_sympy(kept[0] if len(kept) == 1 else atom(*sorted(kept, key=sympy.default_sort_key)))


def _covers(others: tuple[Expr, ...], value: Expr, sign: int) -> bool:
    """Whether the mean of others is plainly no less, or with sign −1 no more, than a value."""
    for at in zip(*map(_tried, others), _tried(value), strict=True):
        *means, number = at
        if sign * sum(means) < sign * number * len(means):
            return False
    mean = sympy.Add(*others) / len(others)
    return at_least(mean, value) if sign > 0 else at_least(value, mean)


@lru_cache(maxsize=4096)
def _tried(x: Expr) -> tuple[Any, ...]:
    """An expression at some numbers, the same for every expression; 0 where it has no value."""
    found = []
    for number in range(TRIES):
        values = {free.name: Random(f"{free.name} {number}").choice(TRIED) for free in x.free_symbols}  # noqa: S311
        try:
            found.append(number_at(x, values))
        except ArchspecError:
            found.append(0)
    return tuple(found)


def alternatives(value: Expr) -> tuple[Any, ...]:
    """The values of which an expression is the largest or the smallest; itself alone if it is neither."""
    return tuple(map(from_sympy, value.args)) if isinstance(value, Extreme) else (value,)


def at_least(a: Expr, b: Expr) -> bool:
    """Whether a ≥ b is plain; False says nothing.

    It is where no term of a − b can be negative, or each that can has another that covers it factor by factor:
    2·⌊64α⌋·⌈h/2⌉² is at least ⌊32α⌋·⌈h/4⌉² + ⌊64α⌋·⌈h/2⌉².
    """
    difference = dict(_terms(a))
    for term, count in _terms(b).items():
        difference[term] = difference.get(term, Integer(0)) - count
    above = {term: count for term, count in difference.items() if count > 0}
    below = {term: -count for term, count in difference.items() if count < 0}
    return all(map(_is_nonnegative, above)) and all(_covered(term, count, above) for term, count in below.items())


@lru_cache(maxsize=4096)
def _terms(value: Expr) -> dict[Expr, Expr]:
    """The terms of a sum, multiplied out, and how often each stands there."""
    return dict(sympy.expand(value).as_coefficients_dict())


@lru_cache(maxsize=4096)
def _is_nonnegative(term: Expr) -> bool:
    return bool(term.is_nonnegative)


def _covered(term: Expr, count: Expr, above: dict[Expr, Expr]) -> bool:
    """Whether so many of a term are no more than what there is of others, which is used up."""
    for other, left in above.items():
        worth = _worth(other, term)
        if worth:
            used = min(left, count / worth)
            above[other] = left - used
            count -= used * worth
        if count == 0:
            return True
    return False


@lru_cache(maxsize=4096)
def _worth(a: Expr, b: Expr) -> Expr:
    """A number n for which a ≥ n·b is plain, factor by factor; 0 if there is none."""
    left, worth = _factors(a), Integer(1)
    for factor in _factors(b):
        best = max(left, key=lambda other: (other == factor, _ratio(other, factor)), default=None)
        if best is None or not (ratio := _ratio(best, factor)):
            return Integer(0)
        left.remove(best)
        worth *= ratio
    return worth if all((other - 1).is_nonnegative for other in left) else Integer(0)


def _factors(term: Expr) -> list[Expr]:
    """The factors of a product without its number, powers written out."""
    factors: list[Expr] = []
    for base, exponent in term.as_powers_dict().items():
        whole = exponent.is_Integer and 0 < exponent <= 8
        factors.extend([base] * int(exponent) if whole else [] if base.is_Number else [base**exponent])
    return factors


def _ratio(a: Expr, b: Expr) -> Expr:
    """A whole number n for which a ≥ n·b ≥ 0 is plain, of two factors; 0 if there is none."""
    if not b.is_nonnegative:
        return Integer(0)
    if (a - b).is_nonnegative:
        return Integer(1)
    if isinstance(a, Floor) and isinstance(b, Floor):  # ⌊n·x⌋ ≥ n·⌊x⌋
        times = a.args[0] / b.args[0]
        return sympy.floor(times) if times.is_Rational and times >= 1 else Integer(_rises(a.args[0], b.args[0]))
    if isinstance(a, Ceil | MakeDivisible) and type(a) is type(b) and a.args[1:] == b.args[1:]:
        return Integer(_rises(a.args[0], b.args[0]))
    if isinstance(b, CeilDiv) and a.is_integer:  # ⌈u/s⌉ ≥ ⌈v/t⌉ if u ≥ v ≥ 0 and s ≤ t; a size itself is u/1
        (u, s), (v, t) = (a.args if isinstance(a, CeilDiv) else (a, Integer(1))), b.args
        return Integer(_rises(u, v) and _rises(t, s) and bool(v.is_nonnegative))
    return Integer(0)


def _rises(a: Expr, b: Expr) -> bool:
    return bool((a - b).is_nonnegative)
