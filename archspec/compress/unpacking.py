"""Unpacking: the weights of a compressed file under the network's own names."""

import math
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from archspec.compress import container
from archspec.compress.blobs import header
from archspec.compress.codecs.base import Array, DamagedError
from archspec.compress.container import LIMIT, CompressedFile
from archspec.compress.progress import Progress, silent
from archspec.errors import ArchspecError
from archspec.files import replacing
from archspec.language.origin import Origin
from archspec.writing import printable


class Unpacked(Mapping[str, Array]):
    """The arrays of a compressed file by name, in float32, each decoded when it is asked for.

    Args:
        path: The file.
        limit: The bytes of arrays that it may decode to.

    Attributes:
        container: The file.

    Raises:
        DamagedError: It is none, or not as it is written.
    """

    def __init__(self, path: str | os.PathLike[str], *, limit: int = LIMIT) -> None:
        self.container: CompressedFile = container.load(path, limit=limit)
        self._places = {
            coding.key: (number, at)
            for number, blob in enumerate(self.container.blobs)
            for at, coding in enumerate(blob)
        }
        self._read: tuple[int, list[Array]] | None = None

    def __getitem__(self, key: str) -> Array:
        number, at = self._places[key]
        if len(self.container.blobs[number]) == 1:
            return arrays(self.container, number)[0]
        if self._read is None or self._read[0] != number:
            self._read = number, arrays(self.container, number)
        return self._read[1][at]

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def refuse_another(self, now: Origin) -> None:
        """Nothing, if the file was made from this specification with these bindings.

        Raises:
            ArchspecError: It was made from another.
        """
        before = self.container.origin
        if before != now:
            message = f"{self.container.path}: holds weights of {printable(before)}, not of {now}"
            raise ArchspecError(f"{message}; 'archspec compress unpack' writes them for any network")

    def shape(self, key: str) -> tuple[int, ...]:
        """The shape of an array, which is not decoded."""
        number, at = self._places[key]
        return self.container.blobs[number][at].shape

    def save(self, path: str | os.PathLike[str], progress: Progress = silent) -> None:
        """Write them as a safetensors file, whole or not at all.

        Raises:
            DamagedError: A blob is damaged.
            ArchspecError: The file cannot be written.
        """
        save(self, {key: self.shape(key) for key in self}, path, progress)


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


def arrays(opened: CompressedFile, number: int) -> list[Array]:
    """The arrays of a blob.

    Raises:
        DamagedError: It is damaged.
    """
    reader = opened.reader(number)
    found = [coding.array(coding.decode(reader)) for coding in opened.blobs[number]]
    if reader.at != len(reader.data):
        raise DamagedError(f"{reader.what}: {len(reader.data) - reader.at} bytes are left over")
    return found


def unpack(path: str | os.PathLike[str], *, limit: int = LIMIT) -> Unpacked:
    """The weights of a compressed file: a mapping from the names of the network's state dict to arrays in float32.

    Args:
        path: The file.
        limit: The bytes of arrays that it may decode to.

    Raises:
        DamagedError: It is none, or not as it is written; of a blob that is damaged, when its arrays are asked for.
        ArchspecError: It cannot be read, is of another version, or decodes to more than the limit.
    """
    return Unpacked(path, limit=limit)
