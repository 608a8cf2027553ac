"""CIFAR-10: the binary version (data_batch_1.bin … test_batch.bin), or an image folder or zip file of it.

The Python version is pickled, and unpickling can run code: it is not read.
"""

from dataclasses import replace
from pathlib import Path

import torch

from archspec.errors import ArchspecError
from archspec.train.data import folder
from archspec.train.data.split import Data, DataSplit, noted

SHAPE = (3, 32, 32)
RECORD = 1 + 3 * 32 * 32
CLASSES = 10
MAX_FILE = 2**30
TRAIN = tuple(f"data_batch_{part}" for part in range(1, 6))
TEST = ("test_batch",)


def read(path: str, shape: tuple[int, ...], resize: bool, progress: folder.Progress | None = None) -> Data:
    """The data of a folder or zip file.

    Raises:
        ArchspecError: A file is missing, cut off, pickled, or has a label that is no class.
    """
    root = Path(path)
    if root.is_dir() and not any((root / part).is_dir() for part in ("train", "test", "val")):
        train, test = (_split(root, names) for names in (TRAIN, TEST))
        return Data("cifar10", train, test, CLASSES)
    found = folder.read(path, shape, resize, "cifar10", progress)
    return replace(found, note=noted("read from image files", found.note))


def _split(root: Path, names: tuple[str, ...]) -> DataSplit:
    records = torch.cat([_records(root, name) for name in names])
    return DataSplit(records[:, 1:].reshape(-1, *SHAPE), records[:, 0].long())


def _records(root: Path, name: str) -> torch.Tensor:
    path = root / f"{name}.bin"
    if not path.is_file():
        pickled = (
            f"; {name} is of the Python version, which is pickled and is not read, since unpickling can run code"
            if (root / name).is_file()
            else ""
        )
        raise ArchspecError(f"{root}: there is no {name}.bin of CIFAR-10's binary version{pickled}")
    try:
        with path.open("rb") as file:
            data = bytearray(file.read(MAX_FILE))
    except OSError as error:
        raise ArchspecError(f"{path}: cannot be read: {error}") from None
    if not data or len(data) % RECORD:
        raise ArchspecError(f"{path}: has {len(data):,} bytes; expected images of {RECORD:,} bytes each, at least one")
    records = torch.frombuffer(data, dtype=torch.uint8).view(-1, RECORD)
    if int(records[:, 0].max()) >= CLASSES:
        raise ArchspecError(f"{path}: an image has the label {int(records[:, 0].max())}; the classes are from 0 to 9")
    return records
