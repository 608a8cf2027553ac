"""What the points of a sweep must be (macs<=300M), and what they are compared by (min:macs, max:params)."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from archspec.errors import BindingError
from archspec.sweeps.budget import Budget, budget
from archspec.sweeps.planned import quantity


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


_TEXT = re.compile(r"\s*(\w+)\s*((?:<=|>=|<|>|≤|≥).*)", re.DOTALL)


def conditions(given: str | Iterable[str] | Mapping[str, Any] | None, planned: bool) -> tuple[Budget, ...]:
    """Bounds of quantities; those of one quantity together.

    Args:
        given: Texts such as "macs<=300M", or a mapping from quantities to bounds.
        planned: Whether there is a plan, which has quantities of its own.

    Raises:
        BindingError: A text is no bound, or two contradict each other.
        UnknownNameError: There is no such quantity.

    >>> conditions(["macs<=300M", "macs>=1M"], planned=False)
    (Budget(quantity='macs', least=1000000, most=300000000),)
    """
    bounds: dict[str, list[str]] = {}
    if isinstance(given, Mapping):
        bounds = {name: [each] if isinstance(each, str) else list(each) for name, each in given.items()}
    else:
        for text in [given] if isinstance(given, str) else given or ():
            found = _TEXT.fullmatch(text)
            if found is None:
                raise BindingError(f"a condition is NAME<=BOUND, such as 'macs<=300M' (got '{text[:40]}')")
            bounds.setdefault(found[1], []).append(found[2])
    return tuple(budget(quantity(name, planned), texts) for name, texts in bounds.items())
