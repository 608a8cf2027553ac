"""Weights in a file: safetensors, or NumPy's .npz; described before anything is loaded, and never run."""

import json
import os
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from archspec.compress.blobs import read_header
from archspec.compress.container import CompressedFile, is_compressed, unpack
from archspec.errors import ArchspecError
from archspec.files import DAMAGED
from archspec.weights.layers import Array
from archspec.writing import printable

MAX_ARRAYS = 65536

MAX_NAME = 1000
"""The longest name of an array, in characters."""

MAX_ARRAY_HEADER = 65536
"""How much of an array of a zip file is read to learn its shape, in bytes."""

PICKLES = (".pth", ".pt", ".bin", ".ckpt", ".pkl", ".pickle")
OTHERS = {b"\x89HDF": "HDF5 (Keras)", b"GGUF": "GGUF", b"\x93NUM": "one NumPy array"}
UNREADABLE: tuple[type[Exception], ...] = (SafetensorError, *DAMAGED)
TYPES = {
    "F64": "float64",
    "F32": "float32",
    "F16": "float16",
    "BF16": "bfloat16",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E5M2": "float8_e5m2",
    **{f"I{bits}": f"int{bits}" for bits in (8, 16, 32, 64)},
    **{f"U{bits}": f"uint{bits}" for bits in (8, 16, 32, 64)},
}
"""What safetensors calls types; of one that is not here, no array is a weight."""

NOTE = "archspec"
"""The key of a weight file's metadata under which our note stands, as JSON."""


class WeightFile(Mapping[str, Tensor]):
    """A file of named arrays, each loaded when it is asked for.

    Args:
        path: Ends in `.safetensors` or `.npz`.

    Attributes:
        arrays: What it holds, by key.
        compressed: Where its arrays are decoded from, if the file is a compressed one.

    Raises:
        ArchspecError: It cannot be read, or is of another kind; a pickle is not opened.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        with self._refused("cannot be read"):
            self._refuse_others()
        self.compressed = _compressed(self.path)
        with self._refused("cannot be read"):
            if self.compressed is not None:
                found = [Array(key, shape) for key, shape in self.compressed.shapes.items()]
            else:
                found = _npz(self.path) if self.path.suffix == ".npz" else _safetensors(self.path)
            _check([array.key for array in found])
        self.arrays = {array.key: array for array in found}

    @contextmanager
    def _refused(self, what: str) -> Iterator[None]:
        """Say in a sentence what a reader raises; each of the three raises errors of its own on a broken file."""
        try:
            yield
        except ArchspecError as error:
            raise ArchspecError(f"{self.path}: {str(error).removeprefix(f'{self.path}: ')}") from None
        except UNREADABLE as error:
            raise ArchspecError(f"{self.path}: {what}: {_sentence(error)}") from None

    def _refuse_others(self) -> None:
        with self.path.open("rb") as file:
            start = file.read(16)
        if not start:
            raise ArchspecError("is empty")
        if not _is_safetensors(start, self.path.stat().st_size):
            zipped = start[:2] == b"PK"
            if self.path.suffix in PICKLES or start[:1] == b"\x80" or (zipped and _has_pickle(self.path)):
                raise ArchspecError(_CONVERT.format(path=str(self.path), target=f"{self.path.stem}.safetensors"))
            if start[:4] in OTHERS:
                raise ArchspecError(f"is {OTHERS[start[:4]]}; what is read is .safetensors, and .npz")
        if self.path.suffix not in (".safetensors", ".npz"):
            raise ArchspecError("ends in neither .safetensors nor .npz")

    def __getitem__(self, key: str) -> Tensor:
        array = self.arrays[key]
        with self._refused(f"'{key}' cannot be read"):
            tensor = self._read(key)
            if tuple(tensor.shape) != array.shape:
                raise ArchspecError(f"'{key}' is of another shape than the file says")
            return tensor

    @cached_property
    def _read(self) -> Callable[[str], Tensor]:
        if (unpacked := self.compressed) is not None:
            return lambda key: torch.from_numpy(np.array(unpacked[key]))  # a copy: it keeps some arrays
        if self.path.suffix != ".npz":
            read: Callable[[str], Tensor] = safe_open(self.path, framework="pt").get_tensor
            return read
        file = np.load(self.path, allow_pickle=False)

        def member(key: str) -> Tensor:
            found = file[key]
            return torch.from_numpy(found.astype(found.dtype.newbyteorder("="), copy=False))

        return member

    def __iter__(self) -> Iterator[str]:
        return iter(self.arrays)

    def __len__(self) -> int:
        return len(self.arrays)


_CONVERT = """\
is a pickle, which can run code when it is read, and is not opened. Convert it where it may be trusted:
    import torch; from safetensors.torch import save_file
    save_file({{k: v.clone() for k, v in torch.load({path!r}, weights_only=True).items()}}, {target!r})"""


def _is_safetensors(start: bytes, size: int) -> bool:
    """Whether it begins as one: the length of a header that fits, and the header's brace.

    Any byte may come first, as it is the low one of that length: the one that begins a pickle too.
    """
    return start[8:9] == b"{" and int.from_bytes(start[:8], "little") <= size - 8


def _has_pickle(path: Path) -> bool:
    with zipfile.ZipFile(path) as file:
        return any(name.endswith("data.pkl") for name in file.namelist())


def _compressed(path: Path) -> CompressedFile | None:
    """The weights of a file that `archspec compress pack` wrote; None of another."""
    return unpack(path) if path.suffix == ".safetensors" and is_compressed(path) else None


def _safetensors(path: Path) -> list[Array]:
    """What the header says; safetensors' own reader then holds it against the types."""
    blobs = read_header(path).blobs
    if len(blobs) > MAX_ARRAYS:
        raise ArchspecError(f"does not hold {MAX_ARRAYS} arrays at most")
    _check([*blobs])
    with safe_open(path, framework="pt"):
        return [Array(key, blob.shape, TYPES.get(blob.dtype, blob.dtype)) for key, blob in blobs.items()]


