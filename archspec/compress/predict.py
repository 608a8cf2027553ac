"""What a network weighs under a plan: layer by layer what is stored, and what arithmetic is left."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from archspec import cost
from archspec.compress.binary import BINARY, binarised
from archspec.compress.low_rank import low_rank_weights
from archspec.compress.plan import Layer, Plan
from archspec.compress.pruning import kept_weights, pruned_flops
from archspec.compress.sharing import codebook_bits, layer_bits
from archspec.compress.sparse import compressed_rows, fillers
from archspec.dims import Dim, divide, known_less, product
from archspec.errors import SpecError, SpecErrors
from archspec.graph import Network, Node
from archspec.graph.network import INPUT
from archspec.ops import Weight
from archspec.result import Reported, short

ROW_INDEX_BITS = 32
"""The bits of an index of compressed sparse rows."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What is stored of a layer.

    Attributes:
        kept: The weights, or the numbers that stand for them.
        filled: The zeros that fill long gaps between them, as many as are expected.
        weight_bits: The bits of a weight, or their average.
        index_bits: The bits of its index, or their average; 0 where all are stored.
        shared: The numbers beside them: a codebook, the factors of one-bit filters, where rows begin.
        biases: The biases.
        number_bits: The bits of a number of those.
    """

    kept: Dim
    filled: Dim
    weight_bits: Dim
    index_bits: Dim
    shared: Dim
    biases: Dim
    number_bits: Dim

    def times(self, n: Dim) -> "Stored":
        """That of n such layers."""
        kept, filled, shared, biases = (n * count for count in (self.kept, self.filled, self.shared, self.biases))
        return replace(self, kept=kept, filled=filled, shared=shared, biases=biases)

    @property
    def bits(self) -> Dim:
        """All of it."""
        entries = self.kept + self.filled
        return layer_bits(entries, self.weight_bits, self.index_bits, self.shared, self.number_bits, self.biases)

    @property
    def least_bits(self) -> Dim:
        """Without fillers and biases, of which a paper's table does not say whether they count."""
        return layer_bits(self.kept, self.weight_bits, self.index_bits, self.shared, self.number_bits, 0)

    @property
    def parts(self) -> Mapping[str, Dim]:
        """The bits by what they are for."""
        return {
            "weights": self.kept * self.weight_bits,
            "indices": self.kept * self.index_bits,
            "fillers": self.filled * (self.weight_bits + self.index_bits),
            "shared": codebook_bits(self.shared, self.number_bits),
            "biases": self.biases * self.number_bits,
        }


@dataclass(frozen=True, slots=True)
class Row:
    """A layer under a plan.

    Attributes:
        node: The layer.
        entry: What the plan says of it; None if nothing.
        weights: Its weights.
        number_bits: The bits of a number before.
        fixed: What is stored with codes of fixed lengths.
        coded: What is stored with Huffman codes of the plan's average lengths; as `fixed` where it has none.
        macs: Its multiply-accumulates.
        inputs: The share of its inputs that is not zero, so far as the plan says.
    """

    node: Node
    entry: Layer | None
    weights: Dim
    number_bits: int
    fixed: Stored
    coded: Stored
    macs: Dim
    inputs: Dim

    @property
    def density(self) -> Dim:
        """The share of the weights that is kept."""
        return self.entry.density if self.entry else 1

    @property
    def dense_bits(self) -> Dim:
        """The bits of weights and biases before."""
        return (self.weights + self.fixed.biases) * self.number_bits

    @property
    def rate(self) -> Dim:
        """Bits stored, over those before."""
        return divide(self.fixed.bits, self.dense_bits)

    @property
    def coded_rate(self) -> Dim:
        """Bits stored with Huffman codes, over those before."""
        return divide(self.coded.bits, self.dense_bits)

    @property
    def flops_share(self) -> Dim:
        """The share of its arithmetic that is left, one-bit operations counted as any others."""
        return pruned_flops(divide(self.fixed.kept, self.weights), self.inputs)


