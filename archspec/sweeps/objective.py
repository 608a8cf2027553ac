"""What the points of a sweep are compared by: the least of one quantity, the most of another."""

from collections.abc import Iterable
from dataclasses import dataclass

from archspec.errors import BindingError


@dataclass(frozen=True, slots=True)
class Objective:
    """A quantity of which to have little, or much.

    >>> print(objective("max:params"), objective("macs"))
    max:params min:macs
    """

    quantity: str
    largest: bool = False

    def __str__(self) -> str:
        return f"{'max' if self.largest else 'min'}:{self.quantity}"


def objective(text: str) -> Objective:
    """An objective as it is written; without min: or max: the least.

    Raises:
        BindingError: It is neither min: nor max:.
    """
    word, colon, name = text.strip().rpartition(":")
    if colon and word.strip() not in ("min", "max"):
        raise BindingError(f"an objective is min:NAME or max:NAME, such as max:params (got '{text.strip()[:40]}')")
    return Objective(name.strip(), word.strip() == "max")


def objectives(texts: str | Iterable[str]) -> tuple[Objective, ...]:
    """The objectives of a front.

    Raises:
        BindingError: There are fewer than two, or a quantity stands twice.

    >>> [str(each) for each in objectives("min:macs,max:params")]
    ['min:macs', 'max:params']
    """
    parts = texts.split(",") if isinstance(texts, str) else list(texts)
    found = tuple(map(objective, parts))
    if len(found) < 2:
        given = ", ".join(map(str, found)) or "none"
        raise BindingError(f"a front is of two objectives at least (got {given}); of one, sort by it and take the top")
    names = [each.quantity for each in found]
    if twice := [name for name in names if names.count(name) > 1]:
        raise BindingError(f"{twice[0]} is two objectives of one front")
    return found
