"""The largest and the smallest of expressions, without those that are plainly never so."""

from functools import lru_cache
from itertools import combinations
from random import Random
from typing import Any

import sympy
from sympy import Expr, Integer

from archspec.errors import ArchspecError
from archspec.symbols.atoms import Ceil, CeilDiv, Extreme, Floor, MakeDivisible, Maximum, Minimum, from_sympy, to_sympy
from archspec.symbols.values import value as number_at

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
