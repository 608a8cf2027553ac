"""From a `.pt2` file to a program: its graph and its raw weights are read as data, and nothing else of it.

The archive also holds sample inputs, and may hold weights and objects, as pickles: these run code where they are
loaded, and are not opened.
"""

import json
import os
import zipfile
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archspec.errors import ArchspecError
from archspec.files import DAMAGED
from archspec.importing.program import HeldArray, Place, Program, ProgramCall, Value
from archspec.writing import printable

if TYPE_CHECKING:
    import numpy as np

MAX_GRAPH = 256 * 2**20
"""The longest description of a graph that is read, in bytes; that of 500 layers has 2 MB."""

TYPES = {1: "u1", 2: "i1", 3: "<i2", 4: "<i4", 5: "<i8", 6: "<f2", 7: "<f4", 8: "<f8", 12: "?"}
"""NumPy's types by torch's numbers for them."""


def read_archive(path: str | os.PathLike[str]) -> Program:
    """The program of a file that `torch.export.save` wrote.

    Raises:
        ArchspecError: It is damaged, or holds its weights as pickles.
    """
    file = Path(path)
    try:
        with zipfile.ZipFile(file) as archive:
            reader = _Archive(archive, file)
            return reader.program()
    except OSError as error:
        raise ArchspecError(f"{file}: cannot be read: {error.strerror or error}") from None
    except ArchspecError:
        raise
    except DAMAGED as error:
        raise ArchspecError(f"{file}: is no exported program, or a damaged one ({type(error).__name__})") from None


class _Archive:
    """What is read of an archive."""

    def __init__(self, archive: zipfile.ZipFile, file: Path) -> None:
        self.archive, self.file = archive, file
        self.sizes = {info.filename: info.file_size for info in archive.infolist()}
        graph = next((name for name in self.sizes if name.endswith("models/model.json")), None)
        if graph is None:
            raise ArchspecError(
                f"{file}: holds no models/model.json; torch.export.save of torch 2.8 or newer writes one"
            )
        self.root = graph.removesuffix("models/model.json")
        self.module = self._json("models/model.json")["graph_module"]
        self.graph = self.module["graph"]

    def _json(self, name: str) -> Any:
        whole = self.root + name
        if self.sizes.get(whole, 0) > MAX_GRAPH:
            raise ArchspecError(f"{self.file}: {name} is longer than {MAX_GRAPH:,} bytes")
        return json.loads(self.archive.read(whole))

    def program(self) -> Program:
        """The whole of it."""
        shapes = {name: _sizes(meta["sizes"]) for name, meta in self.graph["tensor_values"].items()}
        arrays = self._arrays()
        return Program(
            name=self.file.stem,
            inputs=self._ends("input"),
            outputs=self._ends("output"),
            calls=tuple(_call(node) for node in self.graph["nodes"]),
            shapes={name: shape for name, shape in shapes.items() if name not in arrays},
            arrays=arrays,
        )

    def _ends(self, which: str) -> tuple[str, ...]:
        """The names of the inputs that a user gives, or of the outputs that he gets."""
        found = (spec.get(f"user_{which}") for spec in self.module["signature"][f"{which}_specs"])
        return tuple(_tensor(end["arg"]) for end in found if end)

    def _arrays(self) -> dict[str, HeldArray]:
        tables = {
            "weights": self._json("data/weights/model_weights_config.json")["config"],
            "constants": self._json("data/constants/model_constants_config.json")["config"],
        }
        found = {}
        for spec in self.module["signature"]["input_specs"]:
            ((kind, said),) = spec.items()
            if kind == "user_input":
                continue
            key = next(
                (said[name] for name in ("parameter_name", "buffer_name", "tensor_constant_name") if name in said), None
            )
            folder = next((name for name, table in tables.items() if key in table), None)
            if key is None or folder is None:
                raise ArchspecError(f"{self.file}: holds a {printable(kind, 40)} that is no array")
            found[said["arg"]["name"]] = self._array(str(key), folder, tables[folder][key])
        return found

    def _array(self, key: str, folder: str, entry: Mapping[str, Any]) -> HeldArray:
        meta = entry["tensor_meta"]
        shape = _sizes(meta["sizes"])
        if entry.get("use_pickle"):
            raise ArchspecError(f"{self.file}: holds {printable(key, 60)} as a pickle, which is not opened")
        name = f"{self.root}data/{folder}/{entry['path_name']}"
        if meta["dtype"] not in TYPES or any(size < 0 for size in shape):
            raise ArchspecError(f"{self.file}: holds {printable(key, 60)} as type {meta['dtype']}, which is not read")
        strides, offset = _sizes(meta["strides"]), int(meta["storage_offset"]["as_int"])
        width = int(TYPES[meta["dtype"]].strip("<u?if") or 1)
        last = offset + sum((size - 1) * step for size, step in zip(shape, strides, strict=True)) if prod(shape) else -1
        if offset < 0 or any(step < 0 for step in strides) or (last + 1) * width > self.sizes.get(name, 0):
            raise ArchspecError(f"{self.file}: has fewer bytes of {printable(key, 60)} than it says")
        file, kind = self.file, TYPES[meta["dtype"]]
        return HeldArray(key, shape, lambda: _read(file, name, kind, shape, strides, offset))


