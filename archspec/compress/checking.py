"""Verifying a compressed file: that it is what this library writes, term by term, and decodes to what it was."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from archspec.compress import container
from archspec.compress.codecs.base import ByteReader, DamagedError, Terms, added
from archspec.compress.coding import Coding
from archspec.compress.container import CHECK, LIMIT, CompressedFile
from archspec.compress.progress import Progress, silent
from archspec.errors import ArchspecError
from archspec.result import Reported, short

MODES = ("structure", "sampled", "full")
"""How much is looked at: what the header says, and checksums; some blocks of each stream too; or everything."""


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
    opened = container.unpack(path, limit=limit)
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
    actual, predicted = (added(*side, framing) for side in zip(*terms, strict=True)) if terms else (framing, framing)
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
