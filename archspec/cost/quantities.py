"""What can be counted: each quantity is an entry of one register, which count, compare, formula, solve and others read.

A quantity comes from the nodes of a row in one of four ways:

    sum     what the nodes have, added up
    ratio   one quantity over another, of all the nodes together: a total of ratios is the ratio of totals; over a
            largest, over that of the whole network
    peak    the most that is in memory while one of the nodes runs
    largest the largest number that one of the nodes has

Another package offers its own by an entry point in the group `archspec.quantities`; it is loaded when its name is asked
for, and no quantity here has that name.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from archspec.cost.conventions import is_zero
from archspec.cost.counting import CountedNode, bytes_of
from archspec.dims import Dim, divide, is_array, is_number, is_symbolic, largest, product
from archspec.errors import ArchspecError, UnknownNameError, suggestion
from archspec.extras import entry_point
from archspec.graph import Network
from archspec.graph.sight import effective_strides, learned, receptive_fields
from archspec.ops import KINDS

if TYPE_CHECKING:
    from archspec.cost.table import CostRow, CostTable


@dataclass(frozen=True)
class Quantity(ABC):
    """What can be counted.

    Attributes:
        name: What it is asked for by.
        heading: What stands above its numbers.
        unit: Its unit; nothing where it counts things.
        meaning: What it is, in a few words.
    """

    kind: ClassVar[Literal["sum", "ratio", "peak", "largest"]]

    name: str
    heading: str
    unit: str
    meaning: str

    @abstractmethod
    def of(self, row: "CostRow") -> Any:
        """What a row has of it; None where that is undefined."""

    @abstractmethod
    def each(self, table: "CostTable") -> tuple[Any, ...]:
        """What each node of a table has of it."""

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Sum(Quantity):
    """What nodes have, added up.

    Attributes:
        rule: What one node has.
    """

    kind = "sum"

    rule: Callable[[CountedNode], Dim]

    def of(self, row: "CostRow") -> Dim:
        """The sum over the nodes of a row."""
        return sum(row.each(self))

    def each(self, table: "CostTable") -> tuple[Dim, ...]:
        """What each node of a table has; nodes that are alike are asked once."""
        known: dict[int, Dim] = {}
        found = []
        for node, work in zip(table.network.nodes, table.works, strict=True):
            once = known.get(id(work))
            if once is None:
                once = known[id(work)] = self.rule(work)
            found.append(once if type(node.times) is int else node.times * once)
        return tuple(found)


@dataclass(frozen=True)
class Ratio(Quantity):
    """One quantity over another.

    Attributes:
        above: The name of the one.
        below: The name of the other.
    """

    kind = "ratio"

    above: str
    below: str

    def of(self, row: "CostRow") -> Any:
        """The one over the other, exactly; None over nothing."""
        whole = quantity(self.below).kind == "largest"
        return _quotient(row.figure(self.above), (row.table.total if whole else row).figure(self.below))

    def each(self, table: "CostTable") -> tuple[Any, ...]:
        """The one over the other of each node of a table."""
        return tuple(map(self.of, table.rows))


@dataclass(frozen=True)
class Peak(Quantity):
    """The most bytes that are in memory while one of the nodes runs.

    Attributes:
        policy: What is in memory while a node runs; that of the request if None.
    """

    kind = "peak"

    policy: str | None = None

    def of(self, row: "CostRow") -> Dim:
        """The highest of the nodes of a row."""
        whole = len(row.members) == len(row.table.works)
        return self._memory(row.table).peak if whole else largest(row.each(self))

    def each(self, table: "CostTable") -> tuple[Dim, ...]:
        """What is in memory while each node of a table runs."""
        return tuple(moment.bytes for moment in self._memory(table).timeline)

    def _memory(self, table: "CostTable") -> Any:
        from archspec.memory.peak import memory

        asked = table.counting
        return memory(table.network, self.policy or asked.policy, asked.dtype, asked.order, in_place=asked.in_place)


@dataclass(frozen=True)
class Largest(Quantity):
    """The largest number that one of the nodes has; None where none of them has one.

    Attributes:
        rule: What each node of a network has.
    """

    kind = "largest"

    rule: Callable[[Network], tuple[Any, ...]]

    def of(self, row: "CostRow") -> Any:
        """The largest of the nodes of a row."""
        found = [each for each in row.each(self) if each is not None]
        return largest(found) if found else None

    def each(self, table: "CostTable") -> tuple[Any, ...]:
        """What each node of a table has."""
        return self.rule(table.network)


@dataclass(frozen=True)
class Backward(Sum):
    """What nodes have in the backward pass, added up: what leads to no weights is not computed."""

    def each(self, table: "CostTable") -> tuple[Dim, ...]:
        """What each node of a table has."""
        learning = learned(table.network)
        once = super().each(table)
        inputs = (any(name in learning for name in node.inputs) for node in table.network.nodes)
        return tuple(value if needed else 0 for value, needed in zip(once, inputs, strict=True))


def _quotient(above: Any, below: Any) -> Any:
    if is_array(above) or is_array(below):
        import numpy as np

        return np.frompyfunc(_quotient, 2, 1)(above, below)
    nothing = below is None or ((is_number(below) or is_symbolic(below)) and below == 0)
    return None if nothing else divide(above, below)


# ------------------------------------------------------------------ rules


def _params(work: CountedNode) -> Dim:
    roles = work.counting.convention.params
    return 0 if work.left_out else sum(weight.elements for weight in work.owned if weight.role in roles)


def _buffers(work: CountedNode) -> Dim:
    return sum(weight.elements for weight in work.owned if not weight.trainable)


def _activations(work: CountedNode) -> Dim:
    return 0 if work.operator.view else work.output.elements


def _traffic(work: CountedNode) -> Dim:
    """What is read and what is written; a view moves nothing."""
    if work.operator.view:
        return 0
    bits = work.counting.activation_bits
    return sum(bytes_of(x.elements, bits) for x in (*work.inputs, work.output)) + work.weight_bytes


def _bops(work: CountedNode) -> Dim:
    """Each product at the bits of its two factors: those of one-bit layers too, which are no multiply-accumulates."""
    if work.left_out:
        return 0
    kernel = next((weight for weight in work.weights if weight.role == "weight"), None)
    bits = work.counting.activation_bits
    products = work.operations.macs * (bits if kernel is None else work.counting.bits) * bits
    if kernel is None or kernel.bits is None:
        return products
    factors = bits if is_zero(work.operations.binary) else 1
    return products + product(kernel.shape[1:]) * work.output.elements * kernel.bits * factors


def _weight_gradient(work: CountedNode) -> Dim:
    """Each multiply-accumulate has one weight, and gives one term of that weight's gradient."""
    return work.operations.macs if any(weight.role == "weight" for weight in work.weights) else 0


