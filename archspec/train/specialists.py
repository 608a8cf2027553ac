"""A generalist and its specialists (Hinton, Vinyals and Dean 2015, arXiv:1503.02531, section 5).

The classes that a generalist confuses are found from its own predictions: the columns of their covariance matrix are
clustered. Each cluster gets a specialist (`archspec.train.methods.specialise`). A test image is looked at by the
generalist first, and by those specialists that know one of its likeliest classes; what they say together is the
distribution q with the least KL(p_g, q) + Σ KL(p_m, q).
"""

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from archspec import runs
from archspec.errors import ArchspecError
from archspec.extras import need
from archspec.result import Reported, short
from archspec.train import data, record
from archspec.train.batches import device_of
from archspec.train.recipe import Recipe
from archspec.train.result import Options, Result, Watcher
from archspec.train.run import fit, learned, went_on
from archspec.train.score import input_and_classes, trained

TRIES = 100
"""So many beginnings of a clustering are tried: half from k-means++, half from random clusters of equal size."""
ROUNDS = 2000
PRECISION = 1e-9
"""The combination is found when no probability moves by more in a round, or after so many rounds."""


# ------------------------------------------------------------------ which classes belong together


def covariance(probabilities: Tensor) -> Tensor:
    """The covariance matrix of predicted probabilities, n images × N classes, over the images: N × N.

    Classes that are confused are taken for likely together: their columns are alike.
    """
    centred = probabilities.double() - probabilities.double().mean(0)
    return centred.T @ centred / max(1, len(centred) - 1)


def clusters(
    probabilities: Tensor, count: int, *, clustering: str = "k-means", seed: int = 0
) -> tuple[tuple[int, ...], ...]:
    """So many clusters of classes that are confused, by k-means on the columns of the covariance of predictions.

    A cluster of one class has nothing to tell apart, and is none here: its class is left to the generalist. So k is the
    smallest number, from `count` on, with which so many clusters have two classes or more; of several beginnings the
    one with the least sum of squares is taken.

    Args:
        probabilities: What the generalist predicts for images that it has not learned from, n × N.
        count: How many clusters.
        clustering: "k-means" (Lloyd's, from k-means++), or "online": MacQueen's, which moves the nearest centre with
            each column by one over the number of those it has had, as in the paper.
        seed: Of the beginnings.

    Raises:
        ArchspecError: There are too few classes, a probability is not a number, or the columns do not fall into so many
            clusters of two classes or more.

    >>> told = torch.tensor([[.5, .5, 0, 0], [.6, .4, 0, 0], [0, 0, .5, .5], [0, 0, .3, .7]])
    >>> clusters(told, 2)
    ((0, 1), (2, 3))
    """
    classes = probabilities.shape[1]
    if not bool(probabilities.isfinite().all()):
        raise ArchspecError("specialists: a prediction of the generalist is not a number")
    if not 2 <= count <= classes // 2:
        raise ArchspecError(f"specialists: {count} clusters of {classes} classes; try 2 to {classes // 2}")
    columns = covariance(probabilities).T.numpy()
    for k in range(count, classes):
        told = (_clustered(columns, k, clustering, seed * TRIES + number) for number in range(TRIES))
        fitting = [each for each in told if sum(each[0].count(label) > 1 for label in {*each[0]}) == count]
        if fitting:
            labels, _ = min(fitting, key=lambda each: round(each[1], 12))
            groups = [tuple(i for i, label in enumerate(labels) if label == own) for own in {*labels}]
            return tuple(sorted(group for group in groups if len(group) > 1))
    raise ArchspecError(
        f"specialists: the {classes} classes do not fall into {count} clusters of two or more; "
        f"{'try a smaller --count' if count > 2 else 'the generalist confuses too little'}"
    )


