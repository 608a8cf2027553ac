"""Numbers that differ between instances of a model: the same network at several values of its symbols."""

from collections.abc import Callable, Sequence


def _in_each(function: Callable[[int, int], int]) -> "Callable[[Varied, int], int]":
    """An operation on a number in each instance."""

    def operation(number: "Varied", other: int) -> int:
        pairs = zip(number.values, spread(other, len(number.values)), strict=True)
        return varied([function(int(a), int(b)) for a, b in pairs])

    return operation


class Varied(int):
    """A number of the first instance that knows what it is in the others; equal where it is equal in all.

    >>> half = Varied((64, 24))
    >>> half == 64, half == Varied((64, 24)), half * 2, half // 2 == Varied((32, 12)), half % 8, 128 // half, 70 - half
    (False, True, 128 of 48, True, 0, 2 of 5, 6 of 46)
    """

    values: tuple[int, ...]

    def __new__(cls, values: Sequence[int]) -> "Varied":
        """The number, with all its values; the first is what it is as an int."""
        made = super().__new__(cls, values[0])
        made.values = tuple(values)
        return made

    def __eq__(self, other: object) -> bool:
        return isinstance(other, int) and self.values == spread(other, len(self.values))

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self.values)

    __add__ = __radd__ = _in_each(int.__add__)
    __mul__ = __rmul__ = _in_each(int.__mul__)
    __sub__, __rsub__ = _in_each(int.__sub__), _in_each(int.__rsub__)
    __floordiv__, __rfloordiv__ = _in_each(int.__floordiv__), _in_each(int.__rfloordiv__)
    __mod__, __rmod__ = _in_each(int.__mod__), _in_each(int.__rmod__)

    def __repr__(self) -> str:
        return " of ".join(map(str, self.values))


def spread(number: int, count: int) -> tuple[int, ...]:
    """A number in each of several instances."""
    return number.values if isinstance(number, Varied) else (int(number),) * count


def instances(number: int, like: int = 0) -> tuple[int, ...]:
    """A number in each instance, as many as it or another has.

    >>> instances(Varied((64, 24))), instances(3, Varied((64, 24))), instances(3)
    ((64, 24), (3, 3), (3,))
    """
    count = max(len(each.values) if isinstance(each, Varied) else 1 for each in (number, like))
    return spread(number, count)


def varied(values: Sequence[int]) -> int:
    """One number where all are the same, else one that knows them all.

    >>> varied([3, 3]), varied([64, 24])
    (3, 64 of 24)
    """
    return values[0] if all(value == values[0] for value in values) else Varied(values)


def is_plain(number: object) -> bool:
    """Whether something is a whole number that is the same in all instances."""
    return isinstance(number, int) and not isinstance(number, (bool, Varied))
