"""A training on the terminal: while it runs on standard error, at its end on standard output."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from fractions import Fraction
from typing import TYPE_CHECKING, Any

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

from archspec.report.page import (
    EMPTY,
    Column,
    Name,
    Notes,
    Number,
    Report,
    Section,
    Table,
    Title,
    of_records,
    percent,
    with_total,
)
from archspec.train.result import Correction, Epoch, Result, Score, Watcher
from archspec.writing import one_line

if TYPE_CHECKING:  # what it is loads torch, which --help does not
    from archspec.train.zeros import Zeros


class Bars(Watcher):
    """Says on standard error how a training goes: one line per epoch, and on a terminal a bar of the steps."""

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
        epochs = "1 epoch" if result.planned == 1 else f"{result.planned} epochs"
        self._say(f"{result.spec}: {result.params:,} weights; {result.data}; {epochs}, in {result.out}")
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
        score, what = epoch.held, epoch.judged_by
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
        self._console.print(one_line(line), markup=False)


def train(result: Result) -> Report:
    """What a training came to."""
    if not result.epochs:
        return Report((Section((Notes((f"{result.spec}: no epoch is over yet",)),)),), data=lambda: _data(result))
    sentence = (
        f"{result.spec}: {result.params:,} weights, {result.data}; {result.seconds:,.0f} s of training, in {result.out}"
    )
    added = () if result.corrected is None else (Section((Notes((_added(result.corrected),)),)),)
    return Report(
        (Section((Title(sentence),)), Section((Table(_columns(result)),)), *_methods(result.facts), *added),
        data=lambda: _data(result),
        records=lambda: _records(result.epochs),
    )


def compressed(result: Result, packed: Report | None) -> Report:
    """What a training by a plan came to, and the file of its weights; none, where it was interrupted."""
    first = train(result)
    if packed is None:
        return first
    return Report(
        (*first.sections, *packed.sections),
        data=lambda: {"training": _data(result), "file": packed.data and packed.data()},
        records=first.records,
    )


def _methods(facts: Mapping[str, Any]) -> list[Section]:
    """What pruning has left: weights and units, layer by layer; and what is cut off."""
    if "prune" not in facts:
        return []
    pruned = facts["prune"]
    names = list(pruned["weights"])
    left, whole = ([pruned["weights"][name][i] for name in names] for i in (0, 1))
    units = [pruned["units"].get(name.removesuffix(".weight")) for name in names]
    table = Table(
        [
            Column("pruned", [*(Name(name.removesuffix(".weight")) for name in names), Name("total")]),
            Column("weights", [*map(Number, whole), Number(sum(whole))]),
            Column("kept", [*map(Number, left), Number(sum(left))]),
            Column(
                "share", [percent(100 * a / b) for a, b in zip([*left, sum(left)], [*whole, sum(whole)], strict=True)]
            ),
            Column("units kept", [*(Name(f"{one[0]} of {one[1]}") if one else EMPTY for one in units), EMPTY]),
        ],
        with_total(len(names)),
    )
    cut = [f"{name.removesuffix('.weight')} is cut off: only biases are left" for name in pruned.get("cut_off", ())]
    return [Section((table,)), *([Section((Notes(tuple(cut)),))] if cut else [])]


def _added(correction: Correction) -> str:
    """What was added to which logits."""
    moved = [f"{shift:+.2f} to class {label}" for label, shift in enumerate(correction.added) if shift]
    return f"corrected, as the validation images want it: {', '.join(moved) or 'by nothing'}"


def _columns(result: Result) -> list[Column]:
    """The last epoch and the best, by the images that they were chosen by, and the best on those of the test."""
    what = result.last.judged_by
    rows = [("last", what, result.last.epoch, result.last.held)]
    rows.append((f"best on the {what} images", what, result.best.epoch, result.best.held))
    if result.corrected is not None:
        rows.append(("the best, as it was learned", "test", result.best.epoch, result.corrected.before))
        rows.append(("the best, corrected", "test", result.best.epoch, result.final or result.corrected.before))
    elif result.tested is not None:
        rows.append(("the best, tested once", "test", result.best.epoch, result.tested))
    scores, said_of = [score for *_, score in rows], "test " if what == "test" else ""
    return [
        Column("", [Name(name) for name, *_ in rows], "name"),
        *([] if what == "test" else [Column("images", [Name(each) for _, each, _, _ in rows], "images")]),
        Column("epoch", [Number(epoch) for *_, epoch, _ in rows]),
        Column(f"{said_of}error", [percent(score.error) for score in scores]),
        Column("top-1", [percent(score.top1) for score in scores]),
        Column("top-5", [percent(score.top5) for score in scores]),
        Column(f"{said_of}loss", [Number(score.loss, f"{score.loss:.4f}") for score in scores]),
    ]


def _records(epochs: Sequence[Epoch]) -> Table:
    """The epochs for machines."""
    names = [field.name for field in fields(Epoch) if field.name not in ("test", "validation")]
    columns = [Column(name, [Number(getattr(epoch, name)) for epoch in epochs]) for name in names]
    for kind in ("validation", "test"):
        found = [_figures(getattr(epoch, kind)) for epoch in epochs]
        known = next((each for each in found if each), {})
        columns += [Column(f"{kind}_{name}", [Number(each and each[name]) for each in found]) for name in known]
    return Table(columns)


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
        "note": result.note,
        "methods": dict(result.facts),
        "epochs": [
            {**asdict(epoch), "test": _figures(epoch.test), "validation": _figures(epoch.validation)}
            for epoch in result.epochs
        ],
        "tested": _figures(result.tested),
        "corrected": result.corrected
        and {"added": list(result.corrected.added), "before": _figures(result.corrected.before)},
        "error": result.final.error if result.final else None,
    }


def _figures(score: Score | None) -> dict[str, float] | None:
    if score is None:
        return None
    return {"images": score.images, "loss": score.loss, "top1": score.top1, "top5": score.top5, "error": score.error}


def evaluation(score: Score, spec: str, data: str, confusion: bool = False) -> Report:
    """How a network does on the test images of data; with which class (row) is taken for which, if asked for."""
    sentence = (
        f"{spec} on {score.images:,} test images of {data}: test error {score.error:.2f} %, top-1 {score.top1:.2f} %, "
        f"top-5 {score.top5:.2f} %, loss {score.loss:.4f}"
    )
    found: dict[str, Any] = {"spec": spec, "data": data, **(_figures(score) or {})}
    if not confusion:
        return Report((Section((Notes((sentence,)),)),), data=lambda: found, records=lambda: of_records([found]))
    classes = range(len(score.confusion))
    table = Table(
        [
            Column("class", [Name(str(one)) for one in classes]),
            *(Column(str(other), [Number(row[other]) for row in score.confusion]) for other in classes),
        ]
    )
    sections = (Section((Notes((sentence,)),)), Section((table,)))
    return Report(sections, data=lambda: {**found, "confusion": score.confusion}, records=lambda: table)


def zeros(found: "Zeros", spec: str) -> Report:
    """The pruning table of a network: weights, FLOP, and how many per cent of each are left."""
    rows = found.rows
    weights, macs = sum(row.weights for row in rows), sum(row.macs for row in rows)

    def share(part: Fraction) -> Number:
        return Number(float(part), f"{float(100 * part):.1f} %")

    table = Table(
        [
            Column("layer", [*(Name(row.name) for row in rows), Name("total")]),
            Column("weights", [Number(value) for value in (*(row.weights for row in rows), weights)]),
            Column("FLOP", [Number(2 * value) for value in (*(row.macs for row in rows), macs)]),
            Column("Act%", [*(share(row.activations) for row in rows), share(found.activations_share)]),
            Column("Weights%", [*(share(row.weights_share) for row in rows), share(found.weights_share)]),
            Column("FLOP%", [*(share(row.flops_share) for row in rows), share(found.flops_share)]),
        ],
        with_total(len(rows)),
    )
    sentence = f"{spec}: what is not zero; activations on {found.images:,} training images"
    return Report(
        (Section((Title(sentence),)), Section((table,))),
        data=lambda: {
            "spec": spec,
            "images": found.images,
            "activations_share": float(found.activations_share),
            "weights_share": float(found.weights_share),
            "flops_share": float(found.flops_share),
            "rows": [
                {
                    "layer": row.name,
                    "weights": row.weights,
                    "kept": row.kept,
                    "macs": row.macs,
                    "activations_share": float(row.activations),
                    "flops_share": float(row.flops_share),
                }
                for row in rows
            ],
        },
        records=lambda: table,
    )
