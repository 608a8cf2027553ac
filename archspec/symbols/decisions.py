"""Whether expressions are equal, one less than the other, or large enough; what is left open is recorded or refused."""

from typing import Any

import sympy
from sympy import Expr, Integer

from archspec.dims import Condition, record
from archspec.errors import UndecidableError
from archspec.symbols.atoms import CeilDiv, to_sympy


def equal(a: Any, b: Any) -> bool:
    """Whether the two are one expression; if not, that they differ is recorded unless it is plain."""
    if isinstance(a, (str, bool)) or isinstance(b, (str, bool)):
        return False
    difference = sympy.expand(to_sympy(a) - to_sympy(b))
    if difference.is_zero or (difference.has(CeilDiv) and sympy.expand(reduced(difference)).is_zero):
        return True
    if not difference.is_nonzero:
        record(Condition("differs", to_sympy(a), to_sympy(b)))
    return False


def reduced(x: Expr) -> Expr:
    """The same with ⌈(u + c)/b⌉ as ⌈(u + r)/b⌉ + q, where c = q·b + r: two that are equal are then one expression."""
    x = x.func(*map(reduced, x.args)) if x.args else x
    if not (isinstance(x, CeilDiv) and x.args[1].is_Integer):
        return x
    if x.args[1] == 1:
        return x.args[0]
    c, u = x.args[0].as_coeff_Add()
    return CeilDiv(u + c % x.args[1], x.args[1]) + c // x.args[1] if c.is_Integer else x


def less(a: Any, b: Any) -> bool:
    """Whether a < b, from the signs of the symbols.

    Raises:
        UndecidableError: They leave it open.
    """
    difference = to_sympy(a) - to_sympy(b)
    if difference.is_negative:
        return True
    if difference.is_nonnegative:
        return False
    names = sorted(str(free) for free in difference.free_symbols)
    on = f"symbol {names[0]}; bind it" if len(names) == 1 else f"symbols {', '.join(names)}; bind one of them"
    raise UndecidableError(f"whether {a} < {b} depends on the free {on}")


def at_least_one(a: Expr) -> None:
    """Record that a size, or each factor of a product of sizes, is at least 1, unless it is plain."""
    if a.is_Mul and all(factor.is_integer for factor in a.args):
        for factor in a.args:
            at_least_one(factor)
    elif a.is_Pow and a.base.is_integer:
        at_least_one(a.base)
    elif not (a.is_integer and a.is_positive):
        record(Condition("at_least", a, Integer(1)))
