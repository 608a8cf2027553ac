"""What a network weighs under a plan: layer by layer what is stored, and what arithmetic is left."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product

from archspec import cost
from archspec.compress.layers import binarised, folds, matrices, matrix, planned
from archspec.compress.layout import FLOATS, FileSize, expected_size
from archspec.compress.names import BINARY, CODED, INDEX
from archspec.compress.plan import LayerPlan, Plan
from archspec.compress.rewriting import with_one_bit
from archspec.compress.rules import (
    codebook_bits,
    compressed_rows,
    fillers,
    kept_weights,
    layer_bits,
    low_rank_weights,
    pruned_flops,
    scales,
)
from archspec.dims import Dim, divide, is_number
from archspec.errors import SpecError
from archspec.graph import Network, Node, expand
from archspec.graph.names import state_key
from archspec.ops import Weight
from archspec.result import Reported, short

ROW_INDEX_BITS = 32
"""The bits of an index of compressed sparse rows."""

SCALE_BITS = 32
"""The bits of the scale of an array that has levels and is no layer's weights."""


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
class LayerPrediction:
    """A layer under a plan.

    Attributes:
        node: The layer.
        entry: What the plan says of it.
        weights: Its weights.
        dense_bits: The bits of weights and biases before.
        fixed: What is stored with codes of fixed lengths.
        coded: What is stored with Huffman codes of the plan's average lengths; as `fixed` where it has none.
        macs: Its multiply-accumulates.
        inputs: The share of its inputs that is not zero, so far as the plan says.
    """

    node: Node
    entry: LayerPlan
    weights: Dim
    dense_bits: Dim
    fixed: Stored
    coded: Stored
    macs: Dim
    inputs: Dim

    @property
    def density(self) -> Dim:
        """The share of the weights that is kept."""
        return self.entry.density

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


@dataclass(frozen=True)
class Prediction(Reported):
    """What a network weighs under a plan.

    Attributes:
        network: The network.
        plan: The plan.
        rows: The layers with weights, in order.
        other_bits: The bits of all other arrays, of normalisations, say.
        other_dense_bits: Their bits before.
        measured: What a file of given weights has, byte by byte; None where none were given.
    """

    network: Network
    plan: Plan
    rows: tuple[LayerPrediction, ...]
    other_bits: Dim
    other_dense_bits: Dim
    measured: FileSize | None = None

    @cached_property
    def file(self) -> FileSize | None:
        """What a file has, term by term: of the weights that were given, else as expected; None over free symbols."""
        if self.measured is not None or not is_number(self.dense_bits) or self.plan.number_bits not in FLOATS:
            return self.measured
        return expected_size(self.network, self.plan)

    @property
    def dense_bits(self) -> Dim:
        """The bits before."""
        return sum(row.dense_bits for row in self.rows) + self.other_dense_bits

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
    def speedup(self) -> Dim | None:
        """How many times fewer operations the network has with its one-bit layers, 64 one-bit ones at once.

        None where none is left that the convention counts, as of one-bit weights alone in every layer.
        """
        before, after = (cost.count(network, cost.convention("xnor")) for network in (self.network, self.with_one_bit))
        return None if is_number(after.flops) and after.flops == 0 else divide(before.flops, after.flops)

    @cached_property
    def with_one_bit(self) -> Network:
        """The network with one-bit operators where the plan says so."""
        network = self.network
        if self.plan.normalise and network.document is not None:
            document = with_one_bit(network.document, network, self.plan)
            return expand(document, {name: network.bindings[name] for name in document.symbols}, batch=network.batch)
        for binary, scale in product(BINARY, (True, False)):
            chosen = (row.node for row in self.rows if (row.entry.binary, row.entry.input_scale) == (binary, scale))
            names = {node.name for node in chosen}
            network = binarised(network, names, binary_input=binary == "xnor", input_scale=scale)
        return network

    def __repr__(self) -> str:
        return short(self, self.network.name, f"{len(self.rows)} layers with weights")


