"""What is asked of a count, as one value: the convention, how many inputs, and how many bits a number has."""

from collections.abc import Container, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from archspec.cost.conventions import DEFAULT, Convention, convention
from archspec.cost.dialects import NAMES
from archspec.cost.features import Work
from archspec.dims import Dim, ceil_div
from archspec.errors import BindingError, UnknownNameError
from archspec.memory import DTYPES, check_request
from archspec.ops import FREE, Operator, Tensor, Weight

MOST_BITS = 64


@dataclass(frozen=True, slots=True)
class Counting:
    """How networks are counted.

    Attributes:
        convention: What counts as a parameter and as an operation; its name will do.
        batch: How many inputs at once.
        policy: What is in memory while a node runs; see `archspec.memory`.
        dtype: The type of an activation, in memory and on its way there; see `archspec.memory`.
        order: In which order the nodes run, of which memory depends; see `archspec.memory`.
        in_place: Whether results are written over inputs where they can be; see `archspec.memory`.
        weight_bits: Bits a stored weight has, where its operator needs no fewer; the convention's unless given.

    Raises:
        UnknownNameError: There is no such convention, policy, type or order.
        BindingError: Weights cannot have so many bits.

    >>> Counting("mobilenet", batch=8).bits, Counting(weight_bits=8).bits
    (32, 8)
    """

    convention: Convention = DEFAULT
    batch: Any = 1
    policy: str = "layerwise"
    dtype: str = "float32"
    order: str = "given"
    in_place: bool = False
    weight_bits: int | None = None

    def __post_init__(self) -> None:
        if isinstance(self.convention, str) and self.convention in NAMES:
            name = self.convention
            raise UnknownNameError(f"'{name}' is a counter and no convention: count --like {name}, dialect(\"{name}\")")
        object.__setattr__(self, "convention", convention(self.convention))
        check_request(self.policy, self.dtype, self.order)
        bits = self.weight_bits
        if bits is not None and not (type(bits) is int and 1 <= bits <= MOST_BITS):
            raise BindingError(f"weight_bits is a whole number from 1 to {MOST_BITS} (got {bits!r:.40})")

    @property
    def bits(self) -> int:
        """Bits a stored weight has, where its operator needs no fewer."""
        return self.weight_bits or self.convention.bits

    @property
    def activation_bits(self) -> int:
        """Bits an activation has."""
        return DTYPES[self.dtype]


def requested(counting: Counting | Convention | str, fields: Mapping[str, Any]) -> Counting:
    """A request, a convention or its name, with other values for some fields."""
    return replace(counting if isinstance(counting, Counting) else Counting(convention(counting)), **fields)


USUAL = Counting()
"""How it is counted where nothing is said."""

ASKED: tuple[str, ...] = tuple(field.name for field in fields(Counting))
"""What can be asked of a count, by name."""


@dataclass(frozen=True, slots=True)
class CountedNode(Work):
    """An operator at its place in a network, and how it is counted.

    Attributes:
        counting: What is asked.
        weights: Its arrays.
        owned: Those of them that no node before it has.
        left_out: Whether the convention leaves it out, as some do with the classifier.
    """

    counting: Counting
    weights: tuple[Weight, ...]
    left_out: bool
    owned: tuple[Weight, ...]

    @property
    def weight_bytes(self) -> Dim:
        """The bytes of its arrays, as they are stored: each once."""
        return sum(bytes_of(weight.elements, weight.bits or self.counting.bits) for weight in self.owned)


def counted(
    operator: Operator,
    inputs: tuple[Tensor, ...],
    output: Tensor,
    counting: Counting,
    left_out: bool = False,
    shared: Container[str] = (),
) -> CountedNode:
    """An operator with its arithmetic as the convention of a request counts it; the `shared` arrays are another's."""
    operations = FREE if left_out else counting.convention.operations(operator, inputs)
    weights = operator.weights(*inputs)
    owned = tuple(weight for weight in weights if weight.name not in shared)
    return CountedNode(operator, inputs, output, operations, counting, weights, left_out, owned)


def bytes_of(elements: Dim, bits: int) -> Dim:
    """The bytes of an array; whole bytes stay whole when the elements are an expression that may not be."""
    return elements * (bits // 8) if bits % 8 == 0 else ceil_div(elements * bits, 8)
