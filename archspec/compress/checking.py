"""Verifying a compressed file: that it is what this library writes, term by term, and decodes to what it was."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from archspec.compress import container
from archspec.compress.codecs.base import ByteReader, DamagedError, Terms, added
from archspec.compress.coding import Coding
from archspec.compress.container import LIMIT, CompressedFile
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
    opened = container.load(path, limit=limit)
    seen = _FileCheck(opened, mode, progress)
    for number in range(len(opened.blobs)):
        seen.look(number)
    framing = {"checksums": 32 * len(opened.blobs), "header": 8 * opened.header.length}
    actual, predicted = added(*seen.actual, framing), added(*seen.predicted, framing)
    size = opened.path.stat().st_size
    if mode == "full" and not seen.findings:
        seen.findings += [
            f"{term}: predicted {predicted.get(term, 0)} bits, the file has {actual.get(term, 0)}"
            for term in {**predicted, **actual}
            if predicted.get(term, 0) != actual.get(term, 0)
        ]
        if sum(actual.values()) != 8 * size:
            seen.findings.append(f"the terms add up to {sum(actual.values())} bits, the file has {size} bytes")
    if mode != "full":  # not all was read
        predicted, actual = {}, {}
    return Verified(opened.path, mode, size, seen.arrays, predicted, actual, tuple(seen.findings))


class _FileCheck:
    """What was seen of a file so far."""

    def __init__(self, opened: CompressedFile, mode: str, progress: Progress) -> None:
        self.opened, self.mode, self.progress = opened, mode, progress
        self.total = opened.decoded_bytes // 4
        self.done = self.arrays = 0
        self.actual: list[Terms] = []
        self.predicted: list[Terms] = []
        self.findings: list[str] = []

    def look(self, number: int) -> None:
        """Look at a blob."""
        blob = self.opened.blobs[number]
        self.progress(blob[0].key if blob else "", self.done, self.total)
        try:
            reader = self.opened.reader(number)
            if self.mode != "structure":
                for coding in blob:
                    self._array(coding, reader)
                if reader.at != len(reader.data):
                    raise reader.damaged(f"{len(reader.data) - reader.at} bytes are left over")
        except DamagedError as error:
            self.findings.append(str(error))
        self.arrays += len(blob)
        self.done += sum(coding.elements for coding in blob)
        self.progress(blob[-1].key if blob else "", self.done, self.total)

    def _array(self, coding: Coding, reader: ByteReader) -> None:
        begin = reader.at
        reader.ledger.clear()
        reader.lengths.clear()
        symbols = coding.decode(reader, sample=self.mode == "sampled")
        if self.mode == "sampled":
            return
        own = coding.without_fillers(symbols)
        self.actual.append(coding.measured(reader, symbols))
        self.predicted.append(coding.terms(coding.stats(own)))
        if coding.encode(own) != reader.data[begin : reader.at]:
            raise reader.damaged(f"{coding.key} is not as it is written: encoded again, it has other bytes")
