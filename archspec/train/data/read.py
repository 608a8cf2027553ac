"""From what a user calls their data to the data, fitted to what a network takes."""

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional

from archspec.errors import ArchspecError, did_you_mean
from archspec.extras import need
from archspec.train.data import cifar, folder, idx
from archspec.train.data.split import Data, DataSplit, bounded, noted, parted
from archspec.writing import printable, sizes

KINDS = ("digits", "mnist", "cifar10", "image-folder")


def kind_of(data: str) -> tuple[str, str]:
    """The kind of data, and where they lie.

    Raises:
        ArchspecError: There is no such kind, or the place is missing.

    >>> kind_of("mnist:data/mnist"), kind_of("digits")
    (('mnist', 'data/mnist'), ('digits', ''))
    """
    kind, _, place = data.partition(":")
    if kind not in KINDS:
        hint = did_you_mean(kind, KINDS) or "; there are digits, mnist:DIR, cifar10:DIR and image-folder:PATH"
        raise ArchspecError(f"no data are called '{printable(kind, 80)}'{hint}")
    if (kind == "digits") == bool(place):
        raise ArchspecError(
            "digits come with scikit-learn and lie nowhere else: --data digits"
            if place
            else f"--data {kind} needs a place: {kind}:{'PATH' if kind == 'image-folder' else 'DIR'}"
        )
    return kind, place


def load(
    data: str,
    shape: tuple[int, ...],
    classes: int | None,
    *,
    resize: bool = False,
    progress: folder.Progress | None = None,
) -> Data:
    """Read data for a network.

    Args:
        data: "digits", "mnist:DIR", "cifar10:DIR" or "image-folder:PATH".
        shape: Channels, height and width that the network takes.
        classes: The classes that it tells apart; None for as many as there are.
        resize: Whether the images are fitted to it: sides by bilinear interpolation, grey as three equal channels.
            The 8 × 8 of digits are fitted in any case.
        progress: Who is told how many image files are decoded, of how many.

    Raises:
        ArchspecError: The data cannot be read, or do not fit the network; says what was found and what would do.

    >>> load("digits", (1, 8, 8), 10).train.images.shape
    torch.Size([1437, 1, 8, 8])
    """
    kind, place = kind_of(data)
    readers: dict[str, Callable[[], Data]] = {
        "digits": digits,
        "mnist": lambda: idx.read(place),
        "cifar10": lambda: cifar.read(place, shape, resize, progress),
        "image-folder": lambda: folder.read(place, shape, resize, progress=progress),
    }
    found = readers[kind]().checked()
    if classes is not None:
        agreeing(found, classes)
    return fitted(found, shape, resize or kind == "digits")


def digits() -> Data:
    """scikit-learn's handwritten digits: 1,797 images of 8 × 8 in 17 shades, part of that package, no download.

    They are split once and for all: of a permutation with seed 0, every fifth is tested on.

    Raises:
        MissingExtraError: scikit-learn is not installed.
    """
    need("train", "sklearn")
    from sklearn.datasets import load_digits

    found = load_digits()
    images = torch.from_numpy((found.images * 255 / 16).round().astype("uint8"))[:, None]
    labels = torch.from_numpy(found.target.astype("int64"))
    return Data("digits", *parted(DataSplit(images, labels)), 10)


def agreeing(data: Data, classes: int) -> Data:
    """The data.

    Raises:
        ArchspecError: The network does not have one output per class.
    """
    if data.classes != classes:
        raise ArchspecError(
            f"{data.name} has {data.classes} classes, the network {classes} outputs; "
            f"try --set classes={data.classes}, if that is its symbol for them"
        )
    return data


def fitted(data: Data, shape: tuple[int, ...], resize: bool) -> Data:
    """The data in the shape that a network takes.

    Raises:
        ArchspecError: They have another shape and may not be resized, or no rule leads to it.
    """
    if all(split.shape == shape for split in data.splits.values()):
        return data
    found, wanted = sizes(data.train.shape), sizes(shape)
    if len(shape) != 3 or (data.train.shape[0] != shape[0] and shape[0] not in {1, 3}):
        raise ArchspecError(f"{data.name}: images are {found}, the network takes {wanted}; images do not fit it")
    if not resize:
        channels, side = data.train.shape[:2]
        wrong = [f"input_channels={channels}"] if channels != shape[0] else []
        wrong += [f"side={side}"] if data.train.shape[1:] != shape[1:] else []
        raise ArchspecError(
            f"{data.name}: images are {found}, the network takes {wanted}; "
            f"try --set {','.join(wrong)}, if its symbols are called so, or --resize"
        )
    train, test, *more = (
        DataSplit(_fitted(data.name, each.images, shape), each.labels) for each in data.splits.values()
    )
    how = f"{found} fitted to {wanted}: bilinear" + (
        ", grey as three channels" if shape[0] > data.train.shape[0] else ""
    )
    return replace(data, train=train, test=test, note=noted(data.note, how), validation=more[0] if more else None)


def _fitted(name: str, images: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Images scaled to height × width, a thousand at a time, and then their channels made as many as wanted."""
    channels, *sides = shape
    bounded(name, len(images), *shape)
    result = torch.empty((len(images), *shape), dtype=torch.uint8)
    for begin in range(0, len(images), 1000):
        part = images[begin : begin + 1000].float()
        if list(part.shape[2:]) != sides:
            part = functional.interpolate(part, sides, mode="bilinear", antialias=True)
        if part.shape[1] > channels:
            part = part.mean(1, keepdim=True)
        result[begin : begin + 1000] = part.round().clamp_(0, 255)
    return result
