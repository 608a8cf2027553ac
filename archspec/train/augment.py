"""Changes of training images that leave what they show as it is: shifts, mirrorings, small affine maps.

All chance comes from one table of uniform numbers, one row per image, drawn for the whole batch of all processes: each
process changes its share by its rows, so the images do not depend on how many processes there are.
"""

from dataclasses import dataclass
from math import pi

import torch
from torch import Tensor
from torch.nn import functional

COLUMNS = 8
"""Uniform numbers per image: mirrored, crop x and y, angle, scale, shear, shift x and y."""
WINDOW = 4
"""And behind them, where windows are cut: area, ratio of the sides, x and y."""
RATIO = 4 / 3
"""The sides of a window have a ratio of 1 / this to this (Szegedy et al. 2015, arXiv:1409.4842)."""


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
