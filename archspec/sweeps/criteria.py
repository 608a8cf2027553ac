"""What is asked of the points of a sweep: quantities, bounds (macs<=300M), and objectives (min:macs, max:params)."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from archspec import cost
from archspec.compress.prediction import Prediction
from archspec.cost import Quantity
from archspec.errors import BindingError, UnknownNameError, did_you_mean
from archspec.sweeps.budget import Budget, budget


@dataclass(frozen=True)
class Planned(Quantity):
    """A quantity of a network under a plan: bits, which may be averages, and so no whole number, or one over another.

    Attributes:
        attribute: What a `Prediction` calls it.
    """

    kind = "ratio"

    attribute: str

    def predicted(self, prediction: Prediction) -> Any:
        """What a prediction says."""
        return getattr(prediction, self.attribute)

    def of(self, row: Any) -> Any:  # noqa: ARG002  # whatever the row is
        """Refused: a row knows no plan."""
        raise UnknownNameError(f"{self.name} is of a network under a plan; ask archspec compress predict")

    def each(self, table: Any) -> tuple[Any, ...]:
        """Refused likewise."""
        return (self.of(table),)


_ENTRIES = (
    Planned("stored_bits", "stored [bit]", "", "bits stored, with codes of fixed lengths", "bits"),
    Planned("coded_bits", "coded [bit]", "", "bits stored, with Huffman codes", "coded_bits"),
    Planned("kept_weights", "weights kept", "", "weights that are kept", "kept"),
    Planned(
        "compression_ratio", "ratio", "", "bits before over those stored, fixed lengths", "compression_ratio"
    ),
    Planned("coded_ratio", "ratio coded", "", "bits before over those stored, Huffman codes", "coded_ratio"),
)  # fmt: skip

PLANNED: Mapping[str, Planned] = MappingProxyType({each.name: each for each in _ENTRIES})
"""The quantities that a plan gives, by name."""


def quantity(name: str, planned: bool = True) -> Quantity:
    """A quantity of the register, or one that a plan gives.

    Args:
        name: Its name.
        planned: Whether there is a plan.

    Raises:
        UnknownNameError: There is none.
    """
    if name in PLANNED:
        if not planned:
            raise UnknownNameError(f"{name} is of a network under a plan of compression; name one: --plan NAME")
        return PLANNED[name]
    close = did_you_mean(name, (*cost.QUANTITIES, *PLANNED))
    if close and name not in cost.QUANTITIES:
        try:
            return cost.quantity(name)
        except UnknownNameError:
            raise UnknownNameError(f"no quantity '{name}'{close}") from None
    return cost.quantity(name)


def quantities(names: Iterable[str], planned: bool) -> tuple[str, ...]:
    """The names of quantities that there are, each once.

    Raises:
        UnknownNameError: There is none of a name.
    """
    return tuple(dict.fromkeys(quantity(name, planned).name for name in names))


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
