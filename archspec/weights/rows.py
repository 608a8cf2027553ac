"""The rows of a matching: an array and what fills it, an array that is left over, a choice that is left open."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

Why: TypeAlias = Literal["key", "only", "order", "names", "index", "norm", "assumed", "run"]

WHY: Mapping[Why, str] = {
    "key": "it has the same key",
    "only": "no other layer of either side has this shape",
    "order": "the shapes, the modules and their indices leave no other",
    "names": "of those that are left, it agrees best in modules and in the words of names",
    "index": "it is one of several parallel branches, and its number is taken for its place in the concatenation",
    "norm": "it normalises the layer that fills the one before",
    "assumed": "nothing says which of several it is; those in the order of the names are taken",
    "run": "the shapes agree, and the models do when they are run",
}
"""Why a layer is filled by one of the source, in sentences."""


@dataclass(frozen=True, slots=True)
class ArrayMatch:
    """One array of the network.

    Attributes:
        key: Its name in the state dict.
        shape: Its shape.
        source: The key of the source's array that fills it; None if none does.
        found: The shape of that, where it is another: it is reshaped then, never transposed.
        why: Why this one, a key of `WHY`; if there is none, what is missing, in a sentence.
    """

    key: str
    shape: tuple[int, ...]
    source: str | None
    found: tuple[int, ...] | None
    why: str


@dataclass(frozen=True, slots=True)
class Leftover:
    """An array of the source that fills nothing."""

    key: str
    shape: tuple[int, ...]
    why: str


@dataclass(frozen=True, slots=True)
class Exchange:
    """Layers of the same shapes whose sources could be exchanged.

    Attributes:
        layers: Pairs of layers of the network; all pairs are exchanged together.
        parallel: Whether they stand in parallel branches. If not, the names do not say which of the two comes first.
        settled: By what: "names" (with modules), "index", or "a run" of both models; None if nothing does.
    """

    layers: tuple[tuple[str, str], ...]
    parallel: bool
    settled: str | None = None
