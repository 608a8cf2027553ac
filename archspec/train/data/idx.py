"""MNIST's format: four IDX files, gzipped or not. Nothing of a file is believed before it is checked."""

import gzip
import zlib
from io import BufferedIOBase
from pathlib import Path

import torch
from torch import Tensor

from archspec.errors import ArchspecError
from archspec.train.data.split import Data, DataSplit, bounded

PARTS = (("train", "train"), ("test", "t10k"))
BYTES = 8
"""The type code of unsigned bytes, the only one that MNIST's files have."""


def read(folder: str) -> Data:
    """The data of a folder with train-images-idx3-ubyte, train-labels-idx1-ubyte, and t10k- likewise, or .gz of them.

    Raises:
        ArchspecError: A file is missing, cut off, of another format, or does not fit its fellow.
    """
    splits = []
    for part, prefix in PARTS:
        images, labels = (array(_file(folder, prefix, kind), rank) for kind, rank in (("images", 3), ("labels", 1)))
        if len(images) != len(labels):
            raise ArchspecError(f"{folder}: {len(images):,} {part} images have {len(labels):,} labels")
        splits.append(DataSplit(images[:, None], labels.long()))
    train, test = splits
    classes = int(train.labels.max()) + 1 if len(train) else 0
    return Data("mnist", train, test, classes)


def _file(folder: str, prefix: str, kind: str) -> Path:
    rank = 3 if kind == "images" else 1
    stems = [f"{prefix}-{kind}{sign}idx{rank}-ubyte" for sign in "-."]
    for name in (stem + ending for stem in stems for ending in (".gz", "")):
        if (path := Path(folder) / name).is_file():
            return path
    raise ArchspecError(f"{folder}: there is no {stems[0]}.gz and no {stems[0]}; MNIST has four such files")


def array(path: Path, rank: int) -> Tensor:
    """The bytes of an IDX file as a tensor of that rank.

    Raises:
        ArchspecError: It is cut off, too long, no IDX file of bytes, or of another rank.
    """
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            sizes = _sizes(path, file, rank)
            count = bounded(str(path), *sizes)
            data = _bytes(file, count)
            more = file.read(1)
    except (OSError, EOFError, zlib.error) as error:
        raise ArchspecError(f"{path}: cannot be read: {error}") from None
    if len(data) < count or more:
        raise ArchspecError(f"{path}: says {count:,} bytes of data and has {'more' if more else f'{len(data):,}'}")
    if not count:
        raise ArchspecError(f"{path}: holds nothing: its sizes are {'×'.join(map(str, sizes))}")
    return torch.frombuffer(data, dtype=torch.uint8).view(sizes)


def _sizes(path: Path, file: BufferedIOBase, rank: int) -> list[int]:
    magic = file.read(4)
    wanted = bytes([0, 0, BYTES, rank])
    if magic != wanted:
        raise ArchspecError(
            f"{path}: begins with {magic.hex(' ') or 'nothing'}; "
            f"an IDX file of bytes with {rank} sizes begins with {wanted.hex(' ')}"
        )
    header = file.read(4 * rank)
    if len(header) < 4 * rank:
        raise ArchspecError(f"{path}: is cut off in its header")
    return [int.from_bytes(header[i : i + 4]) for i in range(0, 4 * rank, 4)]


def _bytes(file: BufferedIOBase, count: int) -> bytearray:
    """As many bytes, or what there is; memory grows with what is found, not with what a header says."""
    data = bytearray()
    while len(data) < count and (chunk := file.read(min(count - len(data), 1 << 20))):
        data += chunk
    return data
