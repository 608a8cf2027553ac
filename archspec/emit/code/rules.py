"""The functions of `dims` on code."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from archspec.emit.code.value import INT, RATIONAL, Code, call, kind_of, multiplied, numeric, summed, terms_of
from archspec.errors import ArchspecError


def floor(x: Any) -> Any:
    """⌊x⌋."""
    if kind_of(x) == INT:
        return x
    return floor_div(*x.parts) if isinstance(x, Code) and x.head == "/" else call("floor", x)


def ceil(x: Any) -> Any:
    """⌈x⌉."""
    return x if kind_of(x) == INT else call("ceil", x)


def floor_div(a: Any, b: Any) -> Any:
    """⌊a/b⌋, a division of a division by numbers as one: ⌊(⌊u/s⌋ + c)/b⌋ = ⌊(u + c·s)/(s·b)⌋."""
    if type(b) is int and kind_of(a) == INT:
        if b == 1:
            return a
        if _divides(b, a):
            return exact_div(a, b)
        inner = [(factor, term) for factor, term in terms_of(a) if term is not None]
        constant = sum(factor for factor, term in terms_of(a) if term is None)
        if len(inner) == 1 and inner[0][0] == 1 and inner[0][1].head == "//" and type(inner[0][1].parts[1]) is int:
            u, s = inner[0][1].parts
            return floor_div(u + constant * s, s * b)
    return Code("//", (a, b))


def ceil_div(a: Any, b: Any) -> Any:
    """⌈a/b⌉ = ⌊(a + b − 1)/b⌋ for whole numbers."""
    return floor_div(a + (b - 1), b) if type(b) is int and kind_of(a) == INT else call("ceil_div", a, b)


def exact_div(a: Any, b: Any) -> Any:
    """a/b, which must come out even."""
    if type(b) is int and b > 0 and kind_of(a) == INT and _divides(b, a):
        return summed([(factor // b, 1 if term is None else term) for factor, term in terms_of(a)])
    return call("exact_div", a, b)


def _divides(b: int, a: Any) -> bool:
    """Whether every term of a sum is a multiple of b."""
    return all(factor % b == 0 for factor, _ in terms_of(a))


def divide(a: Any, b: Any) -> Any:
    """a/b."""
    if isinstance(b, Code):
        return Code("/", (a, b), RATIONAL)
    if b == 0:
        raise ArchspecError("division by zero")
    return multiplied(Fraction(1) / b, a)


def sqrt(x: Any) -> Any:
    """Refused: no size is a root."""
    raise ArchspecError(f"the root of {x} cannot be written")


def _function(name: str) -> Callable[..., Any]:
    """A function that stays a call."""
    return lambda *values: call(name, *values)


log2, floor_log2, floor_sqrt, make_divisible = map(_function, ("log2", "floor_log2", "floor_sqrt", "make_divisible"))


def _extreme(name: str) -> Callable[..., Any]:
    """A function that of equal values is this value."""
    return lambda *values: values[0] if len(set(values)) == 1 else call(name, *values, kind=numeric(*values))


maximum, minimum = _extreme("max"), _extreme("min")
