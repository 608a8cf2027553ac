"""Costs along one symbol, piece by piece: between two jumps of what is rounded nothing changes."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from archspec import cost
from archspec.cost import Counting
from archspec.sweeps.family import Family, SearchRange, search_range
from archspec.sweeps.survey import Survey


@dataclass(frozen=True, slots=True)
class Piece:
    """The values of a symbol from one to another, all of which cost the same.

    Attributes:
        low: The least.
        high: The greatest, or what they come up to.
        figures: What they cost, by quantity.
    """

    low: Any
    high: Any
    figures: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Staircase:
    """Costs along one symbol.

    Attributes:
        name: The specification's name.
        line: The symbol, and where it goes.
        quantities: Which costs.
        bindings: The values of all symbols at its usual place.
        here: What that costs, by quantity.
        counting: How it is counted.
        pieces: In the order of the symbol.
    """

    name: str
    line: SearchRange
    quantities: tuple[str, ...]
    bindings: Mapping[str, Any]
    here: Mapping[str, Any]
    counting: Counting
    pieces: tuple[Piece, ...]


def staircase(
    family: Family, symbol: str, quantities: Iterable[str] = ("macs",), between: Iterable[Any] | None = None
) -> Staircase:
    """Costs along one symbol: all of them, exactly, with every jump.

    Args:
        family: The networks; if the symbol is held, that is its usual place.
        symbol: A symbol.
        quantities: Which costs.
        between: Where: two numbers, and a step of whole ones; the symbol's range unless they are given.

    Raises:
        UnknownNameError: There is no such quantity.
        BindingError: There is no such symbol, or it cannot be followed; see `survey.Survey`.

    >>> from fractions import Fraction
    >>> from archspec.language import load
    >>> found = staircase(Family(load("mobilenet_v2")), "alpha", ["macs"], (Fraction(1), Fraction(11, 10)))
    >>> [(str(piece.low), piece.figures["macs"]) for piece in found.pieces][:2]
    [('1', 300774272), ('321/320', 300907712)]
    """
    names = tuple(cost.quantity(name).name for name in quantities)
    line = search_range(family.document, symbol, between)
    usual = family.at({})
    survey = Survey([line], family.at, lambda network: family.figures(network, names))
    samples = [(each.values[symbol], each.figures) for each in survey]
    pieces = _joined(_gaps(samples) if line.kind == "real" else (Piece(at, at, costs) for at, costs in samples), line)
    here = family.figures(usual, names)
    return Staircase(family.document.name, line, names, usual.bindings, here, family.counting, tuple(pieces))


def _gaps(samples: Sequence[tuple[Any, Mapping[str, Any]]]) -> Iterator[Piece]:
    """What holds between each two breaks: a survey samples every break, and once in every gap behind it."""
    for (low, _), (_, figures), (high, _) in zip(samples[::2], samples[1::2], samples[2::2], strict=False):
        yield Piece(low, high, figures)


def _joined(pieces: Iterable[Piece], line: SearchRange) -> list[Piece]:
    """Neighbours that cost the same as one, along a symbol that takes every number."""
    found: list[Piece] = []
    for piece in pieces:
        last = found[-1] if found and line.kind == "real" else None
        if last is not None and piece.figures == last.figures and piece.low == last.high:
            found[-1] = Piece(last.low, piece.high, last.figures)
        else:
            found.append(piece)
    return found