def _clustered(columns: Any, count: int, clustering: str, seed: int) -> tuple[list[int], float]:
    """The cluster of each column, and the sum of the squares of what they are off their centres."""
    need("train", "sklearn")
    import numpy as np
    from sklearn.cluster import KMeans, kmeans_plusplus

    order = np.random.default_rng(seed)
    if seed % 2:
        begun = order.permutation(len(columns)) % count
        centres = np.stack([columns[begun == cluster].mean(0) for cluster in range(count)])
    else:
        centres = kmeans_plusplus(columns, count, random_state=seed % 2**32)[0]
    if clustering == "k-means":
        found = KMeans(count, init=centres, n_init=1).fit(columns)
        return found.labels_.tolist(), float(found.inertia_)
    taken = np.ones(count)

    def nearest(column: Any) -> int:
        return int(((centres - column) ** 2).sum(1).argmin())

    for _ in range(100):  # passes over the columns
        before = centres.copy()
        for index in order.permutation(len(columns)):
            own = nearest(columns[index])
            taken[own] += 1
            centres[own] += (columns[index] - centres[own]) / taken[own]
        if np.abs(centres - before).max() <= 1e-6 * np.abs(columns).max():
            break
    labels = [nearest(column) for column in columns]
    groups = [columns[[i for i, label in enumerate(labels) if label == own]] for own in set(labels)]
    return labels, float(sum(((group - group.mean(0)) ** 2).sum() for group in groups))


# ------------------------------------------------------------------ what they say together


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a specialist says of some images.

    Attributes:
        classes: The classes that it knows.
        probabilities: n × (classes + 1), the last one that of all others together.
        active: Of which images it is asked, n.
    """

    classes: tuple[int, ...]
    probabilities: Tensor
    active: Tensor


def log_odds(labels: Tensor, classes: Sequence[int]) -> float:
    """What is to be added to the logit of the others: log[(others/special) in truth ÷ the same in training].

    In training half the images are special, so that the divisor is 1.

    >>> round(log_odds(torch.arange(10), [2, 3, 5]), 2)
    0.85
    """
    special = int(torch.isin(labels, torch.tensor(classes)).sum())
    return math.log((len(labels) - special) / special)


def combined(generalist: Tensor, opinions: Sequence[Opinion]) -> Tensor:
    """The q of each image with the least KL(p_g, q) + Σ KL(p_m, q) over the specialists m that are active, n × N.

    The derivative by the logits of q, with A active specialists, is (1 + A)·q − p_g − Σ r_m, where r_m is p_m on the
    classes that m knows, and its part for the others, shared out in proportion to q. Each round takes
    q − derivative/(1 + A): the sum falls in every round (it is the EM algorithm of a mixture), and q stays a
    distribution. Where one specialist is active the first round ends at the closed form,
    `archspec.formula.distillation.Specialists.one_specialist`.

    Raises:
        ArchspecError: A probability is not a number.

    >>> told = torch.tensor([[0.5, 0.3, 0.2]])
    >>> one = Opinion((0, 1), torch.tensor([[0.2, 0.7, 0.1]]), torch.tensor([True]))
    >>> [round(q, 2) for q in combined(told, [one])[0].tolist()]
    [0.35, 0.5, 0.15]
    """
    first = generalist.double()
    if not all(bool(told.isfinite().all()) for told in (first, *(each.probabilities for each in opinions))):
        raise ArchspecError("specialists: a prediction is not a number")
    q = first.clone()
    voices = 1 + torch.stack([torch.zeros(len(q)), *(each.active for each in opinions)]).sum(0).double()[:, None]
    for _ in range(ROUNDS):
        moved = first.clone()
        for each in opinions:
            moved += torch.where(each.active[:, None], _shared_out(each, q), 0.0)
        moved /= voices
        change = float((moved - q).abs().max()) if len(q) else 0.0
        q = moved
        if change <= PRECISION:
            break
    return q


def _shared_out(opinion: Opinion, q: Tensor) -> Tensor:
    """What a specialist says of all classes: its part for the others goes to them in proportion to q."""
    told = opinion.probabilities.double()
    known = list(opinion.classes)
    rest = torch.ones(q.shape[1], dtype=torch.bool)
    rest[known] = False
    others = q * rest
    whole = others.sum(1, keepdim=True)
    # where q has nothing left for them, they have equal parts
    shares = torch.where(whole > 0, others / whole.clamp_min(1e-300), rest.double() / rest.sum())
    found = told[:, -1:] * shares
    found[:, known] = told[:, :-1]
    return found


# ------------------------------------------------------------------ all of it


@dataclass(frozen=True, slots=True)
class Specialist:
    """One specialist, and what it changes on the test images of its classes.

    Attributes:
        classes: The names of its classes.
        out: The folder of its run.
        images: Test images of its classes.
        alone: How many the generalist takes for what they are.
        together: How many of them generalist and specialists do.
        conditional_alone: How many the generalist does, if only these classes are possible.
        conditional_together: How many they do together, likewise.
    """

    classes: tuple[str, ...]
    out: Path
    images: int
    alone: int
    together: int
    conditional_alone: int
    conditional_together: int


@dataclass(frozen=True, slots=True)
class Specialists(Reported):
    """A generalist with its specialists, tested.

    Attributes:
        spec: The name of the specification.
        data: What the data are called.
        generalist: The folder of its run.
        images: The test images.
        alone: How many the generalist takes for what they are.
        together: How many they do together.
        specialists: One after another.
        signal: The number of the signal that interrupted it; None if it ran to its end.
    """

    spec: str
    data: str
    generalist: str
    images: int
    alone: int
    together: int
    specialists: tuple[Specialist, ...]
    signal: int | None = None

    def conditional(self, *, together: bool) -> float:
        """The percentage of right ones among the images of all specialists' classes, if only those are possible."""
        right = sum(each.conditional_together if together else each.conditional_alone for each in self.specialists)
        return 100 * right / sum(each.images for each in self.specialists)

    def __repr__(self) -> str:
        return short(self, self.spec, self.data, f"{len(self.specialists)} specialists")


