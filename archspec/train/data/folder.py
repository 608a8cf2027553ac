"""A folder, or a zip file, with a folder of images for each class, read with Pillow.

Either PATH/train/CLASS/image and PATH/test/CLASS/image, with PATH/val/CLASS/image for validation (alone it is tested
on), or PATH/CLASS/image, of which every fifth image of a permutation with seed 0 is tested on.

Images that were decoded once are kept as bytes: sixty thousand JPEG files take half a minute, their bytes a moment. The
cache is a folder of safetensors files, each named by a digest of all that its images follow from: the names and
checksums (or sizes and times) of the files, the shape, the fitting, and the versions of what decodes.
"""

import hashlib
import io
import os
import zipfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from importlib import metadata
from pathlib import Path, PurePosixPath
from typing import IO, Any, TypeAlias

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from archspec.errors import ArchspecError
from archspec.extras import need
from archspec.files import DAMAGED, replacing
from archspec.train.data.split import TEST_SHARE, Data, DataSplit, bounded, noted, parted

ENDINGS = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".ppm", ".pgm", ".pbm", ".pfm")
FORMATS = ("JPEG", "PNG", "BMP", "WEBP", "PPM")
MODES = {1: "L", 3: "RGB"}
GREY = frozenset({"1", "L"})
PARTS = ("train", "val", "test")
MAX_FILE = 64 * 2**20
MAX_PIXELS = 50_000_000
TOLD = 500
"""After so many images it is told how far the reading is."""
DECODED = 1
"""The version of how images become bytes; another one makes what is cached void."""
CACHE_VARIABLE = "ARCHSPEC_CACHE"
"""The environment's variable that names the folder; empty for no cache."""
LEAST_CACHED = 2_000
"""Fewer images are decoded again each time."""


Entries = dict[str, list[tuple[str, int]]]
Progress = Callable[[int, int], None]


