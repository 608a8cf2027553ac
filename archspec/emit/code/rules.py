"""The functions of `dims` on code."""

from fractions import Fraction
from typing import Any

from archspec.emit.code.value import INT, RATIONAL, Code, call, kind_of, multiplied, numeric, summed, terms_of
from archspec.errors import ArchspecError


def floor(x: Any) -> Any:
    """⌊x⌋."""
    if kind_of(x) == INT:
        return x
    if isinstance(x, Code) and x.head == "/":
        return floor_div(*x.parts)
    return call("floor", x)


def ceil(x: Any) -> Any:
    """⌈x⌉."""
    return x if kind_of(x) == INT else call("ceil", x)


def floor_div(a: Any, b: Any) -> Any:
    """⌊a/b⌋, a division of a division by numbers as one: ⌊(⌊u/s⌋ + c)/b⌋ = ⌊(u + c·s)/(s·b)⌋."""
    if type(b) is int and kind_of(a) == INT:
        if b == 1:
            return a
        if all(factor % b == 0 for factor, _ in terms_of(a)):
            return exact_div(a, b)
        inner = [(factor, term) for factor, term in terms_of(a) if term is not None]
        constant = sum(factor for factor, term in terms_of(a) if term is None)
        if len(inner) == 1 and inner[0][0] == 1 and inner[0][1].head == "//" and type(inner[0][1].parts[1]) is int:
            u, s = inner[0][1].parts
            return floor_div(u + constant * s, s * b)
    return Code("//", (a, b))


def ceil_div(a: Any, b: Any) -> Any:
    """⌈a/b⌉ = ⌊(a + b − 1)/b⌋ for whole numbers."""
    if type(b) is int and kind_of(a) == INT:
        return floor_div(a + (b - 1), b)
    return call("ceil_div", a, b)


def exact_div(a: Any, b: Any) -> Any:
    """a/b, which must come out even."""
    if type(b) is int and b > 0 and kind_of(a) == INT and all(factor % b == 0 for factor, _ in terms_of(a)):
        return summed([(factor // b, 1 if term is None else term) for factor, term in terms_of(a)])
    return call("exact_div", a, b)


def log2(x: Any) -> Any:
    """log₂ x."""
    return call("log2", x)


def floor_log2(x: Any) -> Any:
    """⌊log₂ x⌋."""
    return call("floor_log2", x)


def floor_sqrt(x: Any) -> Any:
    """⌊√x⌋."""
    return call("floor_sqrt", x)


def sqrt(x: Any) -> Any:
    """Refused: no size is a root."""
    raise ArchspecError(f"the root of {x} cannot be written")


def divide(a: Any, b: Any) -> Any:
    """a/b."""
    if not isinstance(b, Code):
        if b == 0:
            raise ArchspecError("division by zero")
        return multiplied(Fraction(1) / b, a)
    return Code("/", (a, b), RATIONAL)


def make_divisible(*args: Any) -> Any:
    """The call of a function of that name."""
    return call("make_divisible", *args)


def maximum(*values: Any) -> Any:
    """The largest."""
    return values[0] if len(set(values)) == 1 else call("max", *values, kind=numeric(*values))


def minimum(*values: Any) -> Any:
    """The smallest."""
    return values[0] if len(set(values)) == 1 else call("min", *values, kind=numeric(*values))
