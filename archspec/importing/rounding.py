"""By which rounding a multiplier makes numbers of channels: all functions that fit, and what would tell them apart."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from archspec import dims


@dataclass(frozen=True, slots=True)
class WidthRounding:
    """A way from a fraction of channels to a whole number of them; `text` is of a number x."""

    name: str
    text: str
    of: Callable[[Fraction], int]

    def fits(self, base: int, multipliers: Sequence[Fraction], values: Sequence[int]) -> bool:
        """Whether it makes these values of a number at these multipliers."""
        return all(self.of(multiplier * base) == value for multiplier, value in zip(multipliers, values, strict=True))


ROUNDINGS: tuple[WidthRounding, ...] = (
    WidthRounding("floor", "floor({x})", lambda x: x.numerator // x.denominator),
    WidthRounding("round", "round({x})", lambda x: (2 * x + 1).__floor__() // 2),
    WidthRounding("round, halves to even", "round_even({x})", round),
    WidthRounding("ceil", "ceil({x})", lambda x: x.__ceil__()),
    WidthRounding("make_divisible to 8", "make_divisible({x}, 8)", lambda x: int(dims.make_divisible(x, 8))),
    WidthRounding("make_divisible to 4", "make_divisible({x}, 4)", lambda x: int(dims.make_divisible(x, 4))),
    WidthRounding("the nearest multiple of 8", "8 * round({x} / 8)", lambda x: 8 * ((2 * x / 8 + 1).__floor__() // 2)),
    WidthRounding("down to a multiple of 8", "8 * floor({x} / 8)", lambda x: 8 * (x / 8).__floor__()),
    WidthRounding("up to a multiple of 8", "8 * ceil({x} / 8)", lambda x: 8 * (x / 8).__ceil__()),
)
"""From the simplest on; those that the language can say."""


def fitting(numbers: Iterable[tuple[int, Sequence[Fraction], Sequence[int]]]) -> tuple[WidthRounding, ...]:
    """The roundings that make all numbers of their bases.

    Args:
        numbers: Each number's base, at a multiplier of 1, and what it is at which multipliers.

    >>> [each.name for each in fitting([(32, [Fraction(1, 2)], [16]), (64, [Fraction(37, 100)], [23])])]
    ['floor']
    """
    numbers = list(numbers)
    return tuple(rounding for rounding in ROUNDINGS if all(rounding.fits(*number) for number in numbers))


def telling_apart(roundings: Sequence[WidthRounding], bases: Iterable[int]) -> Fraction | None:
    """The multiplier at which most of some roundings differ, of those with two decimals; None where none does."""
    bases = sorted(set(bases))
    found: tuple[int, Fraction | None] = (1, None)
    for hundredths in range(20, 151):
        multiplier = Fraction(hundredths, 100)
        outcomes = {tuple(rounding.of(multiplier * base) for base in bases) for rounding in roundings}
        if len(outcomes) > found[0]:
            found = len(outcomes), multiplier
    return found[1]
