"""What a question over many networks is asked of: their specification, where a symbol is searched, the values found."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, Literal

from archspec import cost, graph
from archspec.cost import USUAL, Counting
from archspec.dims import ceil, exact, floor, is_number
from archspec.errors import ArchspecError, BindingError
from archspec.graph import Network
from archspec.language.document import Document, Symbol
from archspec.language.rules import refuse_opaque, symbol_of


@dataclass(frozen=True, slots=True)
class Family:
    """The networks of a specification, one for each choice of the symbols that are not held, all counted alike.

    Attributes:
        document: The specification.
        bindings: Values of symbols that are held; the others are at their defaults, where no question moves them.
        counting: How the networks are counted.

    Raises:
        ArchspecError: The specification has opaque steps, whose costs are in no total.

    >>> from archspec.language import load
    >>> family = Family(load("mobilenet"), {"alpha": "1/2"})
    >>> family.figures(family.at({"side": 128}), ["macs"])
    {'macs': 49160192}
    """

    document: Document
    bindings: Mapping[str, Any] = field(default_factory=dict)
    counting: Counting = USUAL

    def __post_init__(self) -> None:
        refuse_opaque(self.document)

    def at(self, values: Mapping[str, Any], free: Iterable[str] = ()) -> Network:
        """The network at some values of symbols, which win over those that are held."""
        return graph.expand(self.document, {**self.bindings, **values}, free=free, batch=self.counting.batch)

    def figures(self, network: Network, quantities: Iterable[str]) -> dict[str, Any]:
        """What a network costs, by quantity."""
        table = cost.count(network, self.counting)
        return {name: table.figure(name) for name in quantities}


MAX_VALUES = 250_000
MAX_STEPS = 128
"""How many values of a whole number are searched beside another symbol, unless bounds are given."""
LEAST_STEPS = 8
"""As many as are searched at least, if fewer are needed because the other symbol has many networks."""

BELOW, ABOVE = 32, 100
"""A symbol without a range is searched from a 32nd of its default, a whole number from 1, to 100 times its default."""


@dataclass(frozen=True, slots=True)
class SearchRange:
    """The values of a symbol that are searched.

    Attributes:
        symbol: Its name.
        kind: "choices" (the values listed), "whole" (every step-th whole number), "real" (every rational number).
        values: The choices, or the whole numbers.
        low: The least.
        high: The greatest.
        stated: Whether the specification or the caller says so; else the ends are ours.
        step: From one whole number to the next.
        chosen: Whether the step is ours, so that the search ends.
    """

    symbol: str
    kind: Literal["choices", "whole", "real"]
    values: tuple[Any, ...]
    low: Any
    high: Any
    stated: bool = True
    step: int = 1
    chosen: bool = False


def search_range(document: Document, name: str, between: Iterable[Any] | None = None) -> SearchRange:
    """Where a symbol is searched: all of its range, or between two numbers, a third being the step.

    Raises:
        BindingError: There is no such symbol; the bounds are none, or outside the range that the symbol has.
    """
    symbol = symbol_of(document, name)
    ends, step = (None, 1) if between is None else _ends(name, tuple(between))
    if symbol.choices is not None:
        chosen = symbol.choices if symbol.word or ends is None else _within(name, symbol.choices, ends)
        if symbol.word and ends is not None:
            raise BindingError(f"{name} chooses between words; it cannot be between numbers")
        return SearchRange(name, "choices", tuple(chosen), chosen[0], chosen[-1])
    low, high = _bounded(name, symbol, ends)
    stated = ends is not None or symbol.range is not None
    if not symbol.integer:
        if step != 1:
            raise BindingError(f"{name} takes every rational number; a step is for whole ones")
        return SearchRange(name, "real", (), low, high, stated)
    return _whole(name, low, high, stated, step)


def _whole(name: str, low: Any, high: Any, stated: bool, step: int) -> SearchRange:
    values = range(ceil(low), floor(high) + 1, step)
    if not values:
        raise BindingError(f"no whole number is from {low} to {high}, where {name} is searched")
    if len(values) > MAX_VALUES:
        raise BindingError(
            f"{name} has {len(values):,} values from {low} to {high}, more than {MAX_VALUES:,}; "
            f"give closer ones, or a step: {name}={low},{high},32"
        )
    return SearchRange(name, "whole", tuple(values), values[0], values[-1], stated, step)


def _within(name: str, choices: tuple[Any, ...], ends: tuple[Any, Any]) -> tuple[Any, ...]:
    chosen = tuple(choice for choice in choices if ends[0] <= choice <= ends[1])
    if not chosen:
        raise BindingError(f"{name} is one of {', '.join(map(str, choices))}, none of them from {ends[0]} to {ends[1]}")
    return chosen


def _ends(name: str, between: tuple[Any, ...]) -> tuple[tuple[Any, Any], int]:
    if len(between) not in (2, 3):
        raise BindingError(f"{name} is between two numbers, such as 1/4,2, and a step (got {len(between)} numbers)")
    try:
        low, high, *steps = map(exact, between)
    except ArchspecError as error:
        raise BindingError(f"{name}: {error}") from None
    if not (is_number(low) and is_number(high) and low <= high):
        raise BindingError(f"{name} is between a smaller and a larger number (got {low} and {high})")
    step = steps[0] if steps else 1
    if not (isinstance(step, int) and step > 0):
        raise BindingError(f"{name}: a step is a whole number from 1 (got {step})")
    return (low, high), step


def _bounded(name: str, symbol: Symbol, ends: tuple[Any, Any] | None) -> tuple[Any, Any]:
    if symbol.range is None:
        if ends is None:
            return 1 if symbol.integer else Fraction(symbol.default) / BELOW, ABOVE * symbol.default
        if ends[0] <= 0:
            raise BindingError(f"{name} must be greater than 0 (got {ends[0]})")
        return ends
    least, most = symbol.range
    if ends is None:
        return least, most
    if ends[0] < least or ends[1] > most:
        raise BindingError(f"{name} must be from {least} to {most} (got {ends[0]} to {ends[1]})")
    return ends


def search_ranges(
    document: Document, names: Iterable[str], between: Mapping[str, Iterable[Any]]
) -> tuple[SearchRange, ...]:
    """The lines of no symbol, of one, or of two.

    Raises:
        BindingError: A symbol cannot be searched, or bounds are given for one that is not.
    """
    names = tuple(names)
    for name in between:
        if name not in names:
            raise BindingError(f"bounds are given for {name}, but the search is for {' and '.join(names)}")
    if len(set(names)) != len(names) or len(names) > 2:  # a frontier is of two
        raise BindingError(f"the search is for one symbol or two (got {', '.join(names)})")
    found = tuple(search_range(document, name, between.get(name)) for name in names)
    return found if len(found) < 2 else tuple(one if one.symbol in between else _stepped(one) for one in found)


def _stepped(line: SearchRange) -> SearchRange:
    """The multiples of the least power of two of which a line has no more than `MAX_STEPS`."""
    step = 1
    while line.kind == "whole" and len(line.values) > MAX_STEPS * step:
        step *= 2
    return line if step == 1 else _in_steps(line, step)


def coarser(line: SearchRange) -> SearchRange:
    """Half as many of the whole numbers of a line, while there are some to leave out."""
    return _in_steps(line, 2 * line.step) if line.kind == "whole" and len(line.values) > LEAST_STEPS else line


def _in_steps(line: SearchRange, step: int) -> SearchRange:
    values = tuple(value for value in line.values if value % step == 0)
    return replace(line, values=values, low=values[0], high=values[-1], step=step, chosen=True)


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
