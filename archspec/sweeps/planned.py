"""What a plan of compression makes of a network, as quantities of a sweep, beside those of the register."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from archspec import cost
from archspec.compress.prediction import Prediction
from archspec.cost import Quantity
from archspec.errors import UnknownNameError, did_you_mean


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
