"""Budgets: what a quantity may be, as '<=300M' or '>=64KiB' says it."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import inf
from numbers import Real
from typing import Any

from archspec import cost
from archspec.cost import Quantity
from archspec.dims import ceil, exact, floor
from archspec.errors import ArchspecError, BindingError, suggestion

_TEXT = re.compile(r"(<=|>=|<|>|≤|≥|)\s*([0-9][0-9_,]*(?:\.[0-9]+)?(?:[eE]\+?[0-9]{1,2})?)\s*([A-Za-z]*)\Z")
_DECIMAL = {"": 1, "k": 10**3, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_BINARY = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_BINARY |= {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}


@dataclass(frozen=True, slots=True)
class Budget:
    """The least and the most that a quantity may be; None where there is no bound.

    >>> budget("macs", ["<=300M", ">=1e6"])
    Budget(quantity='macs', least=1000000, most=300000000)
    """

    quantity: str
    least: Any = None
    most: Any = None

    def excess(self, value: Any) -> Any:
        """How far a value is outside, above or below; 0 within.

        Raises:
            ArchspecError: The value is undefined.
        """
        if value is None:
            raise ArchspecError(f"{self.quantity} is undefined where there is nothing for it to be of")
        if self.most is not None and value > self.most:
            return value - self.most
        return self.least - value if self.least is not None and value < self.least else 0

    def miss(self, value: Any) -> Fraction:
        """The excess as a part of the bound that is broken; of 1 where that is 0."""
        bound = self.most if self.most is not None and value > self.most else self.least
        return Fraction(self.excess(value)) / (bound or 1)


def budgets(texts: Mapping[str, str | float | Iterable[str]]) -> tuple[Budget, ...]:
    """The budgets of several quantities; a number is the most.

    Raises:
        ArchspecError: There is none; a quantity is unknown; a text is no bound; two bounds contradict each other.
    """
    if not texts:
        raise ArchspecError("what is the budget? give one, such as macs <=300M")
    found = []
    for name, given in texts.items():
        several = given if isinstance(given, Iterable) and not isinstance(given, str | bytes) else [given]
        found.append(budget(name, several))
    return tuple(found)


def budget(quantity: str | Quantity, texts: Iterable[str | float]) -> Budget:
    """The budget that bounds of a quantity make together; one without a sign, or a number, is the most.

    >>> budget("weight_bytes", ["64KiB"])
    Budget(quantity='weight_bytes', least=None, most=65536)
    """
    of_what = cost.quantity(quantity) if isinstance(quantity, str) else quantity
    quantity = of_what.name
    least: list[Any] = []
    most: list[Any] = []
    for text in texts:
        sign, value = _bound(of_what, text)
        if of_what.kind == "ratio":
            if sign in ("<", ">"):
                raise BindingError(
                    f"{quantity} is a ratio; a bound of it is written <= or >= (got '{str(text).strip()[:40]}')"
                )
            (least if sign in (">=", "≥") else most).append(exact(value))
        elif sign in (">", ">=", "≥"):
            least.append(floor(value) + 1 if sign == ">" else ceil(value))
        else:
            most.append(ceil(value) - 1 if sign == "<" else floor(value))
    found = Budget(quantity, max(least, default=None), min(most, default=None))
    if found.least is not None and found.most is not None and found.least > found.most:
        raise BindingError(
            f"no number of {quantity} is at least {found.least:,} and at most {found.most:,}; the bounds contradict"
        )
    return found


def _bound(quantity: Quantity, given: str | float) -> tuple[str, Fraction]:
    if isinstance(given, Real) and not isinstance(given, bool) and 0 <= given < inf:
        return "", Fraction(str(given))
    text = str(given).strip()
    in_bytes = quantity.unit == "B"
    units = _DECIMAL | _BINARY if in_bytes else _DECIMAL
    example = "'<=4MB', '<=64KiB'" if in_bytes else "'<=300M', '<=2.5M', '>=1e9'"
    found = _TEXT.match(text)
    if not found:
        raise BindingError(f"a budget of {quantity} is written {example} (got {text[:40]!r})")
    sign, digits, unit = found.groups()
    if unit not in units:
        raise BindingError(f"no unit '{unit}' of {quantity}{suggestion(unit, units)}")
    return sign, Fraction(exact(re.sub("[_,]", "", digits))) * units[unit]
