"""How a training is run, and what it tells: while it runs, at its end, and when it cannot go on."""

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

from archspec.errors import ArchspecError
from archspec.result import Reported, short


@dataclass(frozen=True, slots=True)
class Options:
    """How a training is run, as opposed to what is trained: nothing here changes the weights beyond rounding.

    Attributes:
        resume: Continue the run in the folder.
        resize: Fit the images to the network's input; see `archspec.train.data.load`.
        device: "auto" for a GPU where there is one, "cpu", or a device such as "cuda:1".
        compile: Let torch.compile translate the model.
        channels_last: Keep images with their channels innermost.
        save_steps: Save after every so many steps; 0 for at the ends of epochs and after `save_seconds` only.
        save_seconds: Save when this much time has passed since the last time.
        tensorboard: Write for TensorBoard too.
    """

    resume: bool = False
    resize: bool = False
    device: str = "auto"
    compile: bool = False
    channels_last: bool = False
    save_steps: int = 0
    save_seconds: float = 300.0
    tensorboard: bool = False


class TrainingStoppedError(ArchspecError):
    """A training that cannot go on: the loss is no number, or the disk is full. What was saved before is intact."""


@dataclass(frozen=True, slots=True)
class Score:
    """How a network does on images that it has not learned from.

    Attributes:
        images: How many there are.
        loss: The mean cross-entropy.
        right: How many are of the class that the network takes for the likeliest.
        right5: How many are of one of the five likeliest, or of all, where there are fewer.
        confusion: How many images of each class (row) are taken for each class (column); empty where it was
            not asked for.
    """

    images: int
    loss: float
    right: int
    right5: int
    confusion: tuple[tuple[int, ...], ...] = field(default=(), repr=False, compare=False)

    @property
    def top1(self) -> float:
        """The percentage of `right`."""
        return 100 * self.right / self.images

    @property
    def top5(self) -> float:
        """The percentage of `right5`."""
        return 100 * self.right5 / self.images

    @property
    def error(self) -> float:
        """The percentage of images that are not of the likeliest class.

        >>> Score(images=10_000, loss=0.05, right=9_920, right5=10_000).error
        0.8
        """
        return 100 * (self.images - self.right) / self.images


@dataclass(frozen=True, slots=True)
class Epoch:
    """One pass over the training images.

    Attributes:
        epoch: Counted from 1.
        step: The steps done at its end.
        lr: The learning rate of its last step.
        loss: The mean of its steps' losses.
        test: What the network does with the test images at its end, with averaged weights, if there are any; None
            where there are validation images to choose by.
        seconds: What it took, without the test; of a resumed epoch what its two parts took.
        images_per_second: Training images in a second.
        validation: What it does with the validation images; None if there are none.
        learned: The percentage of training images, as they were changed, that it took for what they are as it learned.
        counts: Whether it may be chosen: its weights are what the recipe asks for. One of a stage before the last may
            not, nor one before a method is done, while weights are still pruned, say.
    """

    epoch: int
    step: int
    lr: float
    loss: float
    test: Score | None
    seconds: float
    images_per_second: float
    validation: Score | None = None
    learned: float = math.nan
    counts: bool = True

    @property
    def held(self) -> Score:
        """What it does with the images that it is judged by: those for validation, else those for the test."""
        found = self.validation or self.test
        if found is None:
            raise AssertionError("an epoch is judged")
        return found

    @property
    def judged_by(self) -> str:
        """What the images are called that it is judged by: "test" or "validation"."""
        return "test" if self.validation is None else "validation"


def row(epoch: Epoch) -> dict[str, Any]:
    """An epoch as a row of a table; the figures of validation images are never called those of a test."""
    keys = ("epoch", "step", "lr", "loss", "learned", "seconds", "images_per_second")
    score, of = epoch.held, "" if epoch.validation is None else "validation_"
    figures = {f"{of}{key}": getattr(score, key) for key in ("top1", "top5", "error")}
    return {**{key: getattr(epoch, key) for key in keys}, f"{epoch.judged_by}_loss": score.loss, **figures}


def table(epochs: Sequence[Epoch]) -> str:
    """All epochs as CSV."""
    stream = StringIO()
    writer = csv.DictWriter(stream, list(row(epochs[0])), lineterminator="\n")
    writer.writeheader()
    writer.writerows(map(row, epochs))
    return stream.getvalue()


@dataclass(frozen=True, slots=True)
class Correction:
    """What the weights that were chosen are corrected by, at the end of a training.

    Attributes:
        added: What is added to each class's logit, found on the validation images.
        before: What the weights do with the test images without it.
    """

    added: tuple[float, ...]
    before: Score


@dataclass(frozen=True, slots=True)
class Result(Reported):
    """A training.

    Attributes:
        spec: The name of the specification.
        data: What the data are called, and what was done to them.
        params: Learned numbers of the network.
        out: The folder of the run.
        epochs: All epochs, those before a resumption too.
        planned: How many epochs the recipe asks for.
        resumed: After how many steps it was resumed; None if it was not.
        moved: What has changed since the run began that may change the last bits of its weights; empty if nothing.
        signal: The number of the signal that interrupted it; None if it ran to its end.
        note: What it began with, where that was not fresh weights; empty otherwise.
        facts: What the methods of the last stage say of themselves at its end, by their keys.
        tested: What the best weights do with the test images, where the best were chosen by validation; None before
            the end.
        corrected: By what those weights were corrected first; None if by nothing.
    """

    spec: str
    data: str
    params: int
    out: Path
    epochs: tuple[Epoch, ...]
    planned: int
    resumed: int | None = None
    moved: str = ""
    signal: int | None = None
    note: str = ""
    tested: Score | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    corrected: Correction | None = None

    @property
    def last(self) -> Epoch:
        """The last epoch."""
        return self.epochs[-1]

    @property
    def best(self) -> Epoch:
        """The first epoch with the fewest errors on the images it is judged by: no fair estimate on them.

        Of those that count; of all, as long as none does.
        """
        return max(self.epochs, key=lambda epoch: (epoch.counts, epoch.held.right))

    def stale(self, patience: int) -> bool:
        """Whether so many epochs have passed without a better one; never, if it is 0."""
        return bool(patience and self.epochs) and self.last.counts and self.last.epoch - self.best.epoch >= patience

    @property
    def final(self) -> Score | None:
        """The score to quote: that of the chosen weights, or where nothing is chosen by, of the last epoch."""
        return self.last.test if self.epochs and self.last.validation is None else self.tested

    @property
    def seconds(self) -> float:
        """What the epochs took together, without the tests."""
        return sum(epoch.seconds for epoch in self.epochs)

    def __repr__(self) -> str:
        return short(self, self.spec, self.data, f"{len(self.epochs)} of {self.planned} epochs")


class Watcher:
    """Whoever wants to know how a training goes; each method may be overridden."""

    def loading(self, done: int, images: int) -> None:
        """So many image files are decoded, of all."""

    def began(self, result: Result, steps: int, done: int) -> None:
        """A training begins, of so many steps, of which some are done already."""

    def stepped(self, step: int, loss: float) -> None:
        """Steps were done; the loss is that of the last."""

    def tested(self, epoch: Epoch) -> None:
        """An epoch is over."""

    def ended(self) -> None:
        """The training is over, in whatever way."""
