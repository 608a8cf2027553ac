"""All values of a symbol that give one network: an interval, or a single value."""

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from typing import Any

from archspec.dims import exact

MAX_PLACES = 12


@dataclass(frozen=True, slots=True)
class Span:
    """The values from `low` to `high`.

    Attributes:
        low: The lower end; a word where the symbol chooses between words.
        high: The upper end.
        closed: Whether each end belongs to it.

    >>> print(Span(Fraction(15, 16), Fraction(31, 32), (True, False)))
    0.9375 ≤ · < 0.96875
    """

    low: Any
    high: Any
    closed: tuple[bool, bool] = (True, True)

    @property
    def single(self) -> bool:
        """Whether it is one value."""
        return bool(self.low == self.high)

    def __contains__(self, value: Any) -> bool:
        above = value >= self.low if self.closed[0] else value > self.low
        return bool(above and (value <= self.high if self.closed[1] else value < self.high))

    @property
    def short(self) -> Any:
        """The value with the fewest decimals, the nearest to the middle of those; an end where none is short.

        >>> Span(Fraction(15, 16), Fraction(31, 32), (True, False)).short
        Fraction(19, 20)
        """
        if self.single:
            return self.low
        middle = Fraction(self.low + self.high) / 2
        for places in range(MAX_PLACES + 1):
            scale = 10**places
            near = (floor(middle * scale), ceil(middle * scale))
            inside = [value for value in (Fraction(n, scale) for n in near) if value in self]
            if inside:
                return exact(min(inside, key=lambda value: abs(value - middle)))
        return exact(middle)

    def written(self, name: str = "·") -> str:
        """As an inequality of a name; its ends are both decimals, or both fractions.

        >>> Span(Fraction(863, 1024), Fraction(27, 32)).written("alpha")
        '863/1024 ≤ alpha ≤ 27/32'
        """
        if self.single:
            return f"{name} = {decimal(self.low)}"
        left, right = ("≤" if closed else "<" for closed in self.closed)
        ends = [decimal(end) for end in (self.low, self.high)]
        low, high = map(str, (self.low, self.high)) if any("/" in end for end in ends) else ends
        return f"{low} {left} {name} {right} {high}"

    def __str__(self) -> str:
        return self.written()


def decimal(value: Any) -> str:
    """A number as a short decimal where it is one, else as a fraction.

    >>> decimal(Fraction(31, 32)), decimal(Fraction(1, 3)), decimal(Fraction(4))
    ('0.96875', '1/3', '4')
    """
    if isinstance(value, Fraction) and value.denominator != 1:
        for places in range(1, 8):
            scaled = value * 10**places
            if scaled.denominator == 1:
                whole, part = divmod(abs(scaled.numerator), 10**places)
                return f"{'-' if value < 0 else ''}{whole}.{part:0{places}}"
    return str(value)
