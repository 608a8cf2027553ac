"""The file: a safetensors file of bytes, one blob per layer, and a description; see docs/format.md.

Its one key of metadata, `archspec.compressed`, is JSON. A blob is its arrays' bytes one behind the other, and a CRC-32
of the file's header and of these bytes.
"""

import json
import os
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from archspec.compress.blobs import Header, header, read_header, save
from archspec.compress.codecs.base import Array, ByteReader, DamagedError
from archspec.compress.coding import Coding
from archspec.compress.plan import Plan
from archspec.compress.progress import Progress, silent
from archspec.errors import ArchspecError
from archspec.files import replacing
from archspec.language.origin import Origin
from archspec.writing import printable

KEY = "archspec.compressed"
VERSION = 1
CHECK = 4
"""The bytes of a checksum."""

LIMIT = 2**32
"""The bytes of arrays that are decoded unless more are allowed; VGG-16 has 0.55e9."""


def description(origin: Origin, plan: Plan, blobs: Sequence[Sequence[Coding]]) -> str:
    """The text of the metadata: always the same for the same network, plan and codings."""
    description = plan.model_dump(exclude_defaults=True, exclude={"doc": True, "source": True, "layers": _MEASURED})
    form = {
        "format": VERSION,
        "spec": asdict(origin),
        "plan": description,
        "blobs": [[each.described() for each in blob] for blob in blobs],
    }
    return json.dumps(form, separators=(",", ":"), ensure_ascii=True, default=str)


_MEASURED: Any = {"__all__": {"activations"}}
"""What a plan says of layers and was measured elsewhere."""


def heading(text: str, sizes: Sequence[int]) -> bytes:
    """The header of a file with this description, of blobs of so many bytes, checksums included."""
    return header({KEY: text}, {str(number): ("U8", (size,), size) for number, size in enumerate(sizes)})


def write(path: str | os.PathLike[str], text: str, blobs: Sequence[bytes]) -> int:
    """Write a file, whole or not at all; its size is returned.

    Raises:
        ArchspecError: It cannot be written.
    """
    if Path(path).suffix != ".safetensors":
        raise ArchspecError(f"{path}: a compressed file ends in .safetensors")
    front = heading(text, [len(blob) + CHECK for blob in blobs])
    seed = zlib.crc32(front)
    with replacing(Path(path)) as target, target.open("wb") as file:
        file.write(front)
        for blob in blobs:
            file.write(blob)
            file.write(zlib.crc32(blob, seed).to_bytes(CHECK, "little"))
        return file.tell()


