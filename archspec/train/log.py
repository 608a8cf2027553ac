"""The log of a run: one line of JSON a step and an epoch, and the same for TensorBoard, if asked for."""

import csv
import errno
import json
import os
from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

from archspec.errors import ArchspecError
from archspec.train.result import Epoch, Score, TrainingStoppedError


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
        self._write([{"kind": "epoch", **row(epoch)}])
        score = epoch.held
        self._show(epoch.step, {f"loss/{epoch.judged_by}": score.loss, "top1": score.top1, "top5": score.top5})

    def facts(self, epoch: int, facts: Mapping[str, Any]) -> None:
        """Write what the methods of a stage say of themselves at its end."""
        self._write([{"kind": "methods", "epoch": epoch, **facts}])

    def tested(self, epoch: int, score: Score) -> None:
        """Write the one test of the weights that were chosen."""
        self._write(
            [{"kind": "test", "epoch": epoch, "test_loss": score.loss, "top1": score.top1, "error": score.error}]
        )

    def corrected(self, added: Sequence[float], before: Score) -> None:
        """Write by what the weights that were chosen are corrected, and what they did with the test images before."""
        self._write([{"kind": "correction", "added": list(added), "top1": before.top1, "error": before.error}])

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


def row(epoch: Epoch) -> dict[str, Any]:
    """An epoch as a row of a table; the figures of validation images are never called those of a test."""
    plain = {key: getattr(epoch, key) for key in ("epoch", "step", "lr", "loss", "learned", "seconds")}
    plain["images_per_second"] = epoch.images_per_second
    score = epoch.held
    figures = {"top1": score.top1, "top5": score.top5, "error": score.error}
    if epoch.validation is not None:
        return {**plain, "validation_loss": score.loss, **{f"validation_{key}": each for key, each in figures.items()}}
    return {**plain, "test_loss": score.loss, **figures}


def table(epochs: Sequence[Epoch]) -> str:
    """All epochs as CSV."""
    stream = StringIO()
    writer = csv.DictWriter(stream, list(row(epochs[0])), lineterminator="\n")
    writer.writeheader()
    writer.writerows(map(row, epochs))
    return stream.getvalue()


def _writer(folder: Path) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise ArchspecError(
            "TensorBoard is not installed: pip install tensorboard, or leave --tensorboard out"
        ) from None
    return SummaryWriter(str(folder))