@dataclass(frozen=True, repr=False)
class Prediction(Reported):
    """What a network weighs under a plan.

    Attributes:
        network: The network.
        plan: The plan.
        rows: The layers with weights, in order.
        other_bits: The bits of all other arrays (of normalisations, say), which no plan touches.
    """

    network: Network
    plan: Plan
    rows: tuple[Row, ...]
    other_bits: Dim

    def __repr__(self) -> str:
        return short(self, self.network.name, self.plan.name, f"{self.bits} bits")

    @property
    def dense_bits(self) -> Dim:
        """The bits before."""
        return sum(row.dense_bits for row in self.rows) + self.other_bits

    @property
    def bits(self) -> Dim:
        """The bits stored, with codes of fixed lengths."""
        return sum(row.fixed.bits for row in self.rows) + self.other_bits

    @property
    def coded_bits(self) -> Dim:
        """The bits stored, with Huffman codes where the plan has their lengths."""
        return sum(row.coded.bits for row in self.rows) + self.other_bits

    @property
    def compression_ratio(self) -> Dim:
        """Bits before, over those stored with codes of fixed lengths."""
        return divide(self.dense_bits, self.bits)

    @property
    def coded_ratio(self) -> Dim:
        """Bits before, over those stored with Huffman codes."""
        return divide(self.dense_bits, self.coded_bits)

    @property
    def kept(self) -> Dim:
        """The weights that are kept."""
        return sum(row.fixed.kept for row in self.rows)

    @property
    def flops_share(self) -> Dim:
        """The share of the multiply-accumulates that is left."""
        left = sum(row.flops_share * row.macs for row in self.rows)
        return divide(left, sum(row.macs for row in self.rows))

    @cached_property
    def speedup(self) -> Dim:
        """How many times fewer operations the network has with its one-bit layers, 64 one-bit ones at once."""
        before, after = (cost.count(network, cost.convention("xnor")) for network in (self.network, self.with_one_bit))
        return divide(before.flops, after.flops)

    @cached_property
    def with_one_bit(self) -> Network:
        """The network with one-bit operators where the plan says so."""
        network = self.network
        for binary in ("weights", "xnor"):
            chosen = {row.node.name for row in self.rows if row.entry is not None and row.entry.binary == binary}
            network = binarised(network, chosen, binary_input=binary == "xnor")
        return network


def predict(network: Network, plan: Plan) -> Prediction:
    """What a network weighs under a plan.

    Args:
        network: Its sizes may be ints or SymPy expressions; so are the figures. Where a number is only expected, as
            that of kept weights at a density, it is a rational.
        plan: What is done to which layers; those it does not name stay as they are.

    Raises:
        SpecErrors: The plan names layers that the network does not have, or does to one what cannot be done; all are
            named.

    >>> from archspec.compress import plan
    >>> from archspec.graph import expand
    >>> from archspec.language import load
    >>> found = predict(expand(load("lenet_300_100")), plan.load("lenet_300_100"))
    >>> round(float(found.compression_ratio)), found.rows[0].fixed.kept  # 8 % of 784·300
    (31, 18816)
    """
    arrays = {node.name: node.operator.weights(*network.inputs_of(node)) for node in network.nodes}
    layers = {node: weight for node in network.nodes if (weight := _weight(arrays[node.name])) is not None}
    faults = [*_strays(plan, layers, network), *_misfits(plan, layers)]
    if faults:
        raise SpecErrors(faults)
    inputs = _activations(network, plan, {layer.name for layer in layers})
    rows = []
    for node, weight in layers.items():
        entry = plan.entry(node.name)
        biases = sum(array.elements for array in arrays.pop(node.name) if array.role == "bias")
        macs = node.operator.operations(*network.inputs_of(node)).macs
        fixed = _fixed(weight, entry, plan.number_bits, biases).times(node.times)
        counts = (node.times * weight.elements, plan.number_bits, fixed, _coded(fixed, entry), node.times * macs)
        rows.append(Row(node, entry, *counts, inputs[node.name]))
    others = sum(
        network.node(name).times * weight.elements * (weight.bits or plan.number_bits)
        for name, weights in arrays.items()
        for weight in weights
    )
    return Prediction(network, plan, tuple(rows), others)


