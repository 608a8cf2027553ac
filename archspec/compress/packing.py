"""Packing: weights under a plan into a file whose size was predicted."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from archspec.compress.blobs import Weights
from archspec.compress.container import description, write
from archspec.compress.layout import FileLayout, FileSize, exact_size, file_size, layout, quantised
from archspec.compress.plan import Plan, load
from archspec.compress.prediction import Prediction, prediction
from archspec.compress.progress import Progress, silent
from archspec.errors import ArchspecError, did_you_mean
from archspec.graph import Network
from archspec.language import Document
from archspec.language.origin import origin
from archspec.result import Reported, short


class Specified(Protocol):
    """What an architecture is asked for here."""

    document: Document

    def expand(self, bindings: Mapping[str, Any], /) -> Network:
        """The network of these bindings."""


@dataclass(frozen=True, repr=False)
class Packed(Reported):
    """A file that was written.

    Attributes:
        path: Where.
        size: What it has, term by term, as it was predicted.
        bytes: Its size on disk.
        prediction: What the plan says of the layers, with this size as measured.
        notes: What is worth knowing: where k-means was stopped before it settled.
    """

    path: Path
    size: FileSize
    bytes: int
    prediction: Prediction
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return short(self, self.sentence)

    @property
    def sentence(self) -> str:
        """What came of it, in one sentence."""
        ratio = self.size.dense_bytes / self.bytes
        return f"{self.path}: {self.bytes:,} bytes, {ratio:.2f}× smaller than {self.size.dense_bytes:,} of float32"


def predict(
    arch: Specified,
    plan: str | os.PathLike[str] | Plan,
    weights: "Mapping[str, Any] | str | os.PathLike[str] | None" = None,
    bindings: Mapping[str, Any] | None = None,
    *,
    progress: Progress = silent,
    **keywords: Any,
) -> Prediction:
    """What a network weighs under a plan, and its file: expected from densities, or to the byte for given weights.

    Args:
        arch: The network's architecture.
        plan: A plan, its file, or the name of one that comes with the library.
        weights: Arrays by the names of the network's state dict, or a file of them.
        bindings: Values for symbols, by name.
        progress: What is told how far it is.
        keywords: Values for symbols, in place of a mapping.

    Raises:
        ArchspecError: The plan or the weights do not fit the network.

    >>> import archspec
    >>> archspec.compress.predict(archspec.load("lenet_300_100"), "lenet_300_100").file.bytes
    27734
    """
    network, plan = arch.expand({**(bindings or {}), **keywords}), load(plan)
    found = prediction(network, plan)
    if weights is None:
        return found
    source = _whole(weights, layout(network, plan))
    return replace(found, measured=exact_size(network, plan, source, progress))


def pack(
    arch: Specified,
    weights: "Mapping[str, Any] | str | os.PathLike[str]",
    plan: str | os.PathLike[str] | Plan,
    path: str | os.PathLike[str],
    bindings: Mapping[str, Any] | None = None,
    *,
    progress: Progress = silent,
    **keywords: Any,
) -> Packed:
    """Write a network's weights under a plan into a file, whole or not at all; the same input gives the same bytes.

    Args:
        arch: The network's architecture.
        weights: Arrays by the names of the network's state dict, or a file of them.
        plan: A plan, its file, or the name of one that comes with the library.
        path: Ends in `.safetensors`.
        bindings: Values for symbols, by name.
        progress: What is told how far it is.
        keywords: Values for symbols, in place of a mapping.

    Raises:
        ArchspecError: The plan or the weights do not fit the network, or the file cannot be written.
    """
    network, plan = arch.expand({**(bindings or {}), **keywords}), load(plan)
    arrays = layout(network, plan)
    blobs, parts, notes = [], [], []
    for blob in quantised(arrays, _whole(weights, arrays), progress):
        blobs.append(b"".join(part.coding.encode(content) for part, content in blob))
        parts.append([part for part, _ in blob])
        notes += [
            f"{part.coding.key}: k-means was stopped after {content.clusters.passes} passes"
            for part, content in blob
            if content.clusters is not None and not content.clusters.settled
        ]
    where = origin(arch.document, network.bindings)
    size = file_size(where, plan, parts, exact=True)
    text = description(where, plan, [[part.coding for part in blob] for blob in parts])
    foretold = replace(prediction(network, plan), measured=size)
    return Packed(Path(path), size, write(path, text, blobs), foretold, tuple(notes))


def _whole(weights: "Mapping[str, Any] | str | os.PathLike[str]", arrays: FileLayout) -> Mapping[str, Any]:
    """Weights by name; what is missing is said before any work is done.

    Raises:
        ArchspecError: One is missing.
    """
    found: Mapping[str, Any] = weights if isinstance(weights, Mapping) else Weights(weights)
    wanted = [choice.key for blob in arrays.blobs for choice in blob]
    missing = [key for key in wanted if key not in found]
    if missing:
        hint = did_you_mean(missing[0], list(found)) or "; 'archspec weights map' renames those of others"
        raise ArchspecError(f"the weights have no array '{missing[0]}' (of {len(missing)} missing){hint}")
    return found
