"""A symbol at many values at once, with the places where anything that is rounded from it changes.

`Affine` is slope·symbol + offset. `dims` sends its functions here. Each rounding gives the integers of all values, as
an int64 array (`Whole`) or as an int where there is one value, and notes on the `Axis` where between its ends that
integer changes. Between two such breaks everything that was computed is constant, so one value there stands for all.

What cannot be answered for all values alike raises `MixedError`; with one value it never does.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from math import ceil as ceiling
from math import floor as flooring
from typing import Any, ClassVar

import numpy as np

from archspec import dims
from archspec.arrays import Whole, narrowed
from archspec.errors import ArchspecError

MAX_BREAKS = 250_000


class MixedError(ArchspecError):
    """The values of an axis answer differently; ask for fewer of them."""


class Axis:
    """The values of one symbol, in ascending order, between two ends.

    Attributes:
        name: The symbol.
        values: Where everything is computed.
        breaks: Where, from the first value to the last, something that was rounded changes; both ends are among them.
        fault: Why the symbol cannot be followed, once that has shown.
    """

    def __init__(self, name: str, values: Sequence[Fraction | int]) -> None:
        self.name = name
        self.values = tuple(map(Fraction, values))
        self.breaks: set[Fraction] = {self.values[0], self.values[-1]}
        self.fault: str | None = None
        self._over = narrowed([value.numerator for value in self.values], (len(self.values),))
        self._under = narrowed([value.denominator for value in self.values], (len(self.values),))
        self._rounded: dict[Any, Any] = {}

    def at(self, rows: Any) -> "Affine":
        """The symbol at some of the values: the indices of each in an array, any of them more than once."""
        return Affine(self, rows, Fraction(1), Fraction(0))

    def rounded(self, rule: str, slope: Fraction, offset: Fraction, args: tuple[Any, ...]) -> Any:
        """The integer that a rule of `dims` makes of slope·s + offset, for every value s."""
        key = (rule, slope, offset, args)
        if key not in self._rounded:
            self._rounded[key] = np.asarray(self._each(rule, slope, offset, args), dtype=np.int64)
            low, high = sorted(slope * end + offset for end in (self.values[0], self.values[-1]))
            self.breaks.update((x - offset) / slope for x in self._jumps(rule, low, high, args))
        return self._rounded[key]

    def root(self, slope: Fraction, offset: Fraction) -> Fraction:
        """Where slope·s + offset is zero, noted if that is on the axis."""
        s = -offset / slope
        if self.values[0] < s < self.values[-1]:
            self.breaks.add(s)
        return s

    def refuse(self, fault: str) -> ArchspecError:
        """The reason for which the symbol cannot be followed, to be raised."""
        self.fault = fault
        return ArchspecError(fault)

    def _each(self, rule: str, slope: Fraction, offset: Fraction, args: tuple[Any, ...]) -> Any:
        """A rule of slope·s + offset for every value s = n/d, as of one array of numerators and one of denominators."""
        over = slope.numerator * offset.denominator * self._over + offset.numerator * slope.denominator * self._under
        under = slope.denominator * offset.denominator * self._under
        if rule == "make_divisible":
            return dims.multiple_near(over, under, *args)
        return over // under if rule == "floor" else -(-over // under)

    def _jumps(self, rule: str, low: Fraction, high: Fraction, args: tuple[Any, ...]) -> Iterator[Fraction]:
        """Where a rounding of x can change, for x from low to high.

        `make_divisible` changes at odd halves of the divisor d, and where a tenth of x would be lost: at 10r/9, where r
        is the least value or one of 0, d, … 4d; above that a half of d is less than a tenth.
        """
        by_steps = rule == "make_divisible"
        step = Fraction(args[0] if args else 8) if by_steps else Fraction(1)
        shift = step / 2 if by_steps else Fraction(0)
        first, last = ceiling((low - shift) / step), flooring((high - shift) / step)
        if last - first > MAX_BREAKS:
            raise self.refuse(f"{self.name} has more than {MAX_BREAKS:,} networks in these bounds; narrow them")
        yield from (k * step + shift for k in range(first, last + 1))
        if by_steps:
            least = [Fraction(arg) for arg in args[1:] if arg is not None]
            tenths = (10 * r / 9 for r in (*least, *(k * step for k in range(5))))
            yield from (x for x in tenths if low <= x <= high)


@dataclass(frozen=True, slots=True, eq=False)
class Affine:
    """slope·s + offset, at some of the values of an axis."""

    axis: Axis
    rows: Any
    slope: Fraction
    offset: Fraction

    rules: ClassVar[str] = __name__
    __array_ufunc__: ClassVar[None] = None  # an array times this is ours to refuse

    def __add__(self, other: Any) -> Any:
        if isinstance(other, Affine):
            return self._same(self.slope + other.slope, self.offset + other.offset)
        return self._same(self.slope, self.offset + self._number(other))

    def __mul__(self, other: Any) -> Any:
        if isinstance(other, Affine):
            raise self.axis.refuse(f"{self.axis.name} is multiplied by itself before it is rounded")
        factor = self._number(other)
        return self._same(self.slope * factor, self.offset * factor)

    __radd__ = __add__
    __rmul__ = __mul__

    def __neg__(self) -> Any:
        return self * -1

    def __sub__(self, other: Any) -> Any:
        return self + -other

    def __rsub__(self, other: Any) -> Any:
        return -self + other

    def __pow__(self, exponent: int) -> Any:
        return self if exponent == 1 else self * self

    def __lt__(self, other: Any) -> bool:
        return less(self, other)

    def __gt__(self, other: Any) -> bool:
        return less(other, self)

    def __str__(self) -> str:
        return f"{self.slope}·{self.axis.name} + {self.offset}"

    def _same(self, slope: Fraction, offset: Fraction) -> Any:
        """Another such number on the same values, or a plain one where the symbol cancels out."""
        return Affine(self.axis, self.rows, slope, offset) if slope else dims.exact(offset)

    def _number(self, other: Any) -> Fraction:
        if not dims.is_number(other):
            raise MixedError(f"{self} meets {type(other).__name__}")
        return Fraction(other)


# ------------------------------------------------------------------ the rules, called through dims


def floor(x: Affine) -> Any:
    """⌊x⌋."""
    return _rounded("floor", x)


def ceil(x: Affine) -> Any:
    """⌈x⌉."""
    return _rounded("ceil", x)


def make_divisible(x: Any, *args: Any) -> Any:
    """`dims.make_divisible` of the symbol, to a plain divisor."""
    return _rounded("make_divisible", x, *args)


def _rounded(rule: str, x: Any, *args: Any) -> Any:
    for arg in args:
        if isinstance(arg, Affine):
            raise arg.axis.refuse(f"{arg.axis.name} is what another number is rounded to")
    if not all(arg is None or dims.is_number(arg) for arg in args):
        raise MixedError("the divisor changes along the axis")
    found = x.axis.rounded(rule, x.slope, x.offset, args)[x.rows]
    return int(found[0]) if len(found) == 1 else found.view(Whole)


def log2(x: Affine) -> Any:
    """log₂ x at the powers of two, which are noted; at other values there is no network."""
    axis = x.axis
    ends = sorted(x.slope * end + x.offset for end in (axis.values[0], axis.values[-1]))
    powers = [2**n for n in range(max(flooring(ends[1]), 1).bit_length()) if ends[0] <= 2**n]
    axis.breaks.update((power - x.offset) / x.slope for power in powers)
    values = [dims.exact(x.slope * axis.values[row] + x.offset) for row in x.rows]
    if len(values) > 1 and not all(value in powers for value in values):
        raise MixedError(f"only at some values of {axis.name} is it a power of two")
    found = [dims.log2(value) for value in values]
    return found[0] if len(found) == 1 else np.array(found, dtype=np.int64).view(Whole)


def floor_log2(x: Affine) -> Any:
    """Refused: where a logarithm steps is not followed."""
    raise x.axis.refuse(f"the logarithm of {x.axis.name} is taken")


def floor_sqrt(x: Affine) -> Any:
    """Refused: where a root steps is not followed."""
    raise x.axis.refuse(f"the root of {x.axis.name} is taken")


def power(base: Any, exponent: Any) -> Any:
    """The base to the exponent 0 or 1; to another, the symbol would be multiplied by itself."""
    if isinstance(exponent, Affine):
        raise exponent.axis.refuse(f"{exponent.axis.name} is an exponent")
    return 1 if exponent == 0 else base**exponent


def sqrt(x: Affine) -> Any:
    """Refused: a root is not followed."""
    raise x.axis.refuse(f"the root of {x.axis.name} is taken before it is rounded")


def divide(a: Any, b: Any) -> Any:
    """a/b for a number b."""
    if isinstance(b, Affine):
        raise b.axis.refuse(f"{b.axis.name} divides before it is rounded")
    return a * (Fraction(1) / a._number(b))


def floor_div(a: Any, b: Any) -> Any:
    """⌊a/b⌋."""
    return dims.floor(divide(a, b))


def ceil_div(a: Any, b: Any) -> Any:
    """⌈a/b⌉."""
    return dims.ceil(divide(a, b))


def exact_div(a: Any, b: Any) -> Any:
    """Refused: the quotient is whole at single values alone."""
    axis = (a if isinstance(a, Affine) else b).axis
    raise axis.refuse(f"{axis.name} is divided without being rounded")


def less(a: Any, b: Any) -> bool:
    """Whether a < b, at all values.

    Raises:
        MixedError: At some it is, at others not.
    """
    gap = a - b
    if not isinstance(gap, Affine):
        return bool(gap < 0)
    values, root = gap.axis.values, gap.axis.root(gap.slope, gap.offset)
    below = gap.rows < bisect_left(values, root) if gap.slope > 0 else gap.rows >= bisect_right(values, root)
    return _unanimous(gap, below)


def equal(a: Any, b: Any) -> bool:
    """Whether a = b, at all values.

    Raises:
        MixedError: At some it is, at others not.
    """
    if isinstance(a, (str, bool)) or isinstance(b, (str, bool)):
        return False
    gap = a - b
    if not isinstance(gap, Affine):
        return bool(gap == 0)
    values, root = gap.axis.values, gap.axis.root(gap.slope, gap.offset)
    return _unanimous(gap, (gap.rows >= bisect_left(values, root)) & (gap.rows < bisect_right(values, root)))


def maximum(*values: Any) -> Any:
    """The largest, the same one at all values."""
    return reduce(lambda best, value: value if dims.less(best, value) else best, values)


def minimum(*values: Any) -> Any:
    """The smallest, the same one at all values."""
    return reduce(lambda best, value: value if dims.less(value, best) else best, values)


def _unanimous(gap: Affine, answers: Any) -> bool:
    if answers.all() or not answers.any():
        return bool(answers.all())
    raise MixedError(f"the values of {gap.axis.name} answer a condition differently")
