"""The values of a symbol in a sweep, as one writes them: 1/4..2:1/4, 96,128..224:32, * for all."""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any

from archspec.dims import exact, is_array
from archspec.errors import ArchspecError, BindingError
from archspec.graph.binding import batch_size
from archspec.language.document import Document, Symbol
from archspec.language.expression import CONSTANTS
from archspec.language.rules import symbol_of, value_fault

BATCH = "batch"
ALL = "*"
MAX_VALUES = 1_000_000
"""How many values of one symbol a sweep takes."""


def values_of(document: Document, name: str, given: Any) -> tuple[Any, ...]:
    """The values that a symbol is given, in the order in which they are written.

    Args:
        document: The specification.
        name: The symbol; or "batch", where none is called so.
        given: One value, several, or text such as "1/4..2:1/4", "96,128", "*".

    Raises:
        BindingError: There is no such symbol, it cannot have a value, a value stands twice, or there are none or too
            many.

    >>> from archspec.language import load
    >>> mobilenet = load("mobilenet")
    >>> values_of(mobilenet, "alpha", "1/4..3/4:1/4"), values_of(mobilenet, "side", "128,192..224:32")
    ((Fraction(1, 4), Fraction(1, 2), Fraction(3, 4)), (128, 192, 224))
    """
    symbol = None if name == BATCH and BATCH not in document.symbols else symbol_of(document, name)
    word = symbol is not None and symbol.word
    found: dict[Any, None] = {}
    for part in _parts(given):
        for value in _values(name, symbol, part, word):
            if value in found:
                raise BindingError(f"{name} is given {value} twice")
            found[value] = None
            if len(found) > MAX_VALUES:
                raise _too_many(name, len(found), part)
    if not found:
        raise BindingError(f"{name} is given no values; write some, such as 1,2,4 or 1..8")
    for value in found:
        if symbol is None:
            batch_size(value)
        elif fault := value_fault(symbol, value):
            raise BindingError(f"{name} {fault}")
    return tuple(found)


def _parts(given: Any) -> list[Any]:
    if isinstance(given, str):
        return [part.strip() for part in given.split(",")]
    if is_array(given):
        return list(given.ravel().tolist())
    return list(given) if isinstance(given, Iterable) else [given]


def _values(name: str, symbol: Symbol | None, part: Any, word: bool) -> Iterable[Any]:
    if part == ALL:
        return _all(name, symbol)
    if word:
        truth = symbol is not None and symbol.truth and isinstance(part, str)
        return [CONSTANTS.get(part.lower(), part) if truth else part]
    if isinstance(part, str) and ".." in part:
        return _range(name, symbol, part)
    return [_number(name, part)]


def _number(name: str, text: Any) -> Any:
    try:
        return exact(text)
    except ArchspecError as error:
        raise BindingError(f"{name}: {error}; values are written 1/4..2:1/4, 96,128 or {ALL}") from None


def _all(name: str, symbol: Symbol | None) -> Iterable[Any]:
    """The choices of a symbol, or all whole numbers of its range.

    Raises:
        BindingError: It has neither.
    """
    if symbol is not None and symbol.choices is not None:
        return symbol.choices
    if symbol is None or symbol.range is None:
        raise BindingError(f"{name} has no choices and no range that {ALL} could stand for; write from..to:step")
    low, high = symbol.range
    if not symbol.integer:
        raise BindingError(f"{name} takes every number from {low} to {high}; give a step: {low}..{high}:1/8")
    return _steps(name, low, high, 1, f"{low}..{high}")


def _range(name: str, symbol: Symbol | None, text: str) -> Iterable[Any]:
    ends, colon, by = text.partition(":")
    low, _, high = ends.partition("..")
    first, last = _number(name, low), _number(name, high)
    if not colon and not (isinstance(first, int) and (symbol is None or symbol.integer)):
        raise BindingError(f"{name} takes fractions; give a step: {text}:1/8")
    step = _number(name, by) if colon else 1
    if step <= 0:
        raise BindingError(f"{name}: a step is greater than 0 (got {step})")
    if last < first:
        raise BindingError(f"{name}: nothing is from {first} to {last}; the smaller number comes first")
    return _steps(name, first, last, step, text)


def _steps(name: str, first: Any, last: Any, step: Any, text: str) -> Iterator[Any]:
    count = int((Fraction(last) - first) / step) + 1
    if count > MAX_VALUES:
        raise _too_many(name, count, text)
    return (exact(first + i * step) for i in range(count))


def _too_many(name: str, count: int, text: Any) -> BindingError:
    return BindingError(
        f"{name} has {count:,} values in {text}, more than {MAX_VALUES:,}; give a longer step, or ask archspec solve, "
        f"which follows a symbol by its roundings"
    )
