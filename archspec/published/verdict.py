"""Printed and reported figures and the verdict on them, decided by the digits that are printed and by nothing else.

"4.2" stands for every number that rounds to it, from 4.15 to 4.25. A verdict is

    exact      the printed number itself
    rounds     rounds to the printed digits (a half either way)
    truncates  begins with the printed digits
    within     inside the printed bound; or computed from rounded inputs or known to lie between two numbers, and their
               interval meets that of the print
    off        none of these
    measured   from training or from a clock: not to be computed
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Any

from archspec.dims import ceil, floor
from archspec.errors import ArchspecError
from archspec.interval import Interval, interval

UNITS: dict[str, Fraction] = {
    "": Fraction(1),
    "%": Fraction(1, 100),
    "x": Fraction(1),
    "k": Fraction(10**3),
    "M": Fraction(10**6),
    "G": Fraction(10**9),
    "B": Fraction(1),
    "kB": Fraction(10**3),
    "MB": Fraction(10**6),
    "GB": Fraction(10**9),
    "KiB": Fraction(2**10),
    "MiB": Fraction(2**20),
    "GiB": Fraction(2**30),
    "kKiB": Fraction(1000 * 2**10),
    "bit": Fraction(1),
}
"""What one of each unit is in base units: a number, a byte, a bit. kKiB is a thousand KiB, as SqueezeNet prints."""


ABOUT = Fraction(1, 100)
"""How far a number may be from one that a paper calls "about" so much: a hundredth of it."""


class Verdict(StrEnum):
    """How a printed figure stands to the computed one."""

    EXACT = "exact"
    ROUNDS = "rounds"
    TRUNCATES = "truncates"
    WITHIN = "within"
    OFF = "off"
    MEASURED = "measured"


@dataclass(frozen=True, slots=True)
class Printed:
    """A number to the digits in which it stands, in base units.

    >>> Printed.read("4.2", "M").interval
    Interval(low=Fraction(4150000, 1), high=Fraction(4250000, 1))
    """

    value: Fraction
    step: Fraction

    @classmethod
    def read(cls, text: str, unit: str = "", digits: int | None = None) -> "Printed":
        """Read digits, with thousands apart or not, in a unit.

        Args:
            text: The digits.
            unit: The unit they are in.
            digits: To how many digits the number is printed, where zeros only fill it up: 720 to two is 715 to 725.

        Raises:
            ArchspecError: There is no such unit, the text is no number, or has other digits than zeros beyond `digits`.
        """
        if unit not in UNITS:
            raise ArchspecError(f"unknown unit '{unit}'; known are {', '.join(filter(None, UNITS))}")
        written = text.strip().replace(",", "").removeprefix("~")
        found = re.fullmatch(r"-?\d{1,30}(?:\.(\d{1,30}))?", written)
        if found is None:
            raise ArchspecError(f"expected printed digits such as 4.2 or 568,740,352, found '{text}'")
        filling = "" if digits is None else written.replace(".", "").lstrip("-0")[digits:]
        if filling.strip("0") or (digits is not None and digits < 1):
            raise ArchspecError(f"'{text}' is not a number to {digits} digits, filled up with zeros")
        step = Fraction(10 ** len(filling), 10 ** len(found[1] or ""))
        return cls(Fraction(written) * UNITS[unit], step * UNITS[unit])

    @property
    def interval(self) -> Interval:
        """All numbers that round to the digits."""
        return Interval(self.value - self.step / 2, self.value + self.step / 2)


def split_unit(text: str, unit: str = "") -> tuple[str, str]:
    """The digits of a printed number and the unit behind them, or that given if there is none.

    >>> split_unit("33 %"), split_unit("4.2", "M")
    (('33', '%'), ('4.2', 'M'))
    """
    digits = text.rstrip("".join(UNITS) + " ")
    return digits, text[len(digits) :].strip() or unit


def judge(
    printed: Printed, computed: Any, spread: Interval | None = None, relation: str = "is"
) -> tuple[Verdict, Fraction]:
    """The verdict on a printed figure, and by what part of the printed it is off (0 unless the verdict is off).

    Args:
        printed: What is printed.
        computed: The exact number, from the inputs as printed.
        spread: All that could be computed from inputs which round to those printed; None where no input is rounded.
        relation: "is"; "at most" or "at least" where the print is a bound; "about" where it says so of itself.

    >>> judge(Printed.read("569", "M"), 568740352)[0], judge(Printed.read("4.1"), Fraction(419, 100))[0]
    (<Verdict.ROUNDS: 'rounds'>, <Verdict.TRUNCATES: 'truncates'>)
    """
    computed = Fraction(computed)
    verdict = _verdict(printed, computed, spread, relation)
    off = verdict is Verdict.OFF
    return verdict, (computed - printed.value) / (printed.value or 1) if off else Fraction(0)


def _verdict(printed: Printed, computed: Fraction, spread: Interval | None, relation: str) -> Verdict:
    difference = computed - printed.value
    kept = (relation == "at most" and difference < 0) or (relation == "at least" and difference > 0)
    near = relation == "about" and abs(difference) <= ABOUT * abs(printed.value)
    covered = spread is not None and interval(spread).meets(printed.interval)
    tests = (
        (kept, Verdict.WITHIN),
        (difference == 0, Verdict.EXACT),
        (abs(difference) <= printed.step / 2, Verdict.ROUNDS),
        (0 < difference < printed.step, Verdict.TRUNCATES),
        (near or covered, Verdict.WITHIN),
    )
    return next((verdict for holds, verdict in tests if holds), Verdict.OFF)


# ------------------------------------------------------------------ reports


@dataclass(frozen=True, slots=True)
class ReportedNumber:
    """A number as someone reports it.

    Attributes:
        text: The report.
        printed: Its digits.
        quantity: "params", "MACs", "FLOPs" or "operations" (either of the two), if it says so; None otherwise.
    """

    text: str
    printed: Printed
    quantity: str | None

    @classmethod
    def read(cls, text: str) -> "ReportedNumber":
        """Read a number, with K, M, G or T behind it, and a word for what it counts.

        Raises:
            ArchspecError: It is not such a number.

        >>> report = ReportedNumber.read("3.50M params")
        >>> report.quantity, report.low, report.high
        ('params', 3495000, 3505000)
        """
        found = _REPORT.fullmatch(text)
        tail = found["tail"].lower().replace("-", "") if found else "?"
        splits = ((tail[:end].strip(), tail[end:].strip()) for end in range(len(tail) + 1))
        known = next((split for split in splits if split[0] in _UNITS and split[1] in _WORDS), None)
        if found is None or known is None:
            raise ArchspecError(f"expected a number such as 327.55M, 568,740,352 or '3.50M params', found '{text}'")
        digits = re.sub(r"[^\d.]", "", found["digits"])
        printed, unit = Printed.read(digits), _UNITS[known[0]]
        return cls(text.strip(), Printed(printed.value * unit, printed.step * unit), _WORDS[known[1]])

    @property
    def low(self) -> int:
        """The least integer that rounds to it."""
        return int(ceil(Fraction(self.printed.interval.low)))

    @property
    def high(self) -> int:
        """The greatest."""
        return int(floor(Fraction(self.printed.interval.high)))

    @property
    def numbers(self) -> int:
        """How many numbers have as many digits: 900 have three."""
        return 9 * int(10 ** (self._digits - 1))

    def alike(self, value: Any) -> set[int]:
        """The reports of as many digits that a value explains, in units of the last digit: rounded, and cut off."""
        scaled = Fraction(value) / self.printed.step
        first = 10 ** (self._digits - 1)
        return {int(floor(near)) for near in (scaled, scaled + Fraction(1, 2)) if first <= floor(near) < 10 * first}

    @property
    def _digits(self) -> int:
        return len(str(int(self.printed.value / self.printed.step)))


_REPORT = re.compile(
    r"\s*[~≈]?\s*(?P<digits>\d{1,3}(?:[,_ '\u202f\u00a0]\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)"
    r"\s*(?P<tail>[A-Za-z -]*)"
)
_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "b": 10**9, "t": 10**12}
_UNITS |= {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_WORDS: dict[str, str | None] = {
    "": None,
    **dict.fromkeys(("param", "params", "parameter", "parameters", "weights"), "params"),
    **dict.fromkeys(("mac", "macs", "macc", "maccs", "adds", "madds", "multadds", "multiplyadds"), "MACs"),
    **dict.fromkeys(("flop", "flops"), "FLOPs"),
    **dict.fromkeys(("op", "ops", "operations"), "operations"),
}
