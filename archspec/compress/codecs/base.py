"""What codecs share: sizes by term, counts of symbols, and a reader that never reads beyond its end."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from archspec.compress.huffman import limited_lengths
from archspec.compress.names import LONGEST
from archspec.dims import Dim
from archspec.errors import ArchspecError

Array: TypeAlias = NDArray[Any]
Terms: TypeAlias = dict[str, Dim]
"""Bits by what they are for."""


class DamagedError(ArchspecError):
    """A compressed file that is not what its writer writes; the message says where and in what."""


def added(*terms: Mapping[str, Dim]) -> Terms:
    """Sizes of several parts as one, term by term.

    >>> added({"codes": 8, "gaps": 4}, {"codes": 2})
    {'codes': 10, 'gaps': 4}
    """
    found: Terms = {}
    for part in terms:
        for name, bits in part.items():
            found[name] = found.get(name, 0) + bits
    return found


def padding(bits: Dim) -> Dim:
    """The bits that fill the last byte; of an expected number of bits, none.

    >>> padding(13), padding(16)
    (3, 0)
    """
    return -bits % 8 if isinstance(bits, int) else 0


@dataclass(frozen=True)
class Counts:
    """How often the symbols of a stream occur: counted, or expected.

    Attributes:
        total: How many symbols there are.
        each: How often each occurs, by symbol; None if that is not known.
        average: The average length of a code where it is known and `each` is not.
    """

    total: Dim
    each: tuple[Dim, ...] | None = None
    average: Dim | None = None

    @classmethod
    def of(cls, symbols: Array, bits: int, filled: int = 0, filler: int = 0) -> "Counts":
        """Those of a stream of symbols below 2^bits, and of so many fillers besides."""
        each = np.bincount(symbols, minlength=2**bits)
        each[filler] += filled
        return cls(len(symbols) + filled, tuple(each.tolist()))

    @cached_property
    def lengths(self) -> tuple[int, ...]:
        """The lengths of their Huffman codes, at most 15 bits."""
        return limited_lengths(self.each or ())


@dataclass(frozen=True)
class Stats:
    """What the size of an array follows from: numbers of symbols, never the symbols themselves.

    Attributes:
        kept: The weights that are stored.
        filled: The zeros that fill long gaps between them.
        codes: The codes of both.
        gaps: The gaps before both; None where the index has none.
    """

    kept: Dim
    filled: Dim = 0
    codes: Counts | None = None
    gaps: Counts | None = None


@dataclass(frozen=True)
class Key:
    """What a file's description says of a codec under one key.

    Attributes:
        name: The key.
        field: The field of the codec that it says.
        known: Words and numbers that it may be.
        least: The least number that it may be besides.
        most: The largest; 0 where it is one of the known.
        of: The type of these numbers.
        usual: What is meant where the key is missing; None where it never is.
    """

    name: str
    field: str
    known: tuple[str | int, ...] = ()
    least: int = 1
    most: int = 0
    of: type[float] = int
    usual: str | int | None = None

    def read(self, value: Any, *, coded: bool = False) -> Any:
        """The value of the field; where symbols are Huffman coded, they have 15 bits at most.

        Raises:
            ValueError: It is none that is written.
        """
        most = min(self.most, LONGEST) if coded and self.field == "bits" else self.most
        if any(type(value) is type(word) and value == word for word in self.known):
            return value
        if type(value) is self.of and self.least <= value <= most:
            return value
        wanted = [f"one of {self.known}"] * bool(self.known) + [f"from {self.least} to {most}"] * bool(most)
        raise ValueError(f"{value!r} is not {' or '.join(wanted)}")


CODED = Key("coded", "huffman", (True,), usual=False)


class Codec:
    """How the values of an array are written, or their places."""

    keys: ClassVar[tuple[Key, ...]] = ()
    """What the file's description says of it; the first key is that of no other form."""

    @property
    def name(self) -> str:
        """What plans and files call it."""
        return self.keys[0].name if self.keys else "dense"

    def described(self) -> dict[str, Any]:
        """What the file says of it."""
        said = ((key, getattr(self, key.field)) for key in self.keys)
        return {key.name: value for key, value in said if value != key.usual}

    @classmethod
    def read(cls, description: Mapping[str, Any]) -> Self:
        """The codec that a description speaks of; keys of others are passed over.

        Raises:
            ValueError: A value is none that is written.
        """
        coded = "coded" in description
        own = [key for key in cls.keys if key.name in description]
        return cls(**{key.field: key.read(description[key.name], coded=coded) for key in own})


class ByteReader:
    """Bytes read from the front, and a ledger of what their bits were for.

    Args:
        data: The bytes.
        what: What they are called in errors.

    Attributes:
        at: How many were read.
        ledger: The bits that were read by what they were for.
        lengths: The lengths of the codes of streams that had a table, by what they were for.
    """

    def __init__(self, data: Any, what: str) -> None:
        self.data = memoryview(data)
        self.what = what
        self.at = 0
        self.ledger: dict[str, int] = {}
        self.lengths: dict[str, Array] = {}

    def take(self, size: int, part: str) -> memoryview:
        """The next bytes.

        Raises:
            DamagedError: There are not so many.
        """
        left = len(self.data) - self.at
        if size > left:
            raise self.damaged(f"{part} needs {size} bytes, {left} are left")
        found = self.data[self.at : self.at + size]
        self.at += size
        return found

    def numbers(self, dtype: str, count: int, part: str) -> Array:
        """The next numbers of a type.

        Raises:
            DamagedError: There are not so many.
        """
        return np.frombuffer(self.take(count * np.dtype(dtype).itemsize, part), dtype)

    def note(self, term: str, bits: int) -> None:
        """Put so many bits on the ledger, and those that fill their last byte."""
        for name, count in ((term, bits), ("padding", -bits % 8)):
            if count:
                self.ledger[name] = self.ledger.get(name, 0) + count

    def refuse_rest(self) -> None:
        """Nothing, if all was read.

        Raises:
            DamagedError: Bytes are left over.
        """
        if self.at != len(self.data):
            raise self.damaged(f"{len(self.data) - self.at} bytes are left over")

    def damaged(self, message: str) -> DamagedError:
        """The error that says it of these bytes."""
        return DamagedError(f"{self.what}: {message}")
