"""The batches of a training: which images, changed how, is a function of the seed and the step alone.

So a training that is resumed needs no state for them, and several processes, each taking its share of a batch, see
together what one process would see.
"""

import hashlib
from collections.abc import Sequence

import torch
from torch import Tensor

from archspec.errors import ArchspecError
from archspec.train.augment import Augment
from archspec.train.data import Data, DataSplit
from archspec.train.methods import Method

MAX_ON_DEVICE = 4 * 2**30
"""Data up to this many bytes are kept on the GPU."""


def seed_of(*parts: object) -> int:
    """A seed made of numbers and words: different parts, unrelated seeds.

    >>> seed_of(0, "order", 1) == seed_of(0, "order", 1) != seed_of(0, "order", 2)
    True
    """
    return int.from_bytes(hashlib.sha256(repr(parts).encode()).digest()[:8]) >> 1


def generator(*parts: object) -> torch.Generator:
    """A generator with that seed."""
    return torch.Generator().manual_seed(seed_of(*parts))


class Standardisation:
    """Bytes to what a network takes: floats, each channel with mean 0 and deviation 1 over the training images."""

    def __init__(
        self, statistics: tuple[tuple[float, ...], tuple[float, ...]], device: torch.device, last: bool
    ) -> None:
        mean, deviation = (torch.tensor(values).view(-1, 1, 1) for values in statistics)
        self.factor = (1 / (255 * deviation)).to(device)
        self.shift = (-mean / deviation).to(device)
        self.device = device
        self.format = torch.channels_last if last else torch.contiguous_format

    def __call__(self, images: Tensor, change: Augment | None = None, chance: Tensor | None = None) -> Tensor:
        """n × c × h × w bytes as floats; `change` is made, by chance, before they are scaled: black is still 0."""
        floats = images.to(self.device, non_blocking=True).float()
        if change and chance is not None:
            floats = change(floats, chance.to(self.device, non_blocking=True))
        return floats.mul_(self.factor).add_(self.shift).contiguous(memory_format=self.format)


def of_an_epoch(order: Tensor, data: Data, methods: Sequence[Method]) -> Tensor:
    """The training images that an epoch shows, by number, out of all in a random order.

    Raises:
        ArchspecError: The methods leave none.
    """
    for method in methods:
        order = method.images(order, data)
    if not len(order):
        raise ArchspecError(f"{data.name}: no training images are left to learn from")
    return order


class Batches:
    """The training batches of one process.

    Args:
        data: The data.
        batch: Images per step, those of all processes together. The images left over at the end of an epoch, fewer than
            a batch, are not seen in it.
        change: What is done to the images.
        seed: The run's seed, and what else the order is to follow from.
        inputs: What makes floats of them.
        share: The number of this process, and of all.
        methods: Who may choose among the images.

    Raises:
        ArchspecError: The batch is larger than the data, or the processes do not divide it.
    """

    def __init__(
        self,
        data: Data,
        batch: int,
        change: Augment,
        seed: object,
        inputs: Standardisation,
        share: tuple[int, int] = (0, 1),
        methods: Sequence[Method] = (),
    ) -> None:
        rank, processes = share
        self.shown = of_an_epoch(torch.arange(len(data.train)), data, methods)
        if batch > len(self.shown):
            raise ArchspecError(
                f"a batch of {batch} is more than the {len(self.shown)} training images; try --batch {len(self.shown)}"
            )
        if batch % processes:
            near = batch - batch % processes or processes
            raise ArchspecError(f"a batch of {batch} cannot be shared by {processes} processes; try --batch {near}")
        self.batch, self.change, self.seed, self.inputs = batch, change, seed, inputs
        self.data, self.methods = data, methods
        self.split = resident(data.train, inputs.device)
        self.steps = len(self.shown) // batch
        own = batch // processes
        self.own = slice(rank * own, (rank + 1) * own)
        self._epoch, self._order = -1, torch.empty(0, dtype=torch.int64)

    @property
    def learned(self) -> DataSplit:
        """The images that an epoch shows; any epoch's, where each shows others."""
        if len(self.shown) == len(self.split):
            return self.split
        return self.split.take(self.shown.to(self.split.images.device))

    def which(self, step: int) -> Tensor:
        """This process's images of a step, counted from 0 over all epochs, by their numbers."""
        epoch, index = divmod(step, self.steps)
        if epoch != self._epoch:
            order = torch.randperm(len(self.split), generator=generator(self.seed, "order", epoch))
            order = of_an_epoch(order, self.data, self.methods)
            self._epoch, self._order = epoch, order.to(self.split.images.device)
        return self._order[index * self.batch : (index + 1) * self.batch][self.own]

    def __call__(self, step: int) -> tuple[Tensor, Tensor]:
        """This process's images and labels of a step."""
        which = self.which(step)
        chance = (
            torch.rand(self.batch, self.change.columns, generator=generator(self.seed, "change", step))[self.own]
            if self.change
            else None
        )
        images, labels = self.split.images[which], self.split.labels[which]
        return self.inputs(images, self.change, chance), labels.to(self.inputs.device, non_blocking=True)


def resident(split: DataSplit, device: torch.device) -> DataSplit:
    """The images on the device, if that is worth it and they are not too many; else where they are."""
    if device.type == "cpu" or split.images.nbytes > MAX_ON_DEVICE:
        return split
    return DataSplit(split.images.to(device), split.labels.to(device))
