"""How often things are repeated in several instances of a model, whose structures are alike but for that."""

from collections.abc import Iterator, Sequence

from archspec.importing.items import Item, Items, Repeated, Row, TableItem, bodies
from archspec.importing.varied import Varied, varied


class UnlikeError(Exception):
    """Two structures differ in more than repeats."""


def vary_repeats(first: Items, others: Sequence[Items | None]) -> list[Varied]:
    """Make numbers of repeats know what they are in every instance; gives those that differ.

    Args:
        first: The structure of the first instance, whose repeats change.
        others: That of each instance; None where it is the first one's. One that differs in more has no say.
    """
    several = [_paired(first, items) if items is not None else None for items in others]
    for number, one in enumerate(_repeats(first)):
        one.times = varied([pairs[number] if pairs is not None else one.times for pairs in several])
    return [one.times for one in _repeats(first) if isinstance(one.times, Varied)]


def _paired(first: Items, other: Items) -> list[int] | None:
    """How often each thing that the first repeats is repeated in another; None if that has other things."""
    try:
        return [two.times for _, two in _pairs(first, other)]
    except UnlikeError:
        return None


def _pairs(first: Items, other: Items) -> Iterator[tuple[Row | Repeated, Row | Repeated]]:
    if len(first) != len(other):
        raise UnlikeError
    for one, two in zip(first, other, strict=True):
        yield from _pairs_of(one, two)


def _pairs_of(one: Item, two: Item) -> Iterator[tuple[Row | Repeated, Row | Repeated]]:
    if isinstance(one, TableItem) and isinstance(two, TableItem) and len(one.rows) == len(two.rows):
        yield from zip(one.rows, two.rows, strict=True)
        return
    if type(one) is not type(two) or isinstance(one, TableItem):
        raise UnlikeError
    if isinstance(one, Repeated) and isinstance(two, Repeated):
        yield one, two
    if len(bodies(one)) != len(bodies(two)):
        raise UnlikeError
    for inner, others in zip(bodies(one), bodies(two), strict=True):
        yield from _pairs(inner, others)


def _repeats(items: Items) -> list[Row | Repeated]:
    return [one for one, _ in _pairs(items, items)]