def _weight(arrays: Iterable[Weight]) -> Weight | None:
    """The kernel or matrix of a layer, stored in numbers of full precision; None if it has none."""
    return next((w for w in arrays if w.role == "weight" and len(w.shape) > 1 and w.bits is None), None)


def _matrix(weight: Weight) -> tuple[Dim, Dim]:
    """A kernel as a matrix: a row a filter."""
    return weight.shape[0], product(weight.shape[1:])


def _strays(plan: Plan, layers: Iterable[Node], network: Network) -> list[SpecError]:
    """Entries that name no layer with weights."""
    return [
        SpecError(f"'{network.name}' has no layer with weights called '{entry.layer}'", entry.value_at("layer"))
        for entry in plan.layers
        if not any(entry.names(node.name) for node in layers)
    ]


def _misfits(plan: Plan, layers: Mapping[Node, Weight]) -> Iterator[SpecError]:
    """Layers that cannot have what is planned for them."""
    for node, weight in layers.items():
        entry = plan.entry(node.name)
        if entry is not None and entry.binary and node.operator.name not in BINARY:
            message = f"'{node.name}' is a {node.operator.name}, which has no one-bit form"
            yield SpecError(message, entry.key_at("binary"))
        elif entry is not None and entry.rank and any(known_less(side, entry.rank) for side in _matrix(weight)):
            sides = "×".join(map(str, _matrix(weight)))
            yield SpecError(
                f"'{node.name}' is a matrix of {sides}, of no higher rank than either", entry.key_at("rank")
            )


def _fixed(weight: Weight, entry: Layer | None, bits: int, biases: Dim) -> Stored:
    """What is stored of a layer, with codes of fixed lengths."""
    if entry is None:
        return Stored(weight.elements, 0, bits, 0, 0, biases, bits)
    if entry.rank is not None:
        return Stored(low_rank_weights(*_matrix(weight), entry.rank), 0, bits, 0, 0, biases, bits)
    if entry.binary:  # a bit a weight, and a real factor a filter
        return Stored(weight.elements, 0, 1, 0, weight.shape[0], biases, bits)
    return _pruned(weight, entry, bits, biases)


def _pruned(weight: Weight, entry: Layer, bits: int, biases: Dim) -> Stored:
    """Kept weights, or their codes and a codebook; their gaps, or where they stand in compressed rows."""
    kept = kept_weights(weight.elements, entry.density)
    codebook = 2**entry.weight_bits if entry.weight_bits else 0
    width = entry.weight_bits or bits
    if entry.density == 1:
        return Stored(kept, 0, width, 0, codebook, biases, bits)
    if entry.index_bits:
        filled = kept * fillers(entry.density, entry.index_bits)
        return Stored(kept, filled, width, entry.index_bits, codebook, biases, bits)
    begins = compressed_rows(kept, weight.shape[0]) - 2 * kept  # beside a value and a column of each
    return Stored(kept, 0, width, ROW_INDEX_BITS, codebook + divide(begins * ROW_INDEX_BITS, bits), biases, bits)


def _coded(fixed: Stored, entry: Layer | None) -> Stored:
    """The same in Huffman codes of the plan's average lengths."""
    if entry is None or (entry.weight_huffman is None and entry.index_huffman is None):
        return fixed
    weight = fixed.weight_bits if entry.weight_huffman is None else entry.weight_huffman
    index = fixed.index_bits if entry.index_huffman is None else entry.index_huffman
    return replace(fixed, weight_bits=weight, index_bits=index)


def _activations(network: Network, plan: Plan, layers: set[str]) -> dict[str, Dim]:
    """Of each layer the share of its inputs that is not zero: what the plan says of the layer before it.

    What lies between (activations, poolings, normalisations) passes it on; a join passes on the largest of its inputs.
    """
    out: dict[str, Dim] = {INPUT: 1}
    into: dict[str, Dim] = {}
    for node in network.nodes:
        share = max(out[name] for name in node.inputs)
        into[node.name] = share
        entry = plan.entry(node.name) if node.name in layers else None
        passes = node.name not in layers
        out[node.name] = share if passes else entry.activations if entry and entry.activations else 1
    return into
