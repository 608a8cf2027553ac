"""The rules of `dims` on symbols: roundings, quotients, roots."""

from typing import Any

import sympy
from sympy import Expr, Integer

from archspec import dims
from archspec.errors import ArchspecError, DivisibilityError
from archspec.symbols.atoms import Ceil, CeilDiv, Floor, Log2, MakeDivisible, Rounding, from_sympy, to_sympy
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
        quotient = term / b
        outside = quotient.is_integer and not term.is_Number
        (whole if outside else rest).append(quotient if outside else term)
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
    quotient = sympy.expand(to_sympy(a) / _divisor(b))
    needed = Condition("divides", to_sympy(a), to_sympy(b))
    if quotient.is_integer is False or (not quotient.is_integer and not require(needed)):
        raise DivisibilityError(f"{a} is not divisible by {b}")
    return from_sympy(quotient)


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