class Folder:
    """Files below a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def names(self) -> Iterable[str]:
        """All files, as paths with slashes."""
        return (path.relative_to(self.root).as_posix() for path in self.root.rglob("*") if path.is_file())

    def open(self, name: str) -> IO[bytes]:
        """One of them, to be read."""
        return (self.root / name).open("rb")

    def facts(self, entries: Entries) -> list[object]:
        """Where each file is, its size, and when it was written."""
        found = ((self.root / name).stat() for listed in entries.values() for name, _ in listed)
        return [str(self.root.resolve()), *((each.st_size, each.st_mtime_ns) for each in found)]


class Zip:
    """Files in a zip file, left packed."""

    def __init__(self, path: Path) -> None:
        self.archive = zipfile.ZipFile(path)

    def names(self) -> Iterable[str]:
        """All files, as paths with slashes."""
        return (name for name in self.archive.namelist() if PurePosixPath(name).name and not name.endswith("/"))

    def open(self, name: str) -> IO[bytes]:
        """One of them, to be read."""
        return self.archive.open(name)

    def facts(self, entries: Entries) -> list[object]:
        """The checksum and the size of each file."""
        found = (self.archive.getinfo(name) for listed in entries.values() for name, _ in listed)
        return [(each.CRC, each.file_size) for each in found]


Files: TypeAlias = Folder | Zip
"""Where images lie: their names, their bytes, and what changes when one of them does."""


def read(
    path: str, shape: tuple[int, ...], resize: bool, name: str = "image-folder", progress: Progress | None = None
) -> Data:
    """The data of a folder or zip file.

    Args:
        path: The folder or zip file.
        shape: Channels, height and width that the network takes; the channels say whether images are read as grey or
            in colour.
        resize: Whether images of another size are scaled until they cover height × width, and their middle is cut out.
        name: What the data are called.
        progress: Who is told how many images are decoded, of how many.

    Raises:
        ArchspecError: There are no images, one cannot be read or is of another size, or the classes of the two parts
            differ.
        MissingExtraError: Pillow is not installed.
    """
    need("train", "PIL")
    files = _files(path)
    found = _classes(path, files.names())
    classes = sorted({label for part in found.values() for label in part})
    entries = {
        part: [(file, classes.index(label)) for label, files_ in labels.items() for file in files_]
        for part, labels in found.items()
    }
    counts = {part: len(listed) for part, listed in entries.items()}
    reader = _ImageReader(path, files, shape, resize, sum(counts.values()), progress)
    facts = (shape, resize, DECODED, metadata.version("pillow"), entries, files.facts(entries))
    splits = cached_or_decoded(counts, facts, lambda: {part: reader.split(listed) for part, listed in entries.items()})
    note = f"images fitted to {'×'.join(map(str, shape))} with Pillow (bilinear), the middle kept" if resize else ""
    note += ", colours made grey" if resize and shape[0] == 1 else ""
    if "" in splits:
        train, test = parted(splits[""])
        note = noted(note, f"one image in {TEST_SHARE} is tested on, chosen with seed 0")
        return Data(name, train, test, len(classes), note, tuple(classes))
    if "test" not in splits:
        splits["test"] = splits.pop("val")
        note = noted(note, "tested on the images of val/")
    return Data(name, splits["train"], splits["test"], len(classes), note, tuple(classes), splits.get("val"))


def _files(path: str) -> Files:
    place = Path(path)
    if place.is_dir():
        return Folder(place)
    if not place.exists():
        raise ArchspecError(f"{path}: there is no such folder or zip file")
    try:
        return Zip(place)
    except DAMAGED as error:
        raise ArchspecError(f"{path}: is neither a folder nor a zip file that can be read: {error}") from None


def _classes(path: str, names: Iterable[str]) -> dict[str, dict[str, list[str]]]:
    """The images by part ("train", "test" and "val", or "" for all) and class, in alphabetical order.

    Raises:
        ArchspecError: There are none, or the parts do not have the same classes.
    """
    found: dict[str, dict[str, list[str]]] = {}
    for name in sorted(names):
        *folders, file = PurePosixPath(name).parts
        if not file.lower().endswith(ENDINGS) or not folders or file.startswith("."):
            continue
        part = folders[0] if len(folders) > 1 and folders[0] in PARTS else ""
        found.setdefault(part, {}).setdefault(folders[1] if part else folders[0], []).append(name)
    if not found:
        raise ArchspecError(
            f"{path}: there are no images in folders of classes; images end with {', '.join(ENDINGS)} "
            "and lie in CLASS/, or in train/CLASS/ and test/CLASS/"
        )
    if set(found) != {""} and ("" in found or "train" not in found or len(found) == 1):
        raise ArchspecError(
            f"{path}: has {_listed(part or 'CLASS/' for part in found)}; expected train and test (or val, or both), "
            "or classes alone"
        )
    for classes in found.values():
        if odd := set(classes) ^ set(next(iter(found.values()))):
            raise ArchspecError(
                f"{path}: {_listed(found)} have different classes: {_listed(odd)} is not in all of them"
            )
    return found


def _listed(words: Iterable[str]) -> str:
    return ", ".join(sorted(words)[:10])


class _ImageReader:
    def __init__(
        self, path: str, files: Files, shape: tuple[int, ...], resize: bool, total: int, progress: Progress | None
    ) -> None:
        self.path, self.files, self.shape, self.resize = path, files, shape, resize
        self.done, self.total, self.progress = 0, total, progress
        if shape[0] not in MODES:
            raise ArchspecError(f"{path}: images are read with 1 or 3 channels; the network takes {shape[0]}")

    def split(self, entries: list[tuple[str, int]]) -> DataSplit:
        """The images of files, and their classes."""
        bounded(self.path, len(entries), *self.shape)
        images = torch.empty((len(entries), *self.shape), dtype=torch.uint8)
        for index, (name, _) in enumerate(entries):
            images[index] = self.image(name)
            self.done += 1
            if self.progress is not None and (self.done % TOLD == 0 or self.done == self.total):
                self.progress(self.done, self.total)
        return DataSplit(images, torch.tensor([label for _, label in entries], dtype=torch.int64))

    def image(self, name: str) -> Tensor:
        """One image as bytes, channels × height × width."""
        from PIL import Image, UnidentifiedImageError

        channels, height, width = self.shape
        try:
            with self.files.open(name) as file:
                data = file.read(MAX_FILE + 1)
            if len(data) > MAX_FILE:
                raise ValueError(f"more than {MAX_FILE:,} bytes")
            with Image.open(io.BytesIO(data), formats=FORMATS) as opened:
                if opened.width * opened.height > MAX_PIXELS:
                    raise ValueError(f"{opened.width}×{opened.height} pixels; at most {MAX_PIXELS:,} are read")
                image = self._bytes(opened)
        except UnidentifiedImageError:
            raise ArchspecError(
                f"{self.path}: {name} is not an image of a format that is read: {', '.join(FORMATS)}"
            ) from None
        except Image.DecompressionBombError:
            raise ArchspecError(f"{self.path}: {name} cannot be read: more than {MAX_PIXELS:,} pixels") from None
        except DAMAGED as error:
            raise ArchspecError(f"{self.path}: {name} cannot be read: {error or type(error).__name__}") from None
        if image.size != (width, height):
            image = self._fitted(image, name)
        return (
            torch.frombuffer(bytearray(image.tobytes()), dtype=torch.uint8)
            .view(height, width, channels)
            .permute(2, 0, 1)
        )

    def _bytes(self, image: Any) -> Any:
        """An image with one byte per channel, in the network's channels.

        Raises:
            ValueError: Something would be lost in silence: colours, what lies under transparent pixels, or a scale.
        """
        if image.mode.startswith("I"):  # 16 bits; to convert it would cut it off at 255
            import numpy as np
            from PIL import Image

            deep = np.asarray(image).astype(np.int64)
            image = Image.fromarray(((deep.clip(0, 65535) + 128) // 257).astype(np.uint8))
        elif image.mode == "F":
            raise ValueError("its pixels are fractions, of no known scale; save it with 8 or 16 bits")
        if "transparency" in image.info or image.mode in {"LA", "PA", "RGBA", "La", "RGBa"}:
            image = image.convert("RGBA")
            if image.getextrema()[3][0] < 255:
                raise ValueError("some pixels are transparent; save it on a background")
        if self.shape[0] == 1 and image.mode not in GREY and not self.resize and _coloured(image):
            raise ValueError("it is in colour, and the network takes grey images; --resize makes colours grey")
        return image.convert(MODES[self.shape[0]])

    def _fitted(self, image: Any, name: str) -> Any:
        from PIL import Image, ImageOps

        _, height, width = self.shape
        if not self.resize:
            raise ArchspecError(
                f"{self.path}: {name} is {image.height}×{image.width}, the network takes {height}×{width}; "
                f"--resize fits all images to it; where all have one size, --set side={image.height} may do"
            )
        return ImageOps.fit(image, (width, height), Image.Resampling.BILINEAR)


def _coloured(image: Any) -> bool:
    """Whether a pixel's red, green and blue differ."""
    red, green, blue = image.convert("RGB").split()
    return bool(red.tobytes() != green.tobytes() or green.tobytes() != blue.tobytes())


