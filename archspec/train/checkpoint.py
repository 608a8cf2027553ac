"""A checkpoint: a folder with the weights, what else training needs, and the digests of both; no pickle anywhere.

    last/weights.safetensors     the weights to use: the averaged ones, where there is an average
    last/training.safetensors    the optimiser's state, and the weights that learn, where they are not those to use
    last/state.json              how far the training is, and the SHA-256 of the two files

The folder is written under another name and renamed when it is whole. At any moment one of `last` and `previous` is
whole, whatever happens: a full disk, a kill, a power cut.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from archspec.errors import ArchspecError
from archspec.files import replacing, settle
from archspec.train.result import TrainingStoppedError
from archspec.weights.file import NOTE

LAST, PREVIOUS, UNFINISHED = "last", "previous", "unfinished"
WEIGHTS, TRAINING, STATE = "weights.safetensors", "training.safetensors", "state.json"
MAX_STATE = 64 * 2**20


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What is saved.

    Attributes:
        weights: The weights to use.
        training: The other tensors.
        state: Numbers and texts.
        note: What is written into the weights' file, so that it can be told from others.
    """

    weights: Mapping[str, Tensor]
    training: Mapping[str, Tensor]
    state: Mapping[str, Any]
    note: Mapping[str, Any]


def write(out: Path, checkpoint: Checkpoint) -> None:
    """Save a checkpoint as the last one of a run.

    Raises:
        TrainingStoppedError: It cannot be saved; the one before is intact.
    """
    fresh, last, previous = (out / name for name in (UNFINISHED, LAST, PREVIOUS))
    try:
        _remove(fresh)
        fresh.mkdir(parents=True)
        _save(fresh / WEIGHTS, checkpoint.weights, checkpoint.note)
        _save(fresh / TRAINING, checkpoint.training, {})
        files = {name: digest(fresh / name) for name in (WEIGHTS, TRAINING)}
        (fresh / STATE).write_text(json.dumps({**checkpoint.state, "files": files}), encoding="utf-8")
        for name in (WEIGHTS, TRAINING, STATE):
            settle(fresh / name)
        if last.exists():
            _remove(previous, last)
            last.rename(previous)
        fresh.rename(last)
        settle(out)
        _remove(previous, last)
    except (OSError, SafetensorError) as error:
        with suppress(OSError):
            _remove(fresh)
        kept = " the one before is intact" if last.exists() or previous.exists() else " there is none before it"
        raise TrainingStoppedError(f"{last}: the checkpoint cannot be saved: {error};{kept}") from None


def add(out: Path, facts: Mapping[str, Any]) -> None:
    """Add to what the last checkpoint says, whose tensors stay.

    Raises:
        TrainingStoppedError: It cannot be saved; what was there is intact.
    """
    path = out / LAST / STATE
    write_text(path, json.dumps({**read_json(path), **facts}))


def _remove(folder: Path, into: Path | None = None) -> None:
    """Remove a folder that we wrote; what else somebody laid into it goes where `into` says, and is never removed.

    Raises:
        OSError: There is something else in it, and no place for that.
    """
    if not folder.exists():
        return
    for name in (WEIGHTS, TRAINING, STATE):
        (folder / name).unlink(missing_ok=True)
    for other in folder.iterdir():
        if into is None or (into / other.name).exists():
            raise OSError(f"{other} is not of this training; move it elsewhere")
        other.rename(into / other.name)
    folder.rmdir()


def write_weights(path: Path, weights: Mapping[str, Tensor], note: Mapping[str, Any]) -> None:
    """Save weights alone, in place of those of that name, if there are any.

    Raises:
        TrainingStoppedError: They cannot be saved; those before are intact.
    """
    with _stopping(path, "; those before are intact"), replacing(path) as fresh:
        _save(fresh, weights, note)


def write_text(path: Path, text: str) -> None:
    """Save a text, in place of that of that name, if there is any.

    Raises:
        TrainingStoppedError: It cannot be saved; what was there is intact.
    """
    with _stopping(path), replacing(path) as fresh:
        fresh.write_text(text, encoding="utf-8")


@contextmanager
def _stopping(path: Path, what: str = "") -> Iterator[None]:
    try:
        yield
    except ArchspecError as error:
        raise TrainingStoppedError(f"{error}{what}") from None
    except SafetensorError as error:
        raise TrainingStoppedError(f"cannot write {path}: {error}{what}") from None


def read(out: Path) -> Checkpoint | None:
    """The last checkpoint of a run; None if there is none.

    Raises:
        ArchspecError: It cannot be read, or is not what was written.
    """
    folder = next((out / name for name in (LAST, PREVIOUS) if (out / name / STATE).is_file()), None)
    if folder is None:
        return None
    state = read_json(folder / STATE)
    for name in (WEIGHTS, TRAINING):
        wanted = state.get("files", {}).get(name) if isinstance(state.get("files"), dict) else None
        if (found := digest(folder / name)) != wanted:
            raise ArchspecError(
                f"{folder / name}: is corrupt: its SHA-256 is {found[:12]}…, what was saved had {str(wanted)[:12]}…"
            )
    weights, note = read_weights(folder / WEIGHTS)
    return Checkpoint(weights, read_weights(folder / TRAINING)[0], state, note)


def read_weights(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors of a safetensors file by name, and our note in it; empty if it has none.

    Raises:
        ArchspecError: It cannot be read.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
        tensors = load_file(path)
    except (OSError, SafetensorError, ValueError) as error:
        raise ArchspecError(f"{path}: not a safetensors file that can be read: {error}") from None
    try:
        note = json.loads(metadata.get(NOTE, "{}"))
    except ValueError:
        note = {}
    return tensors, note if isinstance(note, dict) else {}


def read_json(path: Path) -> dict[str, Any]:
    """The mapping of a JSON file.

    Raises:
        ArchspecError: It cannot be read, or holds something else.
    """
    try:
        with path.open("rb") as file:
            found = json.loads(file.read(MAX_STATE))
    except (OSError, ValueError, RecursionError) as error:
        raise ArchspecError(f"{path}: cannot be read: {error}") from None
    if not isinstance(found, dict):
        raise ArchspecError(f"{path}: is not the record of a training")
    return found


def digest(path: Path) -> str:
    """The SHA-256 of a file.

    Raises:
        ArchspecError: It cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ArchspecError(f"{path}: cannot be read: {error}") from None


def _save(path: Path, tensors: Mapping[str, Tensor], note: Mapping[str, Any]) -> None:
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    save_file(plain, path, metadata={NOTE: json.dumps(note)} if note else None)
