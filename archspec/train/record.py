"""The record of a run, run.json and spec.yaml in its folder: all that its weights follow from; and its log.

The log has a line of JSON for each step and each epoch, and TensorBoard is told the same, if asked for.
"""

import errno
import json
import os
import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from archspec.errors import ArchspecError
from archspec.files import locked
from archspec.language import Origin
from archspec.runs import BEST, RECORD, SPEC
from archspec.train import checkpoint
from archspec.train.data import Data, refuse_other_classes
from archspec.train.recipe import Recipe
from archspec.train.result import Epoch, TrainingStoppedError, row

OWN = (
    SPEC,
    "log.jsonl",
    "epochs.csv",
    BEST,
    "last",
    "previous",
    "unfinished",
    "tensorboard",
    "packed.safetensors",
)
"""The other names in a run's folder."""

PACKAGES = ("torch", "accelerate", "safetensors", "numpy", "archspec-nn")


@dataclass(frozen=True, slots=True)
class Record:
    """What a run is.

    Attributes:
        origin: The specification and its bindings.
        data: The data's name, digest, sizes, statistics, and what was done to them.
        source: What the user calls the data; None where they were handed over in Python.
        resize: Whether they were to be resized.
        recipe: The recipe.
        place: Versions, the processor, threads and processes; a change of them changes rounding at most.
        began: The weights that it began with, where they were not fresh, and what its methods say of themselves.
    """

    origin: Origin
    data: Mapping[str, Any]
    source: str | None
    resize: bool
    recipe: Recipe
    place: Mapping[str, Any]
    began: Mapping[str, Any] = field(default_factory=dict)


def facts_of(data: Data) -> dict[str, Any]:
    """What a record says of data."""
    mean, deviation = data.statistics
    return {
        "name": data.name,
        "note": data.note,
        "train": len(data.train),
        "test": len(data.test),
        "shape": list(data.train.shape),
        "classes": data.classes,
        "mean": list(mean),
        "deviation": list(deviation),
        "sha256": data.digest,
        "names": list(data.names),
        "validation": 0 if data.validation is None else len(data.validation),
    }


