"""safetensors files in NumPy: a header in JSON, then the arrays one behind the other.

The header is read here so that what two readers could read differently is refused: a name that stands twice, holes,
overlaps, bytes behind the last array.
"""

import json
import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from archspec.compress.codecs.base import Array, DamagedError
from archspec.compress.progress import Progress, silent
from archspec.errors import ArchspecError
from archspec.files import replacing
from archspec.writing import printable

MAX_HEADER = 16 * 2**20
"""The longest header that is read, in bytes; that of a thousand arrays has 100 kB."""

TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "U8": "u1", "I64": "<i8", "I32": "<i4", "BOOL": "?"}


@dataclass(frozen=True)
class Blob:
    """An array of a file: its type, its shape, and where its bytes are."""

    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


@dataclass(frozen=True)
class Header:
    """What a file says of itself.

    Attributes:
        metadata: Texts by name.
        blobs: Its arrays by name, in the order of their bytes.
        length: The bytes before the first array.
    """

    metadata: Mapping[str, str]
    blobs: Mapping[str, Blob]
    length: int


def header(metadata: Mapping[str, str], blobs: Mapping[str, tuple[str, tuple[int, ...], int]]) -> bytes:
    """The header of a file of arrays, given their types, shapes and bytes; as long as 8 divides.

    >>> header({}, {"0": ("U8", (3,), 3)})[8:]
    b'{"0":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}}   '
    """
    entries: dict[str, Any] = {"__metadata__": dict(metadata)} if metadata else {}
    begin = 0
    for name, (dtype, shape, size) in blobs.items():
        entries[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [begin, begin + size]}
        begin += size
    text = json.dumps(entries, separators=(",", ":"), ensure_ascii=True).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def read_header(path: Path) -> Header:
    """The header of a file.

    Raises:
        DamagedError: It is none, or the file is not as long as it says.
        ArchspecError: The file cannot be opened.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if size < 8 or length > size - 8:
                raise DamagedError(
                    f"{path}: is cut off or not a safetensors file: it has {size} bytes, its header {length}"
                )
            if length > MAX_HEADER:
                raise DamagedError(f"{path}: has a header of {length} bytes; at most {MAX_HEADER} are read")
            text = file.read(length)
    except OSError as error:
        raise ArchspecError(f"{path}: cannot be read: {error.strerror}") from None
    try:
        entries = json.loads(text.decode(), object_pairs_hook=_without_doubles, parse_constant=_refused)
        if not isinstance(entries, dict):
            raise ValueError("it is no mapping")
        metadata = entries.pop("__metadata__", {})
        if not all(isinstance(value, str) for value in metadata.values()):
            raise ValueError("metadata is text")
        found = {name: _blob(entry) for name, entry in entries.items()}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise DamagedError(f"{path}: its header cannot be read: {printable(str(error), 100)}") from None
    blobs = dict(sorted(found.items(), key=lambda item: (item[1].begin, item[1].end)))
    at = 0
    for name, blob in blobs.items():
        if blob.begin != at:
            raise DamagedError(
                f"{path}: '{printable(name, 40)}' begins at {blob.begin}, and what is before it ends at {at}"
            )
        at = blob.end
    if at != size - 8 - length:
        raise DamagedError(f"{path}: has {size - 8 - length} bytes of arrays, its header says {at}")
    return Header(metadata, blobs, 8 + length)


def _blob(entry: dict[str, Any]) -> Blob:
    dtype, shape, (begin, end) = entry["dtype"], tuple(entry["shape"]), entry["data_offsets"]
    if any(type(number) is not int or number < 0 for number in (*shape, begin, end)):
        raise ValueError("sizes are whole numbers from 0")
    if len(shape) > 64 or len(entry) != 3:
        raise ValueError("an entry has a type, a shape and two offsets")
    if dtype in TYPES and math.prod(shape) * np.dtype(TYPES[dtype]).itemsize != end - begin:
        raise ValueError(f"an array of {shape} does not have {end - begin} bytes")
    return Blob(str(dtype), shape, begin, end)


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"'{next(name for name in found if names.count(name) > 1)[:40]}' stands twice")
    return found


def _refused(constant: str) -> Any:
    raise ValueError(f"{constant} is not a number")


class Weights(Mapping[str, Array]):
    """The arrays of a `.safetensors` or `.npz` file by name, each in float32, read when it is asked for.

    Raises:
        ArchspecError: It cannot be read, or is of another kind.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._npz: Any = None
        if self.path.suffix == ".npz":
            try:
                self._npz = np.load(self.path, allow_pickle=False)
            except (OSError, ValueError, EOFError) as error:
                raise ArchspecError(f"{path}: cannot be read: {error}") from None
            self._names = list(self._npz.files)
        elif self.path.suffix == ".safetensors":
            self._header = read_header(self.path)
            self._names = list(self._header.blobs)
        else:
            raise ArchspecError(f"{path}: ends in neither .safetensors nor .npz")

    def __getitem__(self, name: str) -> Array:
        if self._npz is not None:
            return np.asarray(self._npz[name], np.float32)
        blob = self._header.blobs[name]
        if blob.dtype not in TYPES:
            raise ArchspecError(f"{self.path}: '{name}' is of type {blob.dtype}, which is not read")
        if not blob.end > blob.begin:
            return np.zeros(blob.shape, np.float32)
        at = self._header.length + blob.begin
        found: Array = np.memmap(self.path, TYPES[blob.dtype], "r", at, blob.shape)
        if blob.dtype == "BF16":
            found = (found.astype(np.uint32) << 16).view(np.float32)
        with np.errstate(over="ignore"):
            return np.asarray(found, np.float32)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def save(
    source: Mapping[str, Array],
    shapes: Mapping[str, tuple[int, ...]],
    path: str | os.PathLike[str],
    progress: Progress = silent,
) -> None:
    """Write arrays as a safetensors file of float32, whole or not at all; each is asked for when it is written.

    Raises:
        ArchspecError: The file cannot be written.
    """
    if Path(path).suffix != ".safetensors":
        raise ArchspecError(f"{path}: weights are written to .safetensors")
    sizes = {key: ("F32", shape, 4 * math.prod(shape)) for key, shape in shapes.items()}
    total = sum(size for _, _, size in sizes.values()) // 4
    done = 0
    with replacing(Path(path)) as target, target.open("wb") as file:
        file.write(header({}, sizes))
        for key in shapes:
            progress(key, done, total)
            done += sizes[key][2] // 4
            file.write(np.ascontiguousarray(source[key], "<f4").data)
            progress(key, done, total)


def as_array(value: Any) -> Array:
    """An array or a tensor as float32 in NumPy, without loading torch."""
    if hasattr(value, "detach"):
        value = value.detach().cpu().float().numpy()
    return np.asarray(value, np.float32)
