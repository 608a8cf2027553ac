"""Numbers known to the digits in which they were printed: the arithmetic of `dims` on intervals.

A density printed as 33 % is somewhere from 32.5 % to 33.5 %; what is computed from it is an interval again. `dims`
sends its functions here when an argument is an `Interval`, as it sends them to `symbols` for SymPy expressions.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

from archspec import dims
from archspec.errors import ArchspecError


@dataclass(frozen=True, slots=True)
class Interval:
    """All numbers from `low` to `high`.

    >>> Interval(1, 2) * Interval(-1, 3) + 1
    Interval(low=-1, high=7)
    """

    low: Any
    high: Any

    rules: ClassVar[str] = __name__

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise ArchspecError(f"an interval ends above where it begins (got {self.low} to {self.high})")

    def __add__(self, other: Any) -> "Interval":
        other = interval(other)
        return Interval(self.low + other.low, self.high + other.high)

    def __neg__(self) -> "Interval":
        return Interval(-self.high, -self.low)

    def __sub__(self, other: Any) -> "Interval":
        return self + -interval(other)

    def __rsub__(self, other: Any) -> "Interval":
        return interval(other) - self

    def __mul__(self, other: Any) -> "Interval":
        other = interval(other)
        ends = [a * b for a in (self.low, self.high) for b in (other.low, other.high)]
        return Interval(min(ends), max(ends))

    __radd__ = __add__
    __rmul__ = __mul__

    def __pow__(self, exponent: int) -> "Interval":
        result = interval(1)
        for _ in range(exponent):
            result *= self
        return result

    def meets(self, other: "Interval") -> bool:
        """Whether the two have a number in common."""
        return bool(self.low <= other.high and other.low <= self.high)


def interval(value: Any) -> Interval:
    """A number as an interval of itself alone; an interval as it is."""
    return value if isinstance(value, Interval) else Interval(value, value)


def divide(a: Any, b: Any) -> Interval:
    """a / b.

    Raises:
        ArchspecError: b could be 0.
    """
    a, b = interval(a), interval(b)
    if b.low <= 0 <= b.high:
        raise ArchspecError("division by a number that could be 0")
    quotient: Interval = a * Interval(Fraction(1) / b.high, Fraction(1) / b.low)
    return quotient


def _each_end(rule: Callable[..., Any]) -> Callable[..., Interval]:
    """A rule that does not fall in any argument, at both ends of every interval."""

    def apply(*values: Any) -> Interval:
        ends = [interval(value) for value in values]
        return Interval(rule(*(end.low for end in ends)), rule(*(end.high for end in ends)))

    return apply


def floor_div(a: Any, b: Any) -> Interval:
    """⌊a / b⌋."""
    return floor(divide(a, b))


def ceil_div(a: Any, b: Any) -> Interval:
    """⌈a / b⌉."""
    return ceil(divide(a, b))


def exact_div(a: Any, b: Any) -> Interval:
    """a / b, of single numbers alone: of others, some quotient is not whole.

    Raises:
        ArchspecError: The numbers are not single.
    """
    a, b = interval(a), interval(b)
    if not (a.low == a.high and b.low == b.high):
        raise ArchspecError("whether a rounded number divides another is open")
    return interval(dims.exact_div(a.low, b.low))


def make_divisible(x: Any, divisor: Any = 8, minimum: Any = None) -> Interval:
    """`dims.make_divisible` to a plain divisor: it does not fall in x."""
    x = interval(x)
    return Interval(*(dims.make_divisible(end, divisor, minimum) for end in (x.low, x.high)))


floor = _each_end(dims.floor)
ceil = _each_end(dims.ceil)
maximum = _each_end(dims.maximum)
minimum = _each_end(dims.minimum)
sqrt = _each_end(dims.sqrt)
log2 = _each_end(dims.log2)
floor_log2 = _each_end(dims.floor_log2)
floor_sqrt = _each_end(dims.floor_sqrt)


def power(base: Any, exponent: int) -> Interval:
    """The base to a whole exponent from 0; of a base that is not negative, at both ends."""
    base = interval(base)
    if base.low < 0:
        raise ArchspecError("the base of a power could be negative")
    return Interval(dims.power(base.low, exponent), dims.power(base.high, exponent))


def equal(a: Any, b: Any) -> bool:
    """Whether a = b, all numbers of the one and all of the other.

    Raises:
        ArchspecError: It depends on the number.
    """
    if isinstance(a, (str, bool)) or isinstance(b, (str, bool)):
        return False
    a, b = interval(a), interval(b)
    if not a.meets(b):
        return False
    if a == b and a.low == a.high:
        return True
    raise ArchspecError("the rounded numbers leave the comparison open")


def less(a: Any, b: Any) -> bool:
    """Whether a < b, all numbers of the one against all of the other.

    Raises:
        ArchspecError: It depends on the number.
    """
    a, b = interval(a), interval(b)
    if a.high < b.low:
        return True
    if a.low >= b.high:
        return False
    raise ArchspecError("the rounded numbers leave the comparison open")