def specialise(  # noqa: PLR0913  # each is something to choose
    run: str | os.PathLike[str],
    count: int,
    recipe: Recipe,
    *,
    out: str | os.PathLike[str],
    clustering: str = "k-means",
    soften: float = 1.0,
    likeliest: int = 1,
    source: str | data.Data | None = None,
    options: Options | None = None,
    watcher: Watcher | None = None,
) -> Specialists:
    """Find what a generalist confuses, train a specialist for each cluster of classes, and test them all together.

    A specialist is the generalist's network with other classes, `classes` of its symbols: those of its cluster and the
    others as one. It begins with the generalist's weights. What is there already of an earlier call is gone on with.

    Args:
        run: The generalist's run; it has validation images, which it has not learned from.
        count: How many specialists.
        recipe: How each of them is trained. Its validation images are the generalist's.
        out: The folder for the specialists' runs: 1, 2, …
        clustering: See `clusters`.
        soften: The temperature of the predictions whose covariance is taken; 1 in the paper. The better a generalist,
            the nearer its covariance is to a diagonal, in which no class is like another: then 4, say, shows more.
        likeliest: A specialist is asked where it knows one of so many of the generalist's likeliest classes.
        source: The data, or what they are called; those of the generalist's run, if it is not given.
        options: How they are trained.
        watcher: Who is told how it goes.

    Raises:
        ArchspecError: The run does not do for a generalist, its classes cannot be clustered, or `out` holds other runs.
    """
    options = options or Options()
    if not (math.isfinite(soften) and soften > 0):
        raise ArchspecError(f"specialists: a temperature is above 0 (got {soften:g})")
    first = _Generalist(run, source, options)
    told = (first.trained.guesses(first.validation).double() / soften).softmax(1)
    found = clusters(told, count, clustering=clustering, seed=recipe.seed)
    folders = [Path(out) / str(number) for number, _ in enumerate(found, 1)]
    for classes, folder in zip(found, folders, strict=True):
        result = first.train(classes, recipe, folder, options, watcher)
        if result.signal is not None:
            return Specialists(first.arch.name, first.data.name, str(run), 0, 0, 0, (), result.signal)
    return _tested(first, found, folders, likeliest)


