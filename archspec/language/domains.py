"""What keys of recipes and plans can be: numbers within bounds, words, switches; each refusal says what would do."""

import math
from typing import Annotated, Any

from pydantic import PlainValidator

from archspec.errors import SpecError
from archspec.language.reader import described


def refuse(wanted: str, value: Any) -> SpecError:
    """The refusal of a value, at its place."""
    return SpecError(f"expected {wanted}, found {described(value)}", getattr(value, "at", None))


def whole(low: int, high: int) -> PlainValidator:
    """Whole numbers within bounds."""

    def read(value: Any) -> int:
        try:
            number = int(str(value))
        except ValueError:
            raise refuse(f"a whole number from {low:,} to {high:,}", value) from None
        if not low <= number <= high:
            raise refuse(f"a whole number from {low:,} to {high:,}", value)
        return number

    return PlainValidator(read)


def real(low: float, high: float, open_below: bool = False) -> PlainValidator:
    """Numbers within bounds; `open_below` leaves the lower one out."""
    wanted = f"a number {'above' if open_below else 'from'} {low:g} {'and at most' if open_below else 'to'} {high:g}"

    def read(value: Any) -> float:
        try:
            number = math.nan if isinstance(value, bool) else float(value)
        except (TypeError, ValueError):
            raise refuse(wanted, value) from None
        if not low <= number <= high or (open_below and number == low):  # NaN is in no range
            raise refuse(wanted, value)
        return number

    return PlainValidator(read)


def by_name(low: float, high: float) -> PlainValidator:
    """Numbers within bounds, by the names of what they are for."""
    number = real(low, high).func
    wanted = "numbers by name, such as {cat: 2, 7: 0.5}"

    def read(value: Any) -> dict[str, float]:
        if not isinstance(value, dict):
            raise refuse(wanted, value)
        return {str(name): number(each) for name, each in value.items()}  # type: ignore[call-arg]

    return PlainValidator(read)


def word(words: tuple[str, ...]) -> PlainValidator:
    """One of some words."""

    def read(value: Any) -> str:
        if str(value) not in words:
            raise refuse(f"one of {', '.join(words)}", value)
        return str(value)

    return PlainValidator(read)


def texts(what: str, least: int = 0, *, numbers: bool = False) -> PlainValidator:
    """One text, or a list of them, of at least so many; where `numbers` may stand, they are texts too."""

    def read(value: Any) -> tuple[str, ...]:
        found = value if isinstance(value, (list, tuple)) else [value]
        if numbers:
            found = [str(each) if isinstance(each, int) and not isinstance(each, bool) else each for each in found]
        if len(found) < least or not all(isinstance(text, str) and text for text in found):
            raise refuse(what, value)
        return tuple(str(text) for text in found)

    return PlainValidator(read)


def _switch(value: Any) -> bool:
    known = {"true": True, "false": False}.get(str(value).lower())
    if known is None:
        raise refuse("true or false", value)
    return known


Fraction = Annotated[float, real(0, 0.9999)]
Switch = Annotated[bool, PlainValidator(_switch)]
