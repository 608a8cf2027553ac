"""A training on the terminal: while it runs on standard error, at its end on standard output."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
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

from archspec.report.cells import Name, Number
from archspec.report.page import Column, Notes, Report, Section, Table, Title
from archspec.train.result import Epoch, Result, Score, Watcher
from archspec.writing import one_line


class Bars(Watcher):
    """Says on standard error how a training goes: a line an epoch, and on a terminal a bar of the steps."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False, soft_wrap=True)
        self._bar: Progress | None = None
        self._task = TaskID(0)

    def began(self, result: Result, steps: int, done: int) -> None:
        """Say what is trained, and show the bar."""
        self._planned = result.planned
        self._say(f"{result.spec}: {result.params:,} weights; {result.data}; {result.planned} epochs, in {result.out}")
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
        test = epoch.test
        self._say(
            f"epoch {epoch.epoch:>{len(str(self._planned))}}/{self._planned}  loss {epoch.loss:.4f}  "
            f"test error {test.error:.2f} %  top-5 {test.top5:.2f} %  {epoch.images_per_second:,.0f} images/s"
        )

    def ended(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()

    def _say(self, line: str) -> None:
        self._console.print(one_line(line), markup=False)


def train(result: Result) -> Report:
    """What a training came to."""
    if not result.epochs:
        return Report((Section((Notes((f"{result.spec}: no epoch is over yet",)),)),), data=lambda: _data(result))
    said = (
        f"{result.spec}: {result.params:,} weights, {result.data}; {result.seconds:,.0f} s of training, in {result.out}"
    )
    rows = {"last": result.last, "best on the test images": result.best}
    return Report(
        (Section((Title(said),)), Section((Table(_columns(rows)),))),
        data=lambda: _data(result),
        records=lambda: _records(result.epochs),
    )


def _columns(rows: Mapping[str, Epoch]) -> list[Column]:
    epochs = rows.values()
    return [
        Column("", list(map(Name, rows)), "name"),
        Column("epoch", [Number(epoch.epoch) for epoch in epochs]),
        Column("test error", [_percent(epoch.test.error) for epoch in epochs]),
        Column("top-1", [_percent(epoch.test.top1) for epoch in epochs]),
        Column("top-5", [_percent(epoch.test.top5) for epoch in epochs]),
        Column("test loss", [Number(epoch.test.loss, f"{epoch.test.loss:.4f}") for epoch in epochs]),
    ]


def _records(epochs: Sequence[Epoch]) -> Table:
    """The epochs for machines."""
    names = [field.name for field in fields(Epoch) if field.name != "test"]
    tested = [_figures(epoch.test) for epoch in epochs]
    return Table(
        [
            *(Column(name, [Number(getattr(epoch, name)) for epoch in epochs]) for name in names),
            *(Column(f"test_{name}", [Number(test[name]) for test in tested]) for name in tested[0]),
        ]
    )


def _percent(value: float) -> Number:
    return Number(value, f"{value:.2f} %")


def _data(result: Result) -> dict[str, Any]:
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
        "epochs": [{**asdict(epoch), "test": _figures(epoch.test)} for epoch in result.epochs],
        "error": result.last.test.error if result.epochs else None,
    }


def _figures(score: Score) -> dict[str, float]:
    return {"images": score.images, "loss": score.loss, "top1": score.top1, "top5": score.top5, "error": score.error}


def evaluation(score: Score, spec: str, data: str) -> Report:
    """How a network does on the test images of data."""
    said = (
        f"{spec} on {score.images:,} test images of {data}: test error {score.error:.2f} %, top-1 {score.top1:.2f} %, "
        f"top-5 {score.top5:.2f} %, loss {score.loss:.4f}"
    )
    found = {"spec": spec, "data": data, **_figures(score)}
    cells = {name: Name(value) if isinstance(value, str) else Number(value) for name, value in found.items()}
    records = Table([Column(name, [cell]) for name, cell in cells.items()])
    return Report((Section((Notes((said,)),)),), data=lambda: found, records=lambda: records)
