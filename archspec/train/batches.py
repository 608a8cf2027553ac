"""The batches of a training: which images, changed how, is a function of the seed and the step alone.

So a training that is resumed needs no state for them, and several processes, each taking its share of a batch, see
together what one process would see.

Images are changed so that what they show stays as it is: shifts, mirrorings, small affine maps. All chance of that
comes from one table of uniform numbers, one row per image, drawn for the whole batch of all processes: each process
changes its share by its rows, so the images do not depend on how many processes there are.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from math import pi

import torch
from torch import Tensor
from torch.nn import functional

from archspec.errors import ArchspecError
from archspec.train.data import Data, DataSplit
from archspec.train.methods import Method
from archspec.writing import printable

MAX_ON_DEVICE = 4 * 2**30
"""Data up to this many bytes are kept on the GPU."""
COLUMNS = 8
"""Uniform numbers per image: mirrored, crop x and y, angle, scale, shear, shift x and y."""
WINDOW = 4
"""And behind them, where windows are cut: area, ratio of the sides, x and y."""
RATIO = 4 / 3
"""The sides of a window have a ratio of 1 / this to this (Szegedy et al. 2015, arXiv:1409.4842)."""


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

    def __call__(self, images: Tensor, change: "Augment | None" = None, chance: Tensor | None = None) -> Tensor:
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
        change: "Augment",
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


def device_of(name: str) -> torch.device:
    """The device of a name: "auto" is a GPU where there is one.

    Raises:
        ArchspecError: There is no such device here.

    >>> device_of("cpu")
    device(type='cpu')
    """
    if name == "auto":
        # a build may know a kind of GPU of which this machine has none
        found = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
        return found or torch.device("cpu")
    try:
        found = torch.device(name)
        torch.empty(0, device=found)
    except (RuntimeError, AssertionError, ValueError):
        found = None
    if found is None or found.type == "meta":
        raise ArchspecError(
            f"there is no device '{printable(name, 40)}' here; auto, cpu, cuda or cuda:1 are such names"
        )
    return found


def resident(split: DataSplit, device: torch.device) -> DataSplit:
    """The images on the device, if that is worth it and they are not too many; else where they are."""
    if device.type == "cpu" or split.images.nbytes > MAX_ON_DEVICE:
        return split
    return DataSplit(split.images.to(device), split.labels.to(device))


# ------------------------------------------------------------------ how images are changed


@dataclass(frozen=True, slots=True)
class Augment:
    """What is done to a batch.

    Attributes:
        crop: Shift by up to this many whole pixels each way; what comes in is black.
        flip: Mirror left and right, every second image.
        rotate: Turn by up to this many degrees each way.
        scale: Enlarge or shrink by a factor of up to 1 + this.
        shear: Slant by up to this many degrees each way.
        translate: Shift by up to this many pixels each way, fractions too.
        area: Take a window of at least this share of the image, and scale it to the whole.
    """

    crop: int = 0
    flip: bool = False
    rotate: float = 0.0
    scale: float = 0.0
    shear: float = 0.0
    translate: float = 0.0
    area: float = 1.0

    def __bool__(self) -> bool:
        return bool(self.crop or self.flip or self.affine or self.area < 1)

    @property
    def columns(self) -> int:
        """How many uniform numbers an image needs."""
        return COLUMNS + (WINDOW if self.area < 1 else 0)

    @property
    def affine(self) -> bool:
        """Whether pixels are interpolated."""
        return bool(self.rotate or self.scale or self.shear or self.translate)

    def __call__(self, images: Tensor, chance: Tensor) -> Tensor:
        """The images, n × c × h × w of floats whose black is 0, changed by n × `columns` uniform numbers.

        >>> corner = torch.zeros(1, 1, 3, 3)
        >>> corner[0, 0, 0, 0] = 1
        >>> Augment(crop=1)(corner, torch.full((1, COLUMNS), 0.99))[0, 0].nonzero().tolist()
        []
        >>> Augment(crop=1)(corner, torch.zeros(1, COLUMNS))[0, 0].nonzero().tolist()
        [[1, 1]]
        """
        if self.area < 1:
            images = _mapped(images, self._windows(chance[:, COLUMNS:]))
        if self.affine:
            images = _mapped(images, self._maps(chance, *images.shape[2:]))
        if self.crop:
            images = _shifted(images, (chance[:, 1:3] * (2 * self.crop + 1)).long(), self.crop)
        if self.flip:
            images = torch.where((chance[:, 0] < 0.5).view(-1, 1, 1, 1), images.flip(3), images)
        return images

    def _windows(self, chance: Tensor) -> Tensor:
        """n maps from the whole to a window inside it."""
        area = self.area + (1 - self.area) * chance[:, 0]
        ratio = RATIO ** (chance[:, 1] * 2 - 1)
        width, height = (area * ratio).sqrt().clamp_max(1), (area / ratio).sqrt().clamp_max(1)
        zero = torch.zeros_like(area)
        x, y = (1 - width) * (chance[:, 2] * 2 - 1), (1 - height) * (chance[:, 3] * 2 - 1)
        return torch.stack([torch.stack([width, zero, x], 1), torch.stack([zero, height, y], 1)], 1)

    def _maps(self, chance: Tensor, height: int, width: int) -> Tensor:
        """n maps from where a pixel goes to where it comes from, 2 × 3, in units of half the image."""
        either = chance * 2 - 1
        angle, slant = either[:, 3] * (self.rotate * pi / 180), either[:, 5] * (self.shear * pi / 180)
        size = (1 + self.scale) ** either[:, 4]
        cos, sin, tan = angle.cos() / size, angle.sin() / size, slant.tan()
        shift = either[:, 6:8] * (2 * self.translate)
        return torch.stack(
            [
                torch.stack([cos, (cos * tan - sin) * (height / width), shift[:, 0] / width], 1),
                torch.stack([sin * (width / height), sin * tan + cos, shift[:, 1] / height], 1),
            ],
            1,
        )


def _mapped(images: Tensor, maps: Tensor) -> Tensor:
    grid = functional.affine_grid(maps, list(images.shape), align_corners=False)
    return functional.grid_sample(images, grid, padding_mode="zeros", align_corners=False)


def _shifted(images: Tensor, corners: Tensor, margin: int) -> Tensor:
    """Each image's window of its own, h × w, out of itself with a black margin."""
    count, _, height, width = images.shape
    windows = functional.pad(images, (margin,) * 4).unfold(2, height, 1).unfold(3, width, 1)  # a view, by its corners
    return windows[torch.arange(count, device=images.device), :, corners[:, 1], corners[:, 0]]
