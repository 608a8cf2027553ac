"""A number as someone reports it: its digits, its magnitude, and what it says that it counts."""

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from archspec.dims import ceil, floor
from archspec.errors import ArchspecError
from archspec.published.verdict import Printed


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
