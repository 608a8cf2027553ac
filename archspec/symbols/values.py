"""Expressions at numbers, and expressions in other forms."""

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import sympy
from sympy import Expr, Symbol

from archspec import dims
from archspec.errors import ArchspecError
from archspec.symbols.atoms import Atom, TableLookup, from_sympy, to_sympy


def value(x: Any, values: Mapping[str, Any]) -> Any:
    """The number that an expression is at exact values of its symbols, worked out on ints and fractions.

    Raises:
        ArchspecError: A symbol has no value, or there is a division by zero.

    >>> from archspec.symbols import ceil_div, symbol
    >>> value(ceil_div(symbol("side") - 62, 32), {"side": 224})
    6
    """
    known: dict[Expr, Any] = {}

    def at(part: Expr) -> Any:
        if part not in known:
            known[part] = _computed(part, at, values)
        return known[part]

    return at(to_sympy(x))


def _computed(part: Expr, at: Callable[[Expr], Any], values: Mapping[str, Any]) -> Any:
    if part.is_Rational:
        return from_sympy(part)
    if part.is_Symbol:
        if part.name not in values:
            raise ArchspecError(f"{part} has no value")
        return values[part.name]
    if part.is_Add or part.is_Mul:
        numbers = map(at, part.args)
        return dims.exact(sum(numbers) if part.is_Add else dims.product(numbers))
    if isinstance(part, Atom):
        return part.computed(at)
    if part.is_Pow:
        return _raised(at(part.base), at(part.exp))
    return from_sympy(part.xreplace({free: to_sympy(at(free)) for free in part.free_symbols}))


def _raised(base: Any, power: Any) -> Any:
    if type(power) is int and power >= 0:
        return base**power
    if base == 0:
        raise ArchspecError("division by zero")
    return dims.exact(Fraction(base) ** power) if type(power) is int else from_sympy(to_sympy(base) ** to_sympy(power))


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