class _Generalist:
    """A run that specialists begin with."""

    def __init__(self, place: str | os.PathLike[str], source: str | data.Data | None, options: Options) -> None:
        self.run = runs.load(place)
        self.record = record.read(self.run.folder)
        self.recipe = self.record.recipe
        if not self.record.data.get("validation", 0):
            raise ArchspecError(
                f"{place}: this run kept no validation images, and on those that it has learned from it confuses "
                "nothing; train it with --validation N"
            )
        self.trained = trained(str(self.run.folder), device_of(options.device))
        source = self.record.source if source is None else source
        if source is None:
            raise ArchspecError(f"{place}: the run's data were handed over in Python; name them with --data")
        self.arch, self.source = self.run.architecture(), source
        self.resize = self.record.resize
        shape, classes = input_and_classes(self.trained.network)
        if "classes" not in self.arch.symbols or str(self.run.bindings.get("classes")) != str(classes):
            raise ArchspecError(
                f"{place}: {self.arch.name} has no symbol classes for its {classes} classes; "
                "specialists are the same network with other classes"
            )
        loaded = source if isinstance(source, data.Data) else data.load(source, shape, classes, resize=self.resize)
        self.data = learned(data.fitted(data.agreeing(loaded, classes), shape, self.resize), self.recipe)

    @property
    def validation(self) -> data.DataSplit:
        """The images that it has not learned from."""
        if self.data.validation is None:
            raise ArchspecError(f"{self.data.name}: there are no validation images")
        return self.data.validation

    def train(
        self, classes: Sequence[int], chosen: Recipe, out: Path, options: Options, watcher: Watcher | None
    ) -> Result:
        """Train a specialist, or go on with it; of one whose training is over, what it came to."""
        own = chosen.changed(
            {
                "specialise": {"classes": [self.data.called(label) for label in classes]},
                "start": str(self.run.folder),
                "validation": self.recipe.validation,
                "validation_seed": self.recipe.held_by,
            }
        )
        options = replace(options, resume=went_on(out), resize=self.resize)
        bound = {**self.run.bindings, "classes": len(classes) + 1}
        return fit(self.arch, self.source, own, out=out, bindings=bound, options=options, watcher=watcher)


def _tested(
    first: _Generalist, found: Sequence[tuple[int, ...]], folders: Sequence[Path], likeliest: int
) -> Specialists:
    """What the generalist does on the test images, alone and with its specialists."""
    device = next(first.trained.model.parameters()).device
    labels = first.data.test.labels.cpu()
    told = first.trained.guesses(first.data.test).double().softmax(1)
    likely = told.topk(min(likeliest, told.shape[1]), 1).indices
    opinions = []
    for classes, folder in zip(found, folders, strict=True):
        logits = trained(str(folder), device).guesses(first.data.test).double()
        logits[:, -1] += log_odds(first.data.train.labels.cpu(), classes)
        active = torch.isin(likely, torch.tensor(classes)).any(1)
        opinions.append(Opinion(classes, logits.softmax(1), active))
    q = combined(told, opinions)
    each = [
        _compared(first, opinion.classes, folder, labels, told, q)
        for opinion, folder in zip(opinions, folders, strict=True)
    ]
    alone, together = (int((p.argmax(1) == labels).sum()) for p in (told, q))
    return Specialists(
        first.arch.name, first.data.name, str(first.run.folder), len(labels), alone, together, tuple(each)
    )


def _compared(
    first: _Generalist, classes: tuple[int, ...], folder: Path, labels: Tensor, told: Tensor, q: Tensor
) -> Specialist:
    """What a specialist changes on the images of its classes."""
    own = torch.isin(labels, torch.tensor(classes))
    some = torch.tensor(classes)

    def right(p: Tensor) -> tuple[int, int]:
        plain, limited = p[own].argmax(1), some[p[own][:, classes].argmax(1)]
        return int((plain == labels[own]).sum()), int((limited == labels[own]).sum())

    (alone, conditional_alone), (together, conditional_together) = right(told), right(q)
    names = tuple(map(first.data.called, classes))
    return Specialist(names, folder, int(own.sum()), alone, together, conditional_alone, conditional_together)
