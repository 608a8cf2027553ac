"""The values of a plan's keys that no other language has: shares, lengths of codes; each refused at its place."""

from fractions import Fraction
from typing import Annotated, Any

from pydantic import PlainValidator

from archspec.compress.names import CODED, MAX_WEIGHT_BITS
from archspec.dims import exact
from archspec.errors import ArchspecError, SpecError
from archspec.language.located import described
from archspec.language.reader import Nothing


def number(value: Any, unit: str = "") -> Any:
    """An exact number, of a text with the unit behind it."""
    at = getattr(value, "at", None)
    if isinstance(value, (dict, list, tuple, Nothing)):
        raise SpecError(f"expected a number, found {described(value)}", at)
    try:
        return exact(value.removesuffix(unit).rstrip() if isinstance(value, str) else value)
    except ArchspecError as error:
        raise SpecError(str(error), at) from None


def share(value: Any) -> Any:
    """A share, 8 % or 0.08: above 0, and at most 1."""
    percent = isinstance(value, str) and value.endswith("%")
    found = exact(Fraction(number(value, "%"), 100 if percent else 1))
    if not 0 < found <= 1:
        raise SpecError(f"a share lies above 0 and is at most 1 (got {value})", getattr(value, "at", None))
    return found


def length(value: Any) -> Any:
    """An average code length, or the word for one that is not known."""
    if value == CODED:
        return CODED
    found = number(value)
    if not 0 < found <= MAX_WEIGHT_BITS:
        where = getattr(value, "at", None)
        raise SpecError(f"an average code length lies above 0 and is at most {MAX_WEIGHT_BITS} (got {value})", where)
    return found


def per(value: Any) -> Any:
    """What shares a scale: a word, or a number of weights."""
    if value in ("tensor", "channel"):
        return str(value)
    size = number(value)
    if type(size) is not int or size < 1:
        at = getattr(value, "at", None)
        raise SpecError(f"scales are per tensor, channel, or a number of weights (got {value})", at)
    return size


Share = Annotated[Any, PlainValidator(share)]
Length = Annotated[Any, PlainValidator(length)]
