"""A training on the terminal: while it runs on standard error, at its end on standard output."""

import json
import math
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from archspec.report import text
from archspec.report.text import Column
from archspec.train.result import Epoch, Result, Score, Watcher
from archspec.writing import terminal

FORMATS = ("text", "markdown", "json")


class Bars(Watcher):
    """Says on standard error how a training goes: a line an epoch, and on a terminal a bar of the steps."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False, soft_wrap=True)
        self._bar: Progress | None = None
        self._task = TaskID(0)

    def loading(self, done: int, images: int) -> None:
        """Say how far the reading of images is: on a terminal in place, elsewhere when it is over."""
        if self._console.is_terminal:
            self._console.print(f"{done:,} of {images:,} images read", end="\n" if done == images else "\r")
        elif done == images:
            self._say(f"{images:,} images read")

    def began(self, result: Result, steps: int, done: int) -> None:
        """Say what is trained, and show the bar."""
        self._planned = result.planned
        self._say(f"{result.spec}: {result.params:,} weights; {result.data}; {result.planned} epochs, in {result.out}")
        if result.note:
            self._say(result.note)
        if result.resumed is not None:
            self._say(f"resumed after step {result.resumed:,}" + (f"; {result.moved}" if result.moved else ""))
        if self._console.is_terminal:
            columns = (
                TextColumn("loss {task.fields[loss]}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                TimeRemainingColumn(),
            )
            self._bar = Progress(*columns, console=self._console, transient=True)
            self._task = self._bar.add_task("", total=steps, completed=done, loss="")
            self._bar.start()

    def stepped(self, step: int, loss: float) -> None:
        """Move the bar."""
        if self._bar is not None:
            self._bar.update(self._task, completed=step, loss=f"{loss:.4f}")

    def tested(self, epoch: Epoch) -> None:
        """Print the line of an epoch."""
        score, what = epoch.held, "test" if epoch.validation is None else "validation"
        learned = "" if math.isnan(epoch.learned) else f"learned {epoch.learned:.2f} %  "
        self._say(
            f"epoch {epoch.epoch:>{len(str(self._planned))}}/{self._planned}  loss {epoch.loss:.4f}  {learned}"
            f"{what} error {score.error:.2f} %  top-5 {score.top5:.2f} %  {epoch.images_per_second:,.0f} images/s"
        )

    def ended(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()

    def _say(self, line: str) -> None:
        self._console.print(terminal(line), markup=False)


def train(result: Result, form: str = "text") -> str:
    """What a training came to, as text, markdown or json."""
    if form == "json":
        return json.dumps(_plain(result), ensure_ascii=False, indent=1) + "\n"
    if not result.epochs:
        return f"{result.spec}: no epoch is over yet\n"
    what = "test" if result.last.validation is None else "validation"
    rows = [("last", what, result.last.epoch, result.last.held)]
    rows.append((f"best on the {what} images", what, result.best.epoch, result.best.held))
    if result.tested is not None:
        rows.append(("the best, tested once", "test", result.best.epoch, result.tested))
    of = [] if what == "test" else [Column("images", [each for _, each, _, _ in rows], "left")]
    said_of = "test " if what == "test" else ""
    columns = [
        Column("", [name for name, *_ in rows], "left"),
        *of,
        Column("epoch", [str(epoch) for *_, epoch, _ in rows]),
        Column(f"{said_of}error", [f"{score.error:.2f} %" for *_, score in rows]),
        Column("top-1", [f"{score.top1:.2f} %" for *_, score in rows]),
        Column("top-5", [f"{score.top5:.2f} %" for *_, score in rows]),
        Column(f"{said_of}loss", [f"{score.loss:.4f}" for *_, score in rows]),
    ]
    if form == "markdown":
        return text.markdown(columns) + "\n"
    said = (
        f"{result.spec}: {result.params:,} weights, {result.data}; {result.seconds:,.0f} s of training, in {result.out}"
    )
    return "\n".join([said, "", *(line.rstrip() for line in text.plain(columns))]) + "\n"


def _plain(result: Result) -> dict[str, Any]:
    return {
        "spec": result.spec,
        "data": result.data,
        "params": result.params,
        "out": str(result.out),
        "planned": result.planned,
        "resumed": result.resumed,
        "moved": result.moved,
        "signal": result.signal,
        "seconds": result.seconds,
        "note": result.note,
        "epochs": [
            {**asdict(epoch), "test": _figures(epoch.test), "validation": _figures(epoch.validation)}
            for epoch in result.epochs
        ],
        "tested": _figures(result.tested),
        "error": result.final.error if result.final else None,
    }


def _figures(score: Score | None) -> dict[str, float] | None:
    if score is None:
        return None
    return {"images": score.images, "loss": score.loss, "top1": score.top1, "top5": score.top5, "error": score.error}


def evaluation(score: Score, spec: str, data: str, form: str = "text", confusion: bool = False) -> str:
    """How a network does, as text or json; with the table of which class (row) is taken for which, if asked for."""
    if form == "json":
        plain = {"spec": spec, "data": data, **(_figures(score) or {})}
        plain |= {"confusion": score.confusion} if confusion else {}
        return json.dumps(plain, ensure_ascii=False, indent=None if confusion else 1) + "\n"
    said = (
        f"{spec} on {score.images:,} test images of {data}: test error {score.error:.2f} %, top-1 {score.top1:.2f} %, "
        f"top-5 {score.top5:.2f} %, loss {score.loss:.4f}\n"
    )
    if not confusion:
        return said
    classes = range(len(score.confusion))
    columns = [Column("class", [str(one) for one in classes])]
    columns += [Column(str(other), [str(row[other]) for row in score.confusion]) for other in classes]
    return "\n".join([said, *(line.rstrip() for line in text.plain(columns))]) + "\n"
