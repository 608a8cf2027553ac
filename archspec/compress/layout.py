"""Which arrays a file has under a plan, in which blobs, how each may be written; and how large the file is.

Its size is said term by term: expected from densities, or exact from counts of symbols.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np

from archspec.compress.blobs import as_array
from archspec.compress.codecs import (
    Bitmask,
    Codebook,
    CompressedRows,
    Constant,
    Content,
    Dense,
    Factors,
    Gaps,
    Index,
    LinearQuantisation,
    Numbers,
    Signs,
    Values,
)
from archspec.compress.codecs.base import Array, added
from archspec.compress.coding import ArraySize, Coding
from archspec.compress.container import CHECK, description, heading
from archspec.compress.layers import Fold, folds, matrices, planned
from archspec.compress.names import CODED, MAX_INDEX_BITS, SCANS
from archspec.compress.plan import LayerPlan, Plan
from archspec.compress.progress import Progress, silent
from archspec.dims import Dim
from archspec.errors import ArchspecError
from archspec.graph import Network
from archspec.graph.names import state_key
from archspec.language.origin import Origin
from archspec.ops import Weight

FLOATS = (16, 32)
"""The bits of numbers that a file holds."""

DIGEST = "0" * 64
"""What stands for the digest of a specification where only its length matters."""


@dataclass(frozen=True)
class CodingChoice:
    """An array, and the codings among which the smallest is taken; of equals the first."""

    candidates: tuple[Coding, ...]

    @property
    def key(self) -> str:
        """The array's name."""
        return self.candidates[0].key

    def expected(self) -> ArraySize:
        """The smallest where weights are not known, and how large it is expected to be."""
        return min((coding.sized(coding.expected()) for coding in self.candidates), key=lambda size: size.bits)

    def of(self, array: Array) -> tuple[ArraySize, Content]:
        """The smallest for an array, and its symbols."""
        return min(self._ways(array), key=lambda way: way[0].bits)

    def _ways(self, array: Array) -> Iterator[tuple[ArraySize, Content]]:
        """All ways to write an array; codings that choose the same weights alike share that work."""
        contents: dict[tuple[Values, bool], Content] = {}
        for coding in self.candidates:
            kind = coding.values, coding.dense
            if kind not in contents:
                contents[kind] = coding.chosen(array)
            symbols = coding.in_scan(contents[kind])
            yield coding.sized(coding.stats(symbols)), symbols


@dataclass(frozen=True)
class FileLayout:
    """The arrays of a file.

    Attributes:
        blobs: The arrays of each blob: a layer's weights; in the last, all arrays of one axis.
        folds: The normalisations that go into layers before anything is written.
    """

    blobs: tuple[tuple[CodingChoice, ...], ...]
    folds: tuple[Fold, ...] = ()

    def read(self, source: Mapping[str, Any], key: str) -> Array:
        """An array, or a tensor, of a source as it is to be written.

        Raises:
            ArchspecError: The source does not have it.
        """
        for fold in self.folds:
            if key in fold.constants:
                return np.full(source[key].shape, fold.constants[key], np.float32)
            if key in (f"{fold.layer}weight", f"{fold.norm}bias"):
                return fold.applied(source)[key]
        return as_array(source[key])


def layout(network: Network, plan: Plan) -> FileLayout:
    """The arrays of a network's file under a plan.

    Raises:
        SpecErrors: The plan does not fit the network.
        ArchspecError: It wants numbers that a file does not hold.
    """
    if plan.number_bits not in FLOATS:
        raise ArchspecError(f"a file holds numbers of 16 or 32 bits; the plan '{plan.name}' has {plan.number_bits}")
    layers = planned(network, plan)
    gone = folds(network) if plan.batch_norm == "fold" else ()
    constants = {key: value for fold in gone for key, value in fold.constants.items()}
    blobs, others = [], []
    for node in network.nodes:
        for weight in network.weights_of(node):
            key = state_key(node.name, weight.name)
            if node in layers and matrices((weight,)):
                blobs.append((CodingChoice(_codings(Coding(key, weight.shape), plan.entry(node.name), plan)),))
            elif key in constants:
                others.append(CodingChoice((Coding(key, weight.shape, Constant(constants[key])),)))
            elif len(weight.shape) > 1:
                blobs.append((CodingChoice((Coding(key, weight.shape, _own(weight, plan)),)),))
            else:
                others.append(CodingChoice((Coding(key, weight.shape, _own(weight, plan)),)))
    return FileLayout((*blobs, *([tuple(others)] if others else [])), gone)


def _own(weight: Weight, plan: Plan) -> Values:
    """How an array is written that no entry of a plan speaks of."""
    if weight.bits == 1:
        return Signs(0)
    if plan.other_bits:
        return LinearQuantisation(plan.other_bits, per="tensor")
    return Numbers(plan.number_bits)


