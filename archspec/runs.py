"""The record of a run, as far as the run's folder is to stand for a specification: its spec, bindings and weights."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archspec.architecture import Architecture
from archspec.architecture import load as load_specification
from archspec.errors import ArchspecError

RECORD, SPEC, BEST = "run.json", "spec.yaml", "best.safetensors"
LAST = ("last", "weights.safetensors")
MAX_RECORD = 16 * 2**20


@dataclass(frozen=True, slots=True)
class Run:
    """A run.

    Attributes:
        folder: Where it lies.
        bindings: The values of its network's symbols.
        source: What its data are called; None where they were handed over in Python.
        resize: Whether they were to be resized.
    """

    folder: Path
    bindings: Mapping[str, Any]
    source: str | None
    resize: bool

    def architecture(self) -> Architecture:
        """Its network."""
        return load_specification(self.folder / SPEC)

    def as_specification(self) -> Architecture:
        """The same, with the run's values as the defaults of its symbols."""
        return self.architecture().with_defaults(self.bindings)

    @property
    def weights(self) -> Path:
        """The weights that were chosen; those of the last save, where no epoch is over yet.

        Raises:
            ArchspecError: There are none yet.
        """
        found = next((path for path in (self.folder / BEST, self.folder.joinpath(*LAST)) if path.is_file()), None)
        if found is None:
            raise ArchspecError(f"{self.folder}: the run has saved no weights yet")
        return found


def find(place: str | os.PathLike[str]) -> Run | None:
    """The run that a folder holds; None if it holds none, or is no folder."""
    return load(place) if os.path.isfile(os.path.join(place, RECORD)) else None  # takes any text


def load(place: str | os.PathLike[str]) -> Run:
    """The run that a folder holds.

    Raises:
        ArchspecError: It holds none, or its record cannot be read.
    """
    path = Path(place) / RECORD
    try:
        with path.open("rb") as file:
            found: Any = json.loads(file.read(MAX_RECORD))
        bindings = {str(name): str(value) for name, value in found["spec"]["bindings"].items()}
        source, resize = found["data"]["source"], found["data"]["resize"]
    except OSError:
        raise ArchspecError(f"{place}: is not the folder of a run: it has no {RECORD}") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ArchspecError(f"{path}: is not the record of a run: {error!r}") from None
    if not isinstance(source, str | None) or not isinstance(resize, bool):
        raise ArchspecError(f"{path}: is not the record of a run: its data are {source!r}")
    return Run(Path(place), bindings, source, resize)