def _check(names: list[str]) -> None:
    """Refuse a file without arrays, and names that no page can show."""
    if not names:
        raise ArchspecError("holds no arrays")
    for name in names:
        if len(name) > MAX_NAME:
            raise ArchspecError(f"the name of an array has {len(name)} characters; at most {MAX_NAME} are read")
        if not name.isprintable():
            raise ArchspecError(f"the name of an array holds what cannot be printed: {name!a}")


def _npz(path: Path) -> list[Array]:
    """What the headers of its arrays say; Python objects are refused."""
    found = []
    with zipfile.ZipFile(path) as file:
        names = file.namelist()
        if len(names) > MAX_ARRAYS:
            raise ArchspecError(f"holds more than {MAX_ARRAYS} arrays")
        keys = [name.removesuffix(".npy") for name in names]
        _check(keys)
        if double := next((key for key, count in Counter(keys).items() if count > 1), None):
            raise ArchspecError(f"names '{double}' twice")
        for name, key in zip(names, keys, strict=True):
            with file.open(name) as member:
                start = BytesIO(member.read(MAX_ARRAY_HEADER))
            version = np.lib.format.read_magic(start)
            read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            shape, _, dtype = read(start)
            if dtype.hasobject:
                raise ArchspecError(f"'{name}' holds Python objects, which are pickled")
            found.append(Array(key, shape, dtype.name))
    return found


def _sentence(error: Exception) -> str:
    found = (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
    return printable(found, MAX_NAME)


def note(source: object) -> dict[str, Any]:
    """What is to be known of whoever uses the weights: mean and deviation of each channel, the names of the classes.

    Args:
        source: A file of weights; of anything else, and of a file without such a note, nothing is known.
    """
    if not isinstance(source, str | os.PathLike) or not str(os.fspath(source)).endswith(".safetensors"):
        return {}
    try:
        with safe_open(os.fspath(source), framework="np") as file:
            found = json.loads((file.metadata() or {}).get(NOTE, "{}"))
    except (OSError, SafetensorError, ValueError, RecursionError):
        return {}  # whoever reads the weights says what is wrong with the file
    kinds = {"mean": float, "deviation": float, "names": str}
    if not isinstance(found, dict):
        return {}
    return {
        key: found[key]
        for key, kind in kinds.items()
        if isinstance(found.get(key), list) and found[key] and all(isinstance(each, kind) for each in found[key])
    }
