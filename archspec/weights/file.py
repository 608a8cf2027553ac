"""Weights in a file: safetensors, or NumPy's .npz; described before anything is loaded, and never run."""

import json
import os
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from archspec.errors import ArchspecError
from archspec.files import DAMAGED
from archspec.weights.layers import Array

if TYPE_CHECKING:
    from archspec.compress.unpacking import Unpacked

MAX_HEADER = 16 * 2**20
"""The longest description of a file's arrays that is read, in bytes; that of a thousand arrays has 100 kB."""

MAX_ARRAYS = 65536

PICKLES = (".pth", ".pt", ".bin", ".ckpt", ".pkl", ".pickle")
OTHERS = {b"\x89HDF": "HDF5 (Keras)", b"GGUF": "GGUF", b"\x93NUM": "one NumPy array"}
UNREADABLE: tuple[type[Exception], ...] = (SafetensorError, *DAMAGED)
TYPES = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16", "I64": "int64", "I32": "int32"}


class WeightFile(Mapping[str, Tensor]):
    """A file of named arrays, each loaded when it is asked for.

    Args:
        path: Ends in `.safetensors` or `.npz`.

    Attributes:
        arrays: What it holds, by key. Those of a safetensors file are sorted by name; the writer sorts them.
        compressed: Where its arrays are decoded from, if the file is a compressed one.

    Raises:
        ArchspecError: It cannot be read, or is of another kind; a pickle is not opened.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        try:
            self._refuse_others()
            self.compressed = _compressed(self.path)
            if self.compressed is not None:
                found = [Array(key, self.compressed.shape(key)) for key in self.compressed]
            else:
                found = _npz(self.path) if self.path.suffix == ".npz" else _safetensors(self.path)
        except UNREADABLE as error:
            if isinstance(error, ArchspecError):
                raise
            raise ArchspecError(f"{self.path}: cannot be read: {_sentence(error)}") from None
        if not found:
            raise ArchspecError(f"{self.path}: holds no arrays")
        self.arrays = {array.key: array for array in found}

    def _refuse_others(self) -> None:
        with self.path.open("rb") as file:
            start = file.read(16)
        if not start:
            raise ArchspecError(f"{self.path}: is empty")
        if self.path.suffix in PICKLES or start[:1] == b"\x80" or (start[:2] == b"PK" and _has_pickle(self.path)):
            raise ArchspecError(f"{self.path}: {_CONVERT.format(path=self.path, stem=self.path.stem)}")
        if start[:4] in OTHERS:
            raise ArchspecError(f"{self.path}: is {OTHERS[start[:4]]}; what is read is .safetensors, and .npz")
        if self.path.suffix not in (".safetensors", ".npz"):
            raise ArchspecError(f"{self.path}: ends in neither .safetensors nor .npz")

    def __getitem__(self, key: str) -> Tensor:
        self.arrays[key]
        if self.compressed is not None:
            return torch.from_numpy(np.array(self.compressed[key]))
        try:
            if self.path.suffix == ".npz":
                with np.load(self.path, allow_pickle=False) as file:
                    found = file[key]
                return torch.from_numpy(found.astype(found.dtype.newbyteorder("="), copy=False))
            with safe_open(self.path, framework="pt") as file:
                tensor: Tensor = file.get_tensor(key)
                return tensor
        except UNREADABLE as error:
            raise ArchspecError(f"{self.path}: '{key}' cannot be read: {_sentence(error)}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self.arrays)

    def __len__(self) -> int:
        return len(self.arrays)


_CONVERT = """\
is a pickle, which can run code when it is read, and is not opened. Convert it where it may be trusted:
    import torch; from safetensors.torch import save_file
    save_file({{k: v.clone() for k, v in torch.load("{path}", weights_only=True).items()}}, "{stem}.safetensors")"""


def _has_pickle(path: Path) -> bool:
    with zipfile.ZipFile(path) as file:
        return any(name.endswith("data.pkl") for name in file.namelist())


def _compressed(path: Path) -> "Unpacked | None":
    """The weights of a file that `archspec compress pack` wrote; None of another."""
    from archspec.compress.container import is_compressed
    from archspec.compress.unpacking import unpack

    return unpack(path) if path.suffix == ".safetensors" and is_compressed(path) else None


def _safetensors(path: Path) -> list[Array]:
    """What the header says; its own reader then holds it against the file's size."""
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or length > size - 8:
            raise ArchspecError(f"{path}: is cut off or no safetensors file: it has {size} bytes, its header {length}")
        if length > MAX_HEADER:
            raise ArchspecError(f"{path}: has a header of {length} bytes; at most {MAX_HEADER} are read")
        header = json.loads(file.read(length), object_pairs_hook=_without_doubles)
    if not isinstance(header, dict) or len(header) > MAX_ARRAYS:
        raise ArchspecError(f"{path}: does not hold {MAX_ARRAYS} arrays at most")
    found = []
    with safe_open(path, framework="pt") as weights:
        for key in weights.keys():  # noqa: SIM118  # it is no mapping
            entry = weights.get_slice(key)
            code = entry.get_dtype()
            found.append(Array(key, tuple(entry.get_shape()), TYPES.get(code, code.replace("F", "float", 1))))
    return found


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the header names '{next(name for name in found if names.count(name) > 1)}' twice")
    return found


def _npz(path: Path) -> list[Array]:
    """What the headers of its arrays say; Python objects are refused."""
    found = []
    with zipfile.ZipFile(path) as file:
        names = file.namelist()
        _without_doubles([(name, None) for name in names])
        if len(names) > MAX_ARRAYS:
            raise ArchspecError(f"{path}: holds more than {MAX_ARRAYS} arrays")
        for name in names:
            with file.open(name) as member:
                version = np.lib.format.read_magic(member)
                read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
                shape, _, dtype = read(member)
            if dtype.hasobject:
                raise ValueError(f"'{name}' holds Python objects, which are pickled")
            found.append(Array(name.removesuffix(".npy"), shape, dtype.name))
    return found


def _sentence(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
