"""By which rounding a multiplier makes numbers of channels: all functions that fit, and what would tell them apart."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from archspec import dims

MULTIPLES = range(2, 9)
"""By what a number of channels is widened before or after it is rounded: the t of an expansion."""


@dataclass(frozen=True, slots=True)
class WidthRounding:
    """A way from a fraction of channels to a whole number of them; `text` is of a number x."""

    name: str
    text: str
    of: Callable[[Fraction], int]

    def form(self, base: int, multipliers: Sequence[Fraction], values: Sequence[int]) -> str | None:
        """How it makes these values of a number at these multipliers, as a text of its function's name; None if not.

        >>> ROUNDINGS[0].form(1280, [Fraction(1, 2), Fraction(2)], [1280, 2560])
        'max(1280, {name}(1280))'
        """
        made = [self.of(multiplier * base) for multiplier in multipliers]
        if made == list(values):
            return f"{{name}}({base})"
        if [max(base, number) for number in made] == list(values):
            return f"max({base}, {{name}}({base}))"
        for times in (times for times in MULTIPLES if base % times == 0):
            if [times * self.of(multiplier * base / times) for multiplier in multipliers] == list(values):
                return f"{times} * {{name}}({base // times})"
        return None


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


def fitting(numbers: Sequence[tuple[int, Sequence[Fraction], Sequence[int]]]) -> tuple[WidthRounding, ...]:
    """The roundings that make all numbers of their bases: themselves, as few as can be as multiples, or the base.

    Args:
        numbers: Each number's base, at a multiplier of 1, and what it is at which multipliers.

    >>> [each.name for each in fitting([(32, [Fraction(1, 2)], [16]), (64, [Fraction(37, 100)], [23])])]
    ['floor']
    """
    forms = {rounding.name: [rounding.form(*number) for number in numbers] for rounding in ROUNDINGS}
    widened = {name: sum(" * " in str(form) for form in each) for name, each in forms.items() if None not in each}
    fewest = min(widened.values(), default=0)
    return tuple(rounding for rounding in ROUNDINGS if widened.get(rounding.name) == fewest)


def telling_apart(roundings: Sequence[WidthRounding], bases: Iterable[int]) -> Fraction | None:
    """The multiplier of two decimals that leaves fewest of some roundings, whichever it is; None where none does."""
    bases = sorted(set(bases))
    found: tuple[int, Fraction | None] = (len(roundings) ** 2, None)
    for hundredths in range(25, 151):
        multiplier = Fraction(hundredths, 100)
        outcomes = Counter(tuple(rounding.of(multiplier * base) for base in bases) for rounding in roundings)
        left = sum(count**2 for count in outcomes.values())
        if left < found[0]:
            found = left, multiplier
    return found[1]