def _read(file: Path, name: str, kind: str, shape: Any, strides: Any, offset: int) -> "np.ndarray[Any, Any]":
    import numpy as np

    with zipfile.ZipFile(file) as archive:
        flat = np.frombuffer(archive.read(name), dtype=kind)
    steps = tuple(step * flat.itemsize for step in strides)
    return np.lib.stride_tricks.as_strided(flat[offset:], shape, steps).copy()


def _sizes(sizes: Any) -> tuple[int, ...]:
    """Sizes, of which the batch may be free: then what it was exported with."""
    return tuple(int(size["as_int"] if "as_int" in size else size["as_expr"]["hint"]["as_int"]) for size in sizes)


def _tensor(argument: Mapping[str, Any]) -> str:
    if "as_tensor" not in argument:
        raise ArchspecError("the program takes or gives something that is no tensor")
    return str(argument["as_tensor"]["name"])


def _call(node: Mapping[str, Any]) -> ProgramCall:
    arguments = {each["name"]: _argument(each["arg"]) for each in node["inputs"]}
    outputs: list[str] = []
    for number, output in enumerate(node["outputs"]):
        tensors = output["as_tensors"] if "as_tensors" in output else [output.get("as_tensor")]
        outputs += (str(each["name"]) if each else f"{node.get('name')}#{number}" for each in tensors)
    return ProgramCall(str(node["target"]).removeprefix("torch.ops."), arguments, tuple(outputs), _place(node))


def _argument(argument: Mapping[str, Any]) -> Any:
    """An argument as a value, a number, a word or a list of these; of what is none, what it is called."""
    ((kind, value),) = argument.items()
    match kind:
        case "as_tensor":
            return Value(str(value["name"]))
        case "as_tensors" | "as_optional_tensors":
            return tuple(Value(str(each["name"])) if "name" in each else None for each in value)
        case "as_sym_ints":
            return tuple(each.get("as_int") for each in value)
        case "as_ints" | "as_floats" | "as_bools" | "as_strings":
            return tuple(value)
        case "as_sym_int" | "as_int" | "as_float" | "as_bool" | "as_string":
            return value.get("as_int") if isinstance(value, dict) else value
    return None if kind == "as_none" else kind


def _place(node: Mapping[str, Any]) -> Place:
    """The stack of modules, a text: key,path,class;key,path,class."""
    text = str(node.get("metadata", {}).get("nn_module_stack", ""))
    entries = [entry.split(",") for entry in text.split(";") if entry]
    return Place.of_stack((key, path, kind) for key, path, kind in (entry for entry in entries if len(entry) == 3))