@dataclass(eq=False, repr=False)
class CompressedFile(Mapping[str, Array]):
    """A compressed file: its arrays by the names of the network's state dict, in float32, decoded when asked for.

    Attributes:
        path: Where it is.
        origin: The specification it was made from.
        plan: The plan, as a mapping.
        blobs: The codings of each blob's arrays.
        header: The safetensors header.
    """

    path: Path
    origin: Origin
    plan: Mapping[str, Any]
    blobs: tuple[tuple[Coding, ...], ...]
    header: Header
    _small: dict[int, dict[str, Array]] = field(default_factory=dict, init=False)
    """The arrays of the last blob that has several; those of a layer's weights, which have one, are not kept."""

    @property
    def codings(self) -> Iterator[Coding]:
        """All arrays."""
        return (each for blob in self.blobs for each in blob)

    @property
    def decoded_bytes(self) -> int:
        """The bytes of its arrays in float32."""
        return 4 * sum(each.elements for each in self.codings)

    @cached_property
    def places(self) -> Mapping[str, int]:
        """The number of the blob that an array is in."""
        return {each.key: number for number, blob in enumerate(self.blobs) for each in blob}

    def __iter__(self) -> Iterator[str]:
        return iter(self.places)

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, key: str) -> Array:
        number = self.places[key]
        arrays = self._small.get(number) or self._arrays(number)
        if len(arrays) > 1:
            self._small = {number: arrays}
        return arrays[key]

    def _arrays(self, number: int) -> dict[str, Array]:
        reader = self.reader(number)
        found = {coding.key: coding.array(coding.decode(reader)) for coding in self.blobs[number]}
        reader.refuse_rest()
        return found

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shapes of its arrays, none of which is decoded."""
        return {each.key: each.shape for each in self.codings}

    def refuse_another(self, now: Origin) -> None:
        """Nothing, if the file was made from this specification with these bindings.

        Raises:
            ArchspecError: It was made from another.
        """
        if self.origin != now:
            message = f"{self.path}: holds weights of {printable(self.origin)}, not of {now}"
            raise ArchspecError(f"{message}; 'archspec compress unpack' writes them for any network")

    def save(self, path: str | os.PathLike[str], progress: Progress = silent) -> None:
        """Write its arrays as a safetensors file, whole or not at all.

        Raises:
            DamagedError: A blob is damaged.
            ArchspecError: The file cannot be written.
        """
        save(self, self.shapes, path, progress)

    def reader(self, number: int) -> ByteReader:
        """The bytes of a blob, whose checksum was found right.

        Raises:
            DamagedError: It was not.
        """
        data = self.raw(number)
        with self.path.open("rb") as file:
            seed = zlib.crc32(file.read(self.header.length))
        if zlib.crc32(data[:-CHECK], seed) != int.from_bytes(data[-CHECK:], "little"):
            raise DamagedError(f"{self.path}: blob {number} is damaged: its checksum is another")
        return ByteReader(data[:-CHECK], f"{self.path}: blob {number}")

    def raw(self, number: int) -> memoryview:
        """The bytes of a blob, its checksum behind them."""
        blob = self.header.blobs[str(number)]
        with self.path.open("rb") as file:
            file.seek(self.header.length + blob.begin)
            return memoryview(file.read(blob.end - blob.begin))


def is_compressed(path: str | os.PathLike[str]) -> bool:
    """Whether a file says that it is one of ours; False of what cannot be read."""
    try:
        return KEY in read_header(Path(path)).metadata
    except ArchspecError:
        return False


def unpack(path: str | os.PathLike[str], *, limit: int = LIMIT) -> CompressedFile:
    """The weights of a compressed file: a mapping from the names of the network's state dict to arrays in float32.

    Args:
        path: The file.
        limit: The bytes of arrays that it may decode to.

    Raises:
        DamagedError: It is none, or not as it is written; of a blob that is damaged, when its arrays are asked for.
        ArchspecError: It cannot be read, is of another version, or decodes to more than the limit.
    """
    path = Path(path)
    head = read_header(path)
    if KEY not in head.metadata:
        raise ArchspecError(f"{path}: is not a compressed file: its metadata has no '{KEY}'")
    try:
        found = _container(path, json.loads(head.metadata[KEY]), head)
    except ArchspecError as error:
        raise type(error)(f"{path}: {error}") from None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise DamagedError(f"{path}: its description cannot be read: {printable(str(error), 100)}") from None
    if found.decoded_bytes > limit:
        raise ArchspecError(f"{path}: decodes to {found.decoded_bytes} bytes; the limit is {limit}")
    return found


def _container(path: Path, description: Mapping[str, Any], head: Header) -> CompressedFile:
    if (version := description["format"]) != VERSION:
        raise ArchspecError(f"is of version {printable(version, 20)} of the format; this library reads {VERSION}")
    blobs = tuple(tuple(Coding.read(each) for each in blob) for blob in description["blobs"])
    keys = [each.key for blob in blobs for each in blob]
    if len(set(keys)) < len(keys):
        raise DamagedError("two arrays have one name")
    wanted = [str(number) for number in range(len(blobs))]
    if list(head.blobs) != wanted or any(
        blob.dtype != "U8" or len(blob.shape) != 1 or blob.end - blob.begin < CHECK for blob in head.blobs.values()
    ):
        raise DamagedError(f"its description has {len(blobs)} blobs of bytes, the file has others")
    origin = Origin(**description["spec"])
    texts = [origin.name, origin.digest, *origin.bindings.values()]
    if not all(isinstance(text, str) for text in texts) or not isinstance(description["plan"], dict):
        raise DamagedError("its description does not say what it was made from")
    return CompressedFile(path, origin, description["plan"], blobs, head)
