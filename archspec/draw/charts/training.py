"""The curves of trainings."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archspec.draw.charts.parts import alt, dotted, rows, series, titled
from archspec.draw.charts.results import CsvRows, read
from archspec.draw.style import DASHES, INK
from archspec.errors import ArchspecError
from archspec.train.result import Result, row

ERRORS = {"learned from": "learned", "validation": "validation_error", "test": "error"}
LOSSES = {"learned from": "loss", "validation": "validation_loss", "test": "test_loss"}
"""What an epoch's figures are called, by what they are measured on; `learned` is the percentage of right ones."""


@dataclass(frozen=True, slots=True)
class RunCurves:
    """What a run did, epoch by epoch.

    Attributes:
        name: What it is called.
        epochs: One mapping an epoch, from a figure's name to its value: epoch, loss, learned, …
        best: The epoch whose weights were chosen; None where none is, yet.
    """

    name: str
    epochs: tuple[Mapping[str, float], ...]
    best: int | None = None


def curves(folder: str | Path) -> RunCurves:
    """The curves of the run in a folder.

    Raises:
        ArchspecError: It is no folder of a run, no epoch is over, or its record is damaged.
    """
    path = Path(folder) / "epochs.csv"
    if not path.is_file():
        raise ArchspecError(f"{folder}: is not the folder of a run with an epoch that is over: it has no epochs.csv")
    found = read(path)
    for column in ("epoch", "loss"):
        found.check(column)
    epochs = tuple(_epoch(found, line) for line in found.rows)
    return RunCurves(Path(folder).resolve().name, epochs, _chosen(Path(folder) / "log.jsonl"))


def _epoch(table: CsvRows, line: Mapping[str, str]) -> dict[str, float]:
    """The numbers of a row; what an epoch did not measure is left out."""
    cells = {name: text for name, text in line.items() if text.strip() not in ("", "nan")}
    return {name: value for name in cells if (value := table.number(line, name)) is not None}


def _chosen(log: Path) -> int | None:
    """The epoch that was tested once, as the log says it."""
    try:
        lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines() if '"test"' in line]
        tested = [int(line["epoch"]) for line in lines if line.get("kind") == "test"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return tested[-1] if tested else None


def _of_result(result: Result) -> RunCurves:
    """The curves of a training that has just ended."""
    epochs = [{name: value for name, value in row(each).items() if not math.isnan(value)} for each in result.epochs]
    return RunCurves(result.spec, tuple(epochs), result.best.epoch if epochs else None)


def training(*runs: RunCurves | Result) -> Any:
    """Two panels, the error and the loss, epoch by epoch: a colour for each run, a dash for what it is measured on.

    Raises:
        ArchspecError: No epoch is over, or there are more runs than can be told apart.
    """
    found = [_of_result(run) if isinstance(run, Result) else run for run in runs]
    if any(not run.epochs for run in found):
        raise ArchspecError(f"{next(run.name for run in found if not run.epochs)}: no epoch is over yet")
    called = [run.name for run in found]  # numbered where two are the same
    names = [n if called.count(n) == 1 else f"{n} ({called[:i].count(n) + 1})" for i, n in enumerate(called)]
    panels = [
        _panel([r for run, name in zip(found, names, strict=True) for r in _records(run, name, figures)], names, title)
        for figures, title in ((ERRORS, "error [%]"), (LOSSES, "loss"))
    ]
    chosen = ", ".join(f"{name}: epoch {run.best}" for run, name in zip(found, names, strict=True) if run.best)
    return titled(
        alt.hconcat(*panels, spacing=24),
        f"training of {names[0]}" if len(names) == 1 else f"training of {len(names)} runs",
        f"rings: the weights that were chosen ({chosen})" if chosen else "",
    )


def _records(run: RunCurves, name: str, figures: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """The figures of a run, epoch by epoch, as far as they were measured."""
    for epoch in run.epochs:
        for of, figure in figures.items():
            if figure in epoch:
                value = 100 - epoch[figure] if figure == "learned" else epoch[figure]
                chosen = epoch["epoch"] == run.best and of != "learned from"
                yield {"series": name, "on": of, "epoch": epoch["epoch"], "value": value, "chosen": chosen}


def _panel(records: Sequence[dict[str, Any]], names: Sequence[str], title: str) -> Any:
    sets = [each for each in LOSSES if any(record["on"] == each for record in records)]
    dash = alt.StrokeDash(
        "on:N",
        scale=alt.Scale(domain=sets, range=[DASHES[2 if each == "learned from" else 0] for each in sets]),
        legend=alt.Legend(title="images", orient="bottom", titleOrient="left"),
    )
    encodings = series(names, lines=False)
    x = alt.X("epoch:Q", title="epoch", axis=alt.Axis(tickMinStep=1))
    y = alt.Y("value:Q", title=title, scale=alt.Scale(zero=False))
    base = alt.Chart(rows(records)).encode(x=x, y=y, tooltip=["series:N", "on:N", "epoch:Q", "value:Q"])
    lines = base.mark_line(strokeWidth=1.8).encode(color=encodings["color"], strokeDash=dash)
    rings = base.mark_point(filled=True, fill="white", stroke=INK, size=70, strokeWidth=2)
    dots = (
        base.mark_point(filled=True, size=30).encode(**dotted(encodings)).transform_filter("datum.on != 'learned from'")
    )
    return (lines + dots + rings.transform_filter("datum.chosen")).properties(width=320, height=240)
