"""A data set in memory: images as bytes, labels as numbers."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod

import torch
from torch import Tensor

from archspec.errors import ArchspecError, did_you_mean
from archspec.writing import printable

MAX_BYTES = 8 * 2**30
"""The most that the images of one set may take in memory."""

TEST_SHARE = 5
"""One image in this many is tested on, where nobody says which are."""


@dataclass(frozen=True, slots=True)
class DataSplit:
    """Images, n × c × h × w bytes, and their classes, n int64."""

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def shape(self) -> tuple[int, ...]:
        """Channels, height and width."""
        return tuple(self.images.shape[1:])

    def take(self, which: Tensor) -> "DataSplit":
        """Some of them, by their places or by truth values."""
        return DataSplit(self.images[which], self.labels[which])


@dataclass(frozen=True)
class Data:
    """A data set: what is learned from, and what is tested on.

    Attributes:
        name: What it is called in the run's records, such as "mnist".
        train: What is learned from.
        test: What is tested on; never seen while learning.
        classes: How many classes there are.
        note: What was done to the images, in words; empty if nothing.
        names: What the classes are called, in order; empty if nobody said.
        validation: What is chosen by, the best epoch say; None for nothing.
    """

    name: str
    train: DataSplit
    test: DataSplit
    classes: int
    note: str = ""
    names: tuple[str, ...] = ()
    validation: DataSplit | None = None

    @property
    def splits(self) -> dict[str, DataSplit]:
        """Its parts by name."""
        found = {"training": self.train, "test": self.test}
        return found if self.validation is None else {**found, "validation": self.validation}

    @cached_property
    def digest(self) -> str:
        """SHA-256 of all images and labels."""
        found = hashlib.sha256()
        for split in self.splits.values():
            found.update(repr(tuple(split.images.shape)).encode())
            found.update(split.images.contiguous().numpy().data)
            found.update(split.labels.contiguous().numpy().data)
        return found.hexdigest()

    @cached_property
    def statistics(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Mean and standard deviation of each channel over the training images, black being 0 and white 1.

        From exact sums over a histogram of the bytes. A channel of one value has the deviation 1.
        """
        means, deviations = [], []
        for channel in range(self.train.shape[0]):
            counts = torch.bincount(self.train.images[:, channel].flatten(), minlength=256).tolist()
            total = sum(counts)
            first = sum(value * count for value, count in enumerate(counts))
            second = sum(value * value * count for value, count in enumerate(counts))
            variance = (total * second - first * first) / total**2
            means.append(first / total / 255)
            deviations.append(variance**0.5 / 255 or 1.0)
        return tuple(means), tuple(deviations)

    def named(self, text: str, what: str) -> int:
        """The number of a class, given by name or by number; `what` is who asks.

        Raises:
            ArchspecError: There is no such class.

        >>> few = DataSplit(torch.zeros(2, 1, 1, 1), torch.arange(2))
        >>> data = Data("pets", few, few, 2, names=("cat", "dog"))
        >>> data.named("dog", "it"), data.named("0", "it")
        (1, 0)
        """
        return numbered(text, self.names, self.classes, f"{what}: {self.name}")

    def called(self, label: int) -> str:
        """The name of a class; its number, if nobody named it."""
        return self.names[label] if self.names else str(label)

    def checked(self) -> "Data":
        """Itself.

        Raises:
            ArchspecError: A part is empty, or a label is of no class.
        """
        for part, split in self.splits.items():
            if len(split) == 0:
                raise ArchspecError(f"{self.name}: there are no {part} images")
            if len(split.images) != len(split.labels):
                raise ArchspecError(f"{self.name}: {len(split.images)} {part} images have {len(split.labels)} labels")
            if not 0 <= int(split.labels.min()) <= int(split.labels.max()) < self.classes:
                raise ArchspecError(
                    f"{self.name}: the {part} labels are from {int(split.labels.min())} to {int(split.labels.max())}; "
                    f"the classes are from 0 to {self.classes - 1}"
                )
        return self


def numbered(text: str, names: Sequence[str], classes: int, where: str) -> int:
    """The number of a class, given by name or by number, of so many.

    Raises:
        ArchspecError: There is no such class.
    """
    if text in names:
        return names.index(text)
    if text.isascii() and text.isdecimal() and len(text) < 10 and int(text) < classes:
        return int(text)
    known = f"{', '.join(names[:20])}, or 0" if names else "0"
    hint = did_you_mean(text, names) or f"; there are {known} to {classes - 1}"
    raise ArchspecError(f"{where} has no class '{printable(text, 40)}'{hint}")


def parted(everything: DataSplit) -> tuple[DataSplit, DataSplit]:
    """What is learned from, and what is tested on: of a permutation with seed 0, every fifth image."""
    order = torch.randperm(len(everything), generator=torch.Generator().manual_seed(0))
    tested = torch.arange(len(order)) % TEST_SHARE == 0
    return everything.take(order[~tested]), everything.take(order[tested])


def held_out(data: Data, count: int, seed: int) -> Data:
    """The data with so many training images kept from learning: as many of each class as its share, chosen by a seed.

    Raises:
        ArchspecError: There are validation images already, or too few training images.

    >>> images = DataSplit(torch.zeros(20, 1, 2, 2), torch.arange(20) % 2)
    >>> parted = held_out(Data("odd and even", images, images, 2), 6, seed=0)
    >>> len(parted.train), parted.validation.labels.bincount().tolist()
    (14, [3, 3])
    """
    if not count:
        return data
    if data.validation is not None:
        raise ArchspecError(f"{data.name}: there are validation images of their own; leave validation: {count} out")
    labels = data.train.labels
    if not 0 < count < len(labels):
        raise ArchspecError(f"{data.name}: {count} of {len(labels)} training images cannot be kept for validation")
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))
    # every image's rank within its class, as a share of the class: the lowest shares are taken, class by class alike
    share = torch.empty(len(labels), dtype=torch.float64)
    for label in range(data.classes):
        own = order[labels[order] == label]
        share[own] = (torch.arange(len(own), dtype=torch.float64) + 0.5) / max(len(own), 1)
    kept = torch.zeros(len(labels), dtype=torch.bool)
    kept[torch.argsort(share, stable=True)[:count]] = True
    train, validation = data.train.take(~kept), data.train.take(kept)
    note = f"{count:,} training images kept for validation"
    return replace(data, train=train, validation=validation, note=noted(data.note, note))


def noted(*notes: str) -> str:
    """What was done to images, one thing after another, in words; nothing of what is empty."""
    return "; ".join(filter(None, notes))


def refuse_other_classes(before: Sequence[str], now: Sequence[str], what: str) -> None:
    """Nothing, if what was learned has the same classes, or nobody said what they are called.

    Raises:
        ArchspecError: They differ; names the first that does.
    """
    if before and now and (found := next(((b, n) for b, n in zip(before, now, strict=False) if b != n), None)):
        raise ArchspecError(f"{what} has other classes: one that was '{found[0]}' there is '{found[1]}' here")


def bounded(name: str, *sizes: int) -> int:
    """The bytes that images of these sizes take.

    Raises:
        ArchspecError: They take more than `MAX_BYTES`.
    """
    total = prod(sizes)
    if total > MAX_BYTES:
        raise ArchspecError(
            f"{name}: the images would take {total:,} bytes; a data set is held in memory and takes at most "
            f"{MAX_BYTES:,}: choose a smaller side, or fewer images"
        )
    return total