def prediction(network: Network, plan: Plan) -> Prediction:
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
    >>> found = prediction(expand(load("lenet_300_100")), plan.load("lenet_300_100"))
    >>> round(float(found.compression_ratio)), found.rows[0].fixed.kept  # 8 % of 784·300
    (31, 18816)
    """
    arrays = {node.name: network.weights_of(node) for node in network.nodes}
    layers = planned(network, plan)
    gone = {key for fold in folds(network) for key in fold.constants} if plan.batch_norm == "fold" else set()
    inputs = _activations(network, plan, {layer.name for layer in layers})
    rows = []
    for node in layers:
        entry, own = plan.entry(node.name), arrays.pop(node.name)
        weights, biases = matrices(own), [array for array in own if array.role == "bias"]
        elements = node.times * sum(weight.elements for weight in weights)
        dense = (elements + node.times * sum(array.elements for array in biases)) * plan.number_bits
        beside = sum((_own(array, node, plan, gone) for array in biases), 0)
        fixed = _fixed(weights, node, entry, plan.number_bits, beside)
        macs = node.times * node.operator.operations(*network.inputs_of(node)).macs
        rows.append(LayerPrediction(node, entry, elements, dense, fixed, _coded(fixed, entry), macs, inputs[node.name]))
    others = [(weight, network.node(name)) for name, weights in arrays.items() for weight in weights]
    stored = sum(node.times * plan.number_bits * _own(weight, node, plan, gone) for weight, node in others)
    dense = sum(node.times * weight.elements * (weight.bits or plan.number_bits) for weight, node in others)
    return Prediction(network, plan, tuple(rows), stored, dense)


def _own(weight: Weight, node: Node, plan: Plan, gone: Collection[str]) -> Dim:
    """The numbers in which an array is stored that no entry speaks of: none of one that was folded into another."""
    if state_key(node.name, weight.name) in gone:
        return 0
    if weight.bits is None and plan.other_bits:
        return divide(weight.elements * plan.other_bits + SCALE_BITS, plan.number_bits)
    return divide(weight.elements * (weight.bits or plan.number_bits), plan.number_bits)


def _fixed(weights: tuple[Weight, ...], node: Node, entry: LayerPlan, bits: int, biases: Dim) -> Stored:
    """What is stored of a layer, with codes of fixed lengths; all its matrices have one form of index."""
    forms = [entry.index_form]
    if forms == ["auto"]:
        forms = [form for form in INDEX if form != "auto" and (form != "gaps" or entry.index_bits)]
    stored = [_stored(weights, node, entry, form, bits, biases) for form in forms]
    if len(stored) > 1 and not all(is_number(each.bits) for each in stored):
        raise SpecError("which index is the smallest depends on free symbols; say which, or set them", entry.at)
    return min(stored, key=lambda each: each.bits)


def _stored(
    weights: tuple[Weight, ...], node: Node, entry: LayerPlan, index_form: str, bits: int, biases: Dim
) -> Stored:
    counts = zip(*(_counts(weight, entry, index_form, bits) for weight in weights), strict=True)
    kept, filled, shared = (node.times * sum(each) for each in counts)
    width = 1 if entry.binary else entry.weight_bits or entry.linear_bits or bits
    index_bits = {"gaps": entry.index_bits, "rows": ROW_INDEX_BITS}.get(index_form) or 0
    return Stored(kept, filled, width, index_bits, shared, node.times * biases, bits)


def _counts(weight: Weight, entry: LayerPlan, index_form: str, bits: int) -> tuple[Dim, Dim, Dim]:
    """What is kept of one matrix, or stands for it; the zeros that fill long gaps; and the numbers beside them."""
    rows, columns = matrix(weight)
    if entry.rank is not None:
        return low_rank_weights(rows, columns, entry.rank), 0, 0
    if entry.binary:  # one bit per weight, and one real factor per filter
        return weight.elements, 0, rows
    kept = weight.elements if index_form == "dense" else kept_weights(weight.elements, entry.density)
    beside = 2**entry.weight_bits if entry.weight_bits else 0
    if entry.linear_bits:
        zero_points = entry.linear_bits if entry.linear_rule == "zero_point" else 0
        beside = divide(scales(rows, columns, entry.linear_per) * (entry.scale_bits + zero_points), bits)
    if index_form == "gaps":
        return kept, kept * fillers(entry.density, entry.index_bits), beside
    if index_form == "rows":
        begins = compressed_rows(kept, rows) - 2 * kept  # beside a value and a column of each
        return kept, 0, beside + divide(begins * ROW_INDEX_BITS, bits)
    return kept, 0, beside + (divide(weight.elements, bits) if index_form == "bitmask" else 0)


def _coded(fixed: Stored, entry: LayerPlan) -> Stored:
    """The same in Huffman codes of the plan's average lengths, where it has them."""
    weight = fixed.weight_bits if entry.weight_huffman in (None, CODED) else entry.weight_huffman
    index = fixed.index_bits if entry.index_huffman in (None, CODED) or not fixed.index_bits else entry.index_huffman
    return replace(fixed, weight_bits=weight, index_bits=index)


def _activations(network: Network, plan: Plan, layers: set[str]) -> dict[str, Dim]:
    """Of each layer the share of its inputs that is not zero: what the plan says of the layer before it.

    What lies between (activations, poolings, normalisations) passes it on; a concatenation has the share of all its
    inputs together, another join the largest of theirs.
    """
    out: dict[str, Dim] = dict.fromkeys(network.inputs, 1)
    into: dict[str, Dim] = {}
    for node in network.nodes:
        shares = [out[name] for name in node.inputs]
        if node.operator.name == "concat":
            sizes = [x.elements for x in network.inputs_of(node)]
            share = divide(sum(size * each for size, each in zip(sizes, shares, strict=True)), sum(sizes))
        else:
            share = max(shares)
        into[node.name] = share
        out[node.name] = (plan.entry(node.name).activations or 1) if node.name in layers else share
    return into
