"""The file: a safetensors file of bytes, one blob per layer, and a description; see docs/format.md.

Its one key of metadata, `archspec.compressed`, is JSON. A blob is its arrays' bytes one behind the other, and a CRC-32
of the file's header and of these bytes.
"""

import json
import os
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from archspec.compress.blobs import Header, header, read_header
from archspec.compress.codecs.base import ByteReader, DamagedError
from archspec.compress.coding import Coding
from archspec.compress.plan import Plan
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


@dataclass(frozen=True)
class CompressedFile:
    """A compressed file, opened: what it says of itself, and its bytes on demand.

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

    @property
    def codings(self) -> Iterator[Coding]:
        """All arrays."""
        return (each for blob in self.blobs for each in blob)

    @property
    def decoded_bytes(self) -> int:
        """The bytes of its arrays in float32."""
        return 4 * sum(each.elements for each in self.codings)

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
        """The bytes of a blob."""
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


def load(path: str | os.PathLike[str], *, limit: int = LIMIT) -> CompressedFile:
    """Open a compressed file: read its header, and nothing else.

    Args:
        path: The file.
        limit: The bytes of arrays that it may decode to.

    Raises:
        DamagedError: It is none, or not as it is written.
        ArchspecError: It is of another version, or decodes to more than the limit.
    """
    path = Path(path)
    head = read_header(path)
    if KEY not in head.metadata:
        raise ArchspecError(f"{path}: is not a compressed file: its metadata has no '{KEY}'")
    try:
        description = json.loads(head.metadata[KEY])
        version = description["format"]
        if version == VERSION:
            found = _container(path, description, head)
    except DamagedError as error:
        raise DamagedError(f"{path}: {error}") from None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise DamagedError(f"{path}: its description cannot be read: {printable(str(error), 100)}") from None
    if version != VERSION:
        raise ArchspecError(
            f"{path}: is of version {printable(version, 20)} of the format; this library reads {VERSION}"
        )
    if found.decoded_bytes > limit:
        raise ArchspecError(f"{path}: decodes to {found.decoded_bytes} bytes; the limit is {limit}")
    return found


def _container(path: Path, description: Mapping[str, Any], head: Header) -> CompressedFile:
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
