"""A data set in memory: images as bytes, labels as numbers."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from math import prod

import torch
from torch import Tensor

from archspec.errors import ArchspecError

MAX_BYTES = 8 * 2**30
"""The most that the images of one set may take in memory."""


@dataclass(frozen=True, slots=True)
class Split:
    """Images, n × c × h × w bytes, and their classes, n int64."""

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def shape(self) -> tuple[int, ...]:
        """Channels, height and width."""
        return tuple(self.images.shape[1:])


@dataclass(frozen=True)
class Data:
    """A data set: what is learned from, and what is tested on.

    Attributes:
        name: What it is called in the run's records, such as "mnist".
        train: What is learned from.
        test: What is tested on; never seen while learning.
        classes: How many classes there are.
        note: What was done to the images, in words; empty if nothing.
    """

    name: str
    train: Split
    test: Split
    classes: int
    note: str = ""

    @cached_property
    def digest(self) -> str:
        """SHA-256 of all images and labels."""
        found = hashlib.sha256()
        for split in (self.train, self.test):
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

    def checked(self) -> "Data":
        """Itself.

        Raises:
            ArchspecError: A part is empty, or a label is of no class.
        """
        for part, split in (("training", self.train), ("test", self.test)):
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
