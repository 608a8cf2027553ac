"""An ensemble: several trainings that differ in their seeds, the mean of what they say, and one distilled from them.

Hinton, Vinyals and Dean 2015, arXiv:1503.02531, section 4.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Any

import torch
from torch import Tensor

from archspec.architecture import Architecture
from archspec.errors import ArchspecError
from archspec.result import Reported, short
from archspec.train import data
from archspec.train.batches import device_of
from archspec.train.recipe import Recipe
from archspec.train.result import Options, Result, Score, Watcher
from archspec.train.run import fit, went_on
from archspec.train.score import input_and_classes, tally, total, trained


@dataclass(frozen=True, slots=True)
class Ensemble(Reported):
    """An ensemble, tested.

    Attributes:
        spec: The name of the specification.
        data: What the data are called.
        out: The folder of the runs.
        members: What each member does on the test images.
        mean: What the mean of their probabilities does.
        distilled: What the network distilled from them does, which is of the same size as each.
        signal: The number of the signal that interrupted it; None if it ran to its end.
    """

    spec: str
    data: str
    out: Path
    members: tuple[Score, ...]
    mean: Score | None
    distilled: Score | None = None
    signal: int | None = None

    @property
    def baseline(self) -> float:
        """The mean error of the members, in percent."""
        return fmean(member.error for member in self.members)

    @property
    def kept(self) -> float | None:
        """The share of the ensemble's gain over the mean member that the distilled network has; None without a gain."""
        if self.mean is None or self.distilled is None or self.baseline <= self.mean.error:
            return None
        return (self.baseline - self.distilled.error) / (self.baseline - self.mean.error)

    def __repr__(self) -> str:
        return short(self, self.spec, self.data, f"{len(self.members)} members")


def probabilities(logits: Sequence[Tensor]) -> Tensor:
    """The mean of the members' probabilities, which is not the softmax of their mean logits.

    >>> probabilities([torch.tensor([[0.0, 0.0]]), torch.tensor([[9.0, -90.0]])]).tolist()
    [[0.75, 0.25]]
    """
    return torch.stack([each.double().softmax(1) for each in logits]).mean(0)


def ensemble(  # noqa: PLR0913  # each is something to choose
    arch: Architecture,
    source: str,
    recipe: Recipe,
    count: int,
    *,
    out: str | os.PathLike[str],
    bindings: Mapping[str, Any] | None = None,
    distil: Mapping[str, Any] | None = None,
    options: Options | None = None,
    watcher: Watcher | None = None,
) -> Ensemble:
    """Train a network several times, with seeds that follow one another, and distil one like it from all of them.

    All of them choose by the same validation images, if the recipe has any. What is there already of an earlier call is
    gone on with.

    Args:
        arch: The network.
        source: What the data are called.
        recipe: How each is trained; its seed is that of the first.
        count: How many there are.
        out: The folder for their runs: 0, 1, …, distilled.
        bindings: Values for the network's symbols.
        distil: Keys of `archspec.train.methods.distil.Distil` without the teachers.
        options: How they are trained.
        watcher: Who is told how it goes.

    Raises:
        ArchspecError: There are fewer than two, or `out` holds other runs.

    >>> import archspec, tempfile
    >>> lenet = archspec.load("lenet_300_100")
    >>> told = ensemble(
    ...     lenet, "digits", Recipe(epochs=1), 2, out=tempfile.mkdtemp(), bindings={"side": 8}
    ... )
    >>> len(told.members), told.mean.images, told.distilled.images
    (2, 360, 360)
    """
    if count < 2:
        raise ArchspecError(f"an ensemble has two members or more (got {count})")
    options, place = options or Options(), Path(out)
    if recipe.validation and recipe.validation_seed is None:
        recipe = recipe.changed({"validation_seed": recipe.seed})

    def train(own: Recipe, folder: Path) -> Result:
        asked = replace(options, resume=went_on(folder))
        return fit(arch, source, own, out=folder, bindings=bindings, options=asked, watcher=watcher)

    results: list[Result] = []
    for number in range(count):
        results.append(train(recipe.changed({"seed": recipe.seed + number}), place / str(number)))
        if results[-1].signal is not None:
            return Ensemble(arch.name, results[-1].data, place, (), None, signal=results[-1].signal)
    teachers = {**(distil or {}), "teachers": [str(each.out) for each in results]}
    last = train(recipe.changed({"seed": recipe.seed + count, "distil": teachers}), place / "distilled")
    members = tuple(_final(each) for each in results)
    mean = _mean([str(each.out) for each in results], source, options)
    distilled = None if last.signal is not None else _final(last)
    return Ensemble(arch.name, results[0].data, place, members, mean, distilled, last.signal)


def _final(result: Result) -> Score:
    """The score to quote of a training that is over."""
    if result.final is None:
        raise ArchspecError(f"{result.out}: the training is not over")
    return result.final


def _mean(places: Sequence[str], source: str, options: Options) -> Score:
    """What the mean of the probabilities of some runs does on the test images."""
    members = [trained(place, device_of(options.device)) for place in places]
    test = data.load(source, *input_and_classes(members[0].network), resize=options.resize).test
    told = probabilities([member.guesses(test) for member in members])
    return total(tally(told.log(), test.labels), len(test))
