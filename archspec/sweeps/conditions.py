"""What the points of a sweep must be: macs<=300M, params>=1M, side>=160."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from archspec.errors import BindingError
from archspec.sweeps.budget import Budget, budget
from archspec.sweeps.planned import quantity

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