def place(device: torch.device, processes: int) -> dict[str, Any]:
    """What a run's rounding can depend on."""
    return {
        "versions": {"python": platform.python_version(), **{name: _version(name) for name in PACKAGES}},
        "processor": torch.cuda.get_device_name(device) if device.type == "cuda" else platform.machine(),
        "device": device.type,
        "threads": torch.get_num_threads(),
        "processes": processes,
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


@contextmanager
def claimed(out: Path, begins: bool) -> Iterator[int]:
    """Hold the record of a run, as an open file, so that no other training works in its folder.

    Whoever has locked run.json trains there; the lock goes when its owner does, in whatever way.

    Raises:
        ArchspecError: Another training holds it, or a run that begins finds one, or files of ours without one.
    """
    try:
        handle = _open(out, begins)
    except OSError as error:
        raise ArchspecError(f"{out}: the folder cannot be used: {error.strerror}") from None
    try:
        if not locked(handle):
            raise ArchspecError(f"{out}: another training is running in this folder; --out names another one")
        if begins and os.fstat(handle).st_size:
            raise ArchspecError(_HELD.format(out=out))
        yield handle
    finally:
        os.close(handle)


def _open(out: Path, begins: bool) -> int:
    if not begins:
        return os.open(out / RECORD, os.O_RDWR)
    out.mkdir(parents=True, exist_ok=True)
    refuse_foreign(out)
    return os.open(out / RECORD, os.O_RDWR | os.O_CREAT, 0o666)


def refuse_foreign(out: Path) -> None:
    """Nothing, if a run may begin in a folder.

    Raises:
        ArchspecError: It holds a run, or files with the names of ours that no run says are ours.
    """
    if os.path.isfile(out / RECORD) and os.path.getsize(out / RECORD):  # an empty one is of a run killed as it began
        raise ArchspecError(_HELD.format(out=out))
    if found := [name for name in OWN if os.path.lexists(out / name)]:
        raise ArchspecError(
            f"{out}: has {', '.join(found)} and no {RECORD}: they belong to no known training, and would be "
            "overwritten; --out names another folder"
        )


_HELD = "{out}: holds a run already; --resume continues it, and --out names another folder"


def write(out: Path, handle: int, run: Record, spec: str) -> None:
    """Write the record of a run that begins, into the file that is held.

    Raises:
        TrainingStoppedError: It cannot be written; nothing is left of it.
    """
    text = {
        "spec": {**asdict(run.origin), "bindings": dict(run.origin.bindings)},
        "recipe": run.recipe.plain(),
        "data": {"source": run.source, "resize": run.resize, **run.data},
        "place": run.place,
        "from": run.began,
        "began": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    data = (json.dumps(text, indent=1, ensure_ascii=False) + "\n").encode()
    try:
        if os.write(handle, data) < len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(handle)
    except OSError as error:
        os.truncate(handle, 0)
        raise TrainingStoppedError(f"{out / RECORD}: cannot be written: {error}") from None
    checkpoint.write_text(out / SPEC, spec)


def read(out: Path) -> Record:
    """The record of a run.

    Raises:
        ArchspecError: The folder holds no run, or its record cannot be read.
    """
    if not (out / RECORD).is_file():
        raise ArchspecError(f"{out}: there is no run to resume; without --resume one begins")
    found = checkpoint.read_json(out / RECORD)
    try:
        data = dict(found["data"])
        source, resize = data.pop("source"), data.pop("resize")
        origin = Origin(**found["spec"])
        recipe = Recipe().changed({key: value for key, value in found["recipe"].items() if value is not None})
        return Record(origin, data, source, resize, recipe, found["place"], dict(found.get("from", {})))
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ArchspecError(f"{out / RECORD}: is not the record of a run: {error!r}") from None


def refuse_another(before: Record, now: Record, out: Path) -> None:
    """Nothing, if a run may be resumed as this one.

    Raises:
        ArchspecError: The specification, the recipe or the data are others; names what differs.
    """
    refuse_another_spec(before.origin, now.origin, f"the run in {out}")
    old, new = before.recipe.plain(), now.recipe.plain()
    changed = [
        f"{key} was {old.get(key)} and is {new.get(key)}"
        for key in {**old, **new}
        if old.get(key) != new.get(key) and key not in {"doc", "data"}
    ]
    if changed:
        raise ArchspecError(f"the run in {out} has another recipe: {'; '.join(changed)}")
    if before.data.get("sha256") != now.data["sha256"]:
        raise ArchspecError(
            f"the run in {out} has other data: {before.data.get('name')} with SHA-256 "
            f"{str(before.data.get('sha256'))[:12]}…, these are {now.data['name']} with {now.data['sha256'][:12]}…"
        )
    refuse_other_classes(before.data.get("names", ()), now.data["names"], f"the run in {out}")
    if before.began.get("start") != now.began.get("start"):
        raise ArchspecError(f"the run in {out} began with other weights: {before.began.get('start')}")


def refuse_another_spec(before: Origin, now: Origin, what: str) -> None:
    """Nothing, if weights of one specification are those of another.

    Raises:
        ArchspecError: They are not; names both digests, and the bindings that differ.
    """
    if before.digest != now.digest:
        raise ArchspecError(
            f"{what} is of another specification: {before.name} with digest {before.digest[:12]}…, "
            f"this is {now.name} with {now.digest[:12]}…"
        )
    if dict(before.bindings) != dict(now.bindings):
        raise ArchspecError(
            f"{what} has other bindings: {_bound(before.bindings)}; these are {_bound(now.bindings)} "
            f"(specification {now.name} with digest {now.digest[:12]}…)"
        )


def _bound(bindings: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in bindings.items())


def moved(before: Record, now: Record) -> str:
    """What has changed since a run began that may change the last bits of its weights, in words; empty if nothing."""
    old, new = _flat(before.place), _flat(now.place)
    return "; ".join(f"{key} was {old.get(key)} and is {value}" for key, value in new.items() if old.get(key) != value)


def _flat(values: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in values.items():
        found.update(value if isinstance(value, Mapping) else {key: value})
    return found


# ------------------------------------------------------------------ the log


class Log:
    """A file that only grows; a resumed run first cuts off what it is about to write again.

    Args:
        path: The file.
        size: How much of it is to be kept, in bytes.
        board: The folder for TensorBoard; None for none.

    Raises:
        ArchspecError: TensorBoard is not installed.
    """

    def __init__(self, path: Path, size: int, board: Path | None = None) -> None:
        self._path = path
        self._board = _writer(board) if board is not None else None
        try:
            self._file = path.open("ab", buffering=0)
            os.truncate(path, min(size, path.stat().st_size))
        except OSError as error:
            raise TrainingStoppedError(f"{path}: cannot be written: {error}") from None

    def steps(self, first: int, epoch: int, lrs: list[float], losses: list[float]) -> None:
        """Write what steps did, the first of which is the `first` done, counted from 1."""
        lines = []
        for step, (lr, loss) in enumerate(zip(lrs, losses, strict=True), first):
            lines.append({"kind": "step", "epoch": epoch, "step": step, "lr": lr, "loss": loss})
            self._show(step, {"loss/train": loss, "lr": lr})
        self._write(lines)

    def epoch(self, epoch: Epoch) -> None:
        """Write what an epoch did."""
        self.told("epoch", **row(epoch))
        score = epoch.held
        self._show(epoch.step, {f"loss/{epoch.judged_by}": score.loss, "top1": score.top1, "top5": score.top5})

    def told(self, kind: str, **figures: Any) -> None:
        """Write what is said once: by the methods at the end of a stage, by the test of what was chosen."""
        self._write([{"kind": kind, **figures}])

    def _write(self, lines: list[dict[str, Any]]) -> None:
        data = "".join(json.dumps(line) + "\n" for line in lines).encode()
        try:
            if self._file.write(data) < len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            raise TrainingStoppedError(
                f"{self._path}: cannot be written: {error}; the last checkpoint is intact"
            ) from None

    def _show(self, step: int, figures: dict[str, float]) -> None:
        if self._board is not None:
            for name, value in figures.items():
                self._board.add_scalar(name, value, step)

    @property
    def size(self) -> int:
        """The bytes written so far."""
        return self._path.stat().st_size

    def close(self) -> None:
        """Close what is open."""
        self._file.close()
        if self._board is not None:
            self._board.close()


def _writer(folder: Path) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise ArchspecError(
            "TensorBoard is not installed: pip install tensorboard, or leave --tensorboard out"
        ) from None
    return SummaryWriter(str(folder))