# ------------------------------------------------------------------ the cache


def cache_folder() -> Path | None:
    """Where images are kept; None where they are not."""
    named = os.environ.get(CACHE_VARIABLE)
    if named is not None:
        return Path(named) if named else None
    base = os.environ.get("XDG_CACHE_HOME") or str(Path("~/.cache").expanduser())
    return Path(base) / "archspec" / "images"


def cached_or_decoded(
    parts: dict[str, int], facts: Iterable[object], decode: Callable[[], dict[str, DataSplit]]
) -> dict[str, DataSplit]:
    """The images of some parts, from the cache, or decoded and kept for the next time.

    Args:
        parts: How many images each part has.
        facts: All that they follow from.
        decode: What decodes them.
    """
    place = cache_folder()
    if place is None or sum(parts.values()) < LEAST_CACHED:
        return decode()
    digest = hashlib.sha256("".join(map(repr, facts)).encode()).hexdigest()
    file = place / f"{digest[:32]}.safetensors"
    if (found := _cached(file, parts)) is not None:
        return found
    splits = decode()
    arrays = {f"{kind}.{part}": getattr(split, kind) for part, split in splits.items() for kind in ("images", "labels")}
    with suppress(OSError, ArchspecError, SafetensorError):  # it is only slower without
        place.mkdir(parents=True, exist_ok=True)
        with replacing(file) as fresh:
            save_file(arrays, fresh)
    return splits


def _cached(file: Path, parts: dict[str, int]) -> dict[str, DataSplit] | None:
    try:
        arrays = load_file(file)
        found = {part: DataSplit(arrays[f"images.{part}"], arrays[f"labels.{part}"]) for part in parts}
    except (OSError, SafetensorError, KeyError):
        return None
    right = all(
        split.images.dtype == torch.uint8 and len(split.images) == len(split.labels) == parts[part]
        for part, split in found.items()
    )
    return found if right else None
