"""Images that were decoded once, kept as bytes: sixty thousand JPEG files take half a minute, their bytes a moment.

The cache is a folder of safetensors files, each named by a digest of all that its images follow from: the names and
checksums (or sizes and times) of the files, the shape, the fitting, and the versions of what decodes.
"""

import hashlib
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from archspec.errors import ArchspecError
from archspec.files import replacing
from archspec.train.data.split import DataSplit

VARIABLE = "ARCHSPEC_CACHE"
"""The environment's variable that names the folder; empty for no cache."""
LEAST = 2_000
"""Fewer images are decoded again each time."""


def folder() -> Path | None:
    """Where images are kept; None where they are not."""
    named = os.environ.get(VARIABLE)
    if named is not None:
        return Path(named) if named else None
    base = os.environ.get("XDG_CACHE_HOME") or str(Path("~/.cache").expanduser())
    return Path(base) / "archspec" / "images"


def kept(
    parts: dict[str, int], facts: Iterable[object], decode: Callable[[], dict[str, DataSplit]]
) -> dict[str, DataSplit]:
    """The images of some parts, from the cache, or decoded and kept for the next time.

    Args:
        parts: How many images each part has.
        facts: All that they follow from.
        decode: What decodes them.
    """
    place = folder()
    if place is None or sum(parts.values()) < LEAST:
        return decode()
    digest = hashlib.sha256()
    for fact in facts:
        digest.update(repr(fact).encode())
    file = place / f"{digest.hexdigest()[:32]}.safetensors"
    if (found := _read(file, parts)) is not None:
        return found
    splits = decode()
    arrays = {f"{kind}.{part}": getattr(split, kind) for part, split in splits.items() for kind in ("images", "labels")}
    with suppress(OSError, ArchspecError, SafetensorError):  # it is only slower without
        place.mkdir(parents=True, exist_ok=True)
        with replacing(file) as fresh:
            save_file(arrays, fresh)
    return splits


def _read(file: Path, parts: dict[str, int]) -> dict[str, DataSplit] | None:
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