def _codings(bare: Coding, entry: LayerPlan, plan: Plan) -> tuple[Coding, ...]:
    if entry.rank:
        return (replace(bare, values=Factors(entry.rank, plan.number_bits)),)
    if entry.binary:
        return (replace(bare, values=Signs(plan.number_bits)),)
    scans = SCANS if entry.scan == "auto" else (entry.scan,)
    found = []
    for scan, index in product(scans, _indices(entry)):
        coding = replace(bare, index=index, scan=scan, density=entry.density)
        if isinstance(index, CompressedRows) and entry.index_form == "auto":
            coding = replace(coding, index=CompressedRows(_index_bits(coding.scanned[1])))
        if scan == scans[0] or not isinstance(index, (Dense, Bitmask)):
            found.append(replace(coding, values=_values(entry, plan, index)))
    return tuple(found)


def _indices(entry: LayerPlan) -> tuple[Index, ...]:
    """The forms of index that an entry allows."""
    huffman, average = _coded(entry.index_huffman)
    widths = (entry.index_bits,) if entry.index_bits else range(1, MAX_INDEX_BITS + 1)
    forms: dict[str, tuple[Index, ...]] = {
        "dense": (Dense(),),
        "bitmask": (Bitmask(),),
        "rows": (CompressedRows(),),
        "gaps": tuple(Gaps(bits, huffman, average) for bits in widths),
    }
    return (
        forms[entry.index_form]
        if entry.index_form != "auto"
        else tuple(index for form in forms.values() for index in form)
    )


def _index_bits(columns: int) -> int:
    """The bits of a column's number; 32 where 16 do not do."""
    bits = max(1, (columns - 1).bit_length())
    return bits if bits <= 16 else 32


def _values(entry: LayerPlan, plan: Plan, index: Index) -> Values:
    huffman, average = _coded(entry.weight_huffman)
    if entry.weight_bits:
        zero = isinstance(index, Gaps) or (isinstance(index, Dense) and entry.density != 1)
        return Codebook(entry.weight_bits, huffman, plan.number_bits, zero, entry.codebook, average)
    if entry.linear_bits:
        per, scale = entry.linear_per, entry.scale_bits
        return LinearQuantisation(entry.linear_bits, entry.linear_rule, per, scale, huffman, average)
    return Numbers(plan.number_bits)


def _coded(length: Dim | None) -> tuple[bool, Dim | None]:
    """Whether a stream is Huffman coded, and the measured average."""
    return length is not None, None if length == CODED else length


# ------------------------------------------------------------------ sizes


@dataclass(frozen=True)
class FileSize:
    """The size of a compressed file.

    Attributes:
        blobs: Its arrays, blob by blob.
        header_bits: The bits of its header.
        exact: Whether weights were given; else it is what is expected of independent positions.
    """

    blobs: tuple[tuple[ArraySize, ...], ...]
    header_bits: int
    exact: bool

    @property
    def parts(self) -> Iterator[ArraySize]:
        """All arrays."""
        return (part for blob in self.blobs for part in blob)

    @cached_property
    def terms(self) -> Mapping[str, Dim]:
        """The bits of the file by what they are for."""
        framing = {"checksums": 8 * CHECK * len(self.blobs), "header": self.header_bits}
        return added(*(part.terms for part in self.parts), framing)

    @property
    def bytes(self) -> int:
        """The size of the file; where it is expected, rounded up."""
        return math.ceil(sum(self.terms.values()) / 8)

    @property
    def dense_bytes(self) -> int:
        """The bytes of its arrays in float32."""
        return 4 * sum(part.coding.elements for part in self.parts)


def file_size(origin: Origin, plan: Plan, blobs: Sequence[Sequence[ArraySize]], *, exact: bool) -> FileSize:
    """The size of a file of these arrays, header and all."""
    text = description(origin, plan, [[part.coding for part in blob] for blob in blobs])
    sizes = [CHECK + math.ceil(sum(part.bits for part in blob) / 8) for blob in blobs]
    return FileSize(tuple(map(tuple, blobs)), 8 * len(heading(text, sizes)), exact)


def expected_size(network: Network, plan: Plan) -> FileSize:
    """The size of a network's file under a plan, from its densities alone."""
    blobs = [[choice.expected() for choice in blob] for blob in layout(network, plan).blobs]
    return file_size(placeholder_origin(network), plan, blobs, exact=False)


def placeholder_origin(network: Network) -> Origin:
    """A stand-in for where a network comes from, as long as it."""
    return Origin(network.name, DIGEST, {name: str(value) for name, value in network.bindings.items()})


def quantised(
    arrays: FileLayout, source: Mapping[str, Any], progress: Progress = silent
) -> Iterator[list[tuple[ArraySize, Content]]]:
    """Blob by blob the arrays with their sizes and their symbols, which are made when the blob is asked for."""
    total = sum(choice.candidates[0].elements for blob in arrays.blobs for choice in blob)
    done = 0
    for blob in arrays.blobs:
        parts = []
        for choice in blob:
            progress(choice.key, done, total)
            parts.append(choice.of(arrays.read(source, choice.key)))
            done += choice.candidates[0].elements
            progress(choice.key, done, total)
        yield parts


def exact_size(network: Network, plan: Plan, source: Mapping[str, Any], progress: Progress = silent) -> FileSize:
    """The size of the file of given weights, to the byte; nothing is encoded."""
    blobs = [[part for part, _ in blob] for blob in quantised(layout(network, plan), source, progress)]
    return file_size(placeholder_origin(network), plan, blobs, exact=True)