def _kv_cache(work: CountedNode) -> Dim:
    """The bytes of what is kept for later tokens, at the type of an activation."""
    return bytes_of(work.operator.cached(*work.inputs), work.counting.activation_bits)


def _tokens(network: Network) -> tuple[Any, ...]:
    """How many whole numbers each node looks up; None where it takes other numbers."""
    return tuple(
        None if node.operator.below is None else network.tensor(node.inputs[0]).elements for node in network.nodes
    )


def _operations(kind: str) -> Sum:
    meaning = "multiply-accumulates" if kind == "macs" else f"{kind} alone"
    return Sum(kind, "MACs" if kind == "macs" else kind, "", meaning, lambda work: getattr(work.operations, kind))


_ENTRIES: tuple[Quantity, ...] = (
    Sum("params", "params", "", "parameters", _params),
    Sum("buffers", "buffers", "", "statistics kept beside the parameters", _buffers),
    _operations("macs"),
    Sum("flops", "FLOPs", "", "FLOPs", lambda work: work.counting.convention.flops_at(work)),
    Sum("activations", "activations", "", "elements of all results", _activations),
    Sum("weight_bytes", "weights [B]", "B", "bytes of all arrays", lambda work: work.weight_bytes),
    *(_operations(kind) for kind in KINDS if kind != "macs"),
    Peak("memory", "peak memory [B]", "B", "bytes in memory at once, by the policy that is asked for"),
    Peak(
        "memory_liveness",
        "peak of what is alive [B]",
        "B",
        "bytes in memory at once, of all that is alive",
        "liveness",
    ),
    Peak(
        "memory_training",
        "memory to train with [B]",
        "B",
        "bytes in memory at once, everything kept for the backward pass",
        "training",
    ),
    Sum(
        "kv_cache",
        "KV cache [B]",
        "B",
        "bytes of the keys and values that causal attention keeps of its tokens, those in a window where it has one",
        _kv_cache,
    ),
    Largest(
        "input_tokens", "input tokens", "", "whole numbers that an embedding looks up: the words of a text", _tokens
    ),
    Ratio("flops_per_token", "FLOPs/token", "", "FLOPs for each token of the input", "flops", "input_tokens"),
    Sum("traffic", "traffic [B]", "B", "bytes that nodes read and write: inputs, weights and outputs", _traffic),
    Sum("bops", "BOPs", "", "products, each at the bits of a weight times the bits of an activation", _bops),
    Backward(
        "macs_input_gradient",
        "MACs, input gradient",
        "",
        "multiply-accumulates that carry the gradient on to layers that learn",
        lambda work: work.operations.macs,
    ),
    Sum(
        "macs_weight_gradient",
        "MACs, weight gradient",
        "",
        "multiply-accumulates of the weights' gradient",
        _weight_gradient,
    ),
    Largest(
        "receptive_field",
        "receptive field",
        "px",
        "pixels of the input that one of the result sees, side by side",
        receptive_fields,
    ),
    Largest(
        "effective_stride",
        "effective stride",
        "px",
        "pixels of the input between two neighbours of the result",
        effective_strides,
    ),
    Ratio(
        "intensity", "MACs/B", "MACs/B", "multiply-accumulates for each byte that is read or written", "macs", "traffic"
    ),
)

QUANTITIES: Mapping[str, Quantity] = MappingProxyType({quantity.name: quantity for quantity in _ENTRIES})
"""Every quantity that comes with the library, by its name."""

GROUP = "archspec.quantities"


def quantity(name: str) -> Quantity:
    """The quantity of that name, of the library or of a package that offers it.

    Raises:
        UnknownNameError: There is none.
        ArchspecError: A package offers something else by that name.

    >>> quantity("params").meaning
    'parameters'
    """
    if name in QUANTITIES:
        return QUANTITIES[name]
    found = entry_point(GROUP, name)
    if found is None:
        raise UnknownNameError(f"no quantity '{name}'{suggestion(name, QUANTITIES)}")
    if not isinstance(found, Quantity) or found.name != name:
        raise ArchspecError(f"the entry point '{name}' of {GROUP} is not a quantity of that name (found {found!r:.80})")
    return found
