"""Packing: weights under a plan into a file whose size was predicted. Verifying: that a file is such a one.

What is verified is that it is what this library writes, term by term, and decodes to what it was.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from archspec.compress.blobs import Weights
from archspec.compress.codecs.base import ByteReader, DamagedError, Terms, added
from archspec.compress.coding import Coding
from archspec.compress.container import CHECK, LIMIT, CompressedFile, description, unpack, write
from archspec.compress.layout import FileLayout, FileSize, exact_size, file_size, layout, quantised
from archspec.compress.plan import Plan, load
from archspec.compress.prediction import Prediction, prediction
from archspec.compress.progress import Progress, silent
from archspec.errors import ArchspecError, did_you_mean
from archspec.graph import Network
from archspec.language import Document
from archspec.language.origin import origin
from archspec.result import Reported, short

MODES = ("structure", "sampled", "full")
"""How much is looked at: what the header says, and checksums; some blocks of each stream too; or everything."""


class Specified(Protocol):
    """What an architecture is asked for here."""

    document: Document

    def expand(self, bindings: Mapping[str, Any], /) -> Network:
        """The network of these bindings."""


@dataclass(frozen=True, repr=False)
class Packed(Reported):
    """A file that was written.

    Attributes:
        path: Where.
        size: What it has, term by term, as it was predicted.
        bytes: Its size on disk.
        prediction: What the plan says of the layers, with this size as measured.
        notes: What is worth knowing: where k-means was stopped before it settled.
    """

    path: Path
    size: FileSize
    bytes: int
    prediction: Prediction
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return short(self, self.sentence)

    @property
    def sentence(self) -> str:
        """What came of it, in one sentence."""
        ratio = self.size.dense_bytes / self.bytes
        return f"{self.path}: {self.bytes:,} bytes, {ratio:.2f}× smaller than {self.size.dense_bytes:,} of float32"


def predict(
    arch: Specified,
    plan: str | os.PathLike[str] | Plan,
    weights: "Mapping[str, Any] | str | os.PathLike[str] | None" = None,
    bindings: Mapping[str, Any] | None = None,
    *,
    progress: Progress = silent,
    **keywords: Any,
) -> Prediction:
    """What a network weighs under a plan, and its file: expected from densities, or to the byte for given weights.

    Args:
        arch: The network's architecture.
        plan: A plan, its file, or the name of one that comes with the library.
        weights: Arrays by the names of the network's state dict, or a file of them.
        bindings: Values for symbols, by name.
        progress: What is told how far it is.
        keywords: Values for symbols, in place of a mapping.

    Raises:
        ArchspecError: The plan or the weights do not fit the network.

    >>> import archspec
    >>> archspec.compress.predict(archspec.load("lenet_300_100"), "lenet_300_100").file.bytes
    27734
    """
    network, plan = arch.expand({**(bindings or {}), **keywords}), load(plan)
    found = prediction(network, plan)
    if weights is None:
        return found
    source = _whole(weights, layout(network, plan))
    return replace(found, measured=exact_size(network, plan, source, progress))


def pack(
    arch: Specified,
    weights: "Mapping[str, Any] | str | os.PathLike[str]",
    plan: str | os.PathLike[str] | Plan,
    path: str | os.PathLike[str],
    bindings: Mapping[str, Any] | None = None,
    *,
    progress: Progress = silent,
    **keywords: Any,
) -> Packed:
    """Write a network's weights under a plan into a file, whole or not at all; the same input gives the same bytes.

    Args:
        arch: The network's architecture.
        weights: Arrays by the names of the network's state dict, or a file of them.
        plan: A plan, its file, or the name of one that comes with the library.
        path: Ends in `.safetensors`.
        bindings: Values for symbols, by name.
        progress: What is told how far it is.
        keywords: Values for symbols, in place of a mapping.

    Raises:
        ArchspecError: The plan or the weights do not fit the network, or the file cannot be written.
    """
    network, plan = arch.expand({**(bindings or {}), **keywords}), load(plan)
    arrays = layout(network, plan)
    blobs, parts, notes = [], [], []
    for blob in quantised(arrays, _whole(weights, arrays), progress):
        blobs.append(b"".join(part.coding.encode(content) for part, content in blob))
        parts.append([part for part, _ in blob])
        notes += [
            f"{part.coding.key}: k-means was stopped after {content.clusters.passes} passes"
            for part, content in blob
            if content.clusters is not None and not content.clusters.settled
        ]
    where = origin(arch.document, network.bindings)
    size = file_size(where, plan, parts, exact=True)
    text = description(where, plan, [[part.coding for part in blob] for blob in parts])
    foretold = replace(prediction(network, plan), measured=size)
    return Packed(Path(path), size, write(path, text, blobs), foretold, tuple(notes))


def _whole(weights: "Mapping[str, Any] | str | os.PathLike[str]", arrays: FileLayout) -> Mapping[str, Any]:
    """Weights by name; what is missing is said before any work is done.

    Raises:
        ArchspecError: One is missing.
    """
    found: Mapping[str, Any] = weights if isinstance(weights, Mapping) else Weights(weights)
    wanted = [choice.key for blob in arrays.blobs for choice in blob]
    missing = [key for key in wanted if key not in found]
    if missing:
        hint = did_you_mean(missing[0], list(found)) or "; 'archspec weights map' renames those of others"
        raise ArchspecError(f"the weights have no array '{missing[0]}' (of {len(missing)} missing){hint}")
    return found


# ------------------------------------------------------------------ verifying


@dataclass(frozen=True, repr=False)
class Verified(Reported):
    """What was found in a file; true if nothing was.

    Attributes:
        path: The file.
        mode: One of `MODES`.
        bytes: Its size.
        arrays: How many arrays were looked at.
        predicted: What its size is predicted to be from the counts of its symbols, term by term, if all was read.
        actual: What it is, term by term, as the bytes were read.
        findings: What is wrong.
    """

    path: Path
    mode: str
    bytes: int
    arrays: int
    predicted: Mapping[str, int]
    actual: Mapping[str, int]
    findings: tuple[str, ...]

    def __bool__(self) -> bool:
        return not self.findings

    def __repr__(self) -> str:
        return short(self, self.sentence)

    @property
    def sentence(self) -> str:
        """What came of it, in one sentence."""
        if self.findings:
            return f"{self.path}: {len(self.findings)} findings: {self.findings[0]}"
        outcome = {"structure": "checksums hold", "sampled": "samples decode", "full": "decoded, and encoded the same"}
        return f"{self.path}: {self.bytes:,} bytes, {self.arrays} arrays: {outcome[self.mode]}"


def verify(
    path: str | os.PathLike[str], mode: str = "full", *, limit: int = LIMIT, progress: Progress = silent
) -> Verified:
    """Whether a compressed file is what this library writes: checksums, codes, sizes, and the same bytes again.

    Args:
        path: The file.
        mode: One of `MODES`.
        limit: The bytes of arrays that it may decode to.
        progress: What is told how far it is.

    Raises:
        ArchspecError: It is no compressed file, of another version, or decodes to more than the limit.
    """
    if mode not in MODES:
        raise ArchspecError(f"a file is verified in the mode {', '.join(MODES)} (got '{mode}')")
    opened = unpack(path, limit=limit)
    framing = {"checksums": 8 * CHECK * len(opened.blobs), "header": 8 * opened.header.length}
    terms: list[tuple[Terms, Terms]] = []
    findings: list[str] = []
    done, total = 0, opened.decoded_bytes // 4
    for number, blob in enumerate(opened.blobs):
        names = [coding.key for coding in blob] or [""]
        progress(names[0], done, total)
        try:
            terms.extend(_seen(opened, number, mode))
        except DamagedError as error:
            findings.append(str(error))
        done += sum(coding.elements for coding in blob)
        progress(names[-1], done, total)
    size = opened.path.stat().st_size
    actual = added(*(found for found, _ in terms), framing)
    predicted = added(*(foretold for _, foretold in terms), framing)
    if mode != "full":  # not all was read
        actual, predicted = {}, {}
    elif not findings:
        findings += [
            f"{term}: predicted {predicted.get(term, 0)} bits, the file has {actual.get(term, 0)}"
            for term in {**predicted, **actual}
            if predicted.get(term, 0) != actual.get(term, 0)
        ]
        if sum(actual.values()) != 8 * size:
            findings.append(f"the terms add up to {sum(actual.values())} bits, the file has {size} bytes")
    return Verified(opened.path, mode, size, len(opened), predicted, actual, tuple(findings))


def _seen(opened: CompressedFile, number: int, mode: str) -> Iterator[tuple[Terms, Terms]]:
    """What `_encoded_again` says of the arrays of a blob, where all is read.

    Raises:
        DamagedError: The blob is not as it is written.
    """
    reader = opened.reader(number)
    if mode == "structure":
        return
    for coding in opened.blobs[number]:
        if mode == "full":
            yield _encoded_again(coding, reader)
        else:
            coding.decode(reader, sample=True)
    reader.refuse_rest()


def _encoded_again(coding: Coding, reader: ByteReader) -> tuple[Terms, Terms]:
    """The bits of the next array as they were read, and as its size is predicted from the counts of its symbols.

    Raises:
        DamagedError: The bytes are not what is written, or others than those that are written of what they say.
    """
    begin = reader.at
    reader.ledger.clear()
    reader.lengths.clear()
    symbols = coding.decode(reader)
    own = coding.without_fillers(symbols)
    if coding.encode(own) != reader.data[begin : reader.at]:
        raise reader.damaged(f"{coding.key} is not as it is written: encoded again, it has other bytes")
    return coding.measured(reader, symbols), coding.terms(coding.stats(own))
