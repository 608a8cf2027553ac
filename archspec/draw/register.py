"""Every kind of picture: its name, what it is made from, what it shows, and who draws it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType
from typing import Any, Literal

from archspec.errors import ArchspecError, entry


@dataclass(frozen=True, slots=True)
class Picture:
    """One kind of picture.

    Attributes:
        name: What it is asked for by.
        source: What it is made from: the name of a result's class, or of what a command reads.
        shows: What one sees, as a sentence.
        home: The function that draws it, as "module:function" of this package.
        takes: The options that it takes beside what it is made from.
        verb: The command that draws it.
    """

    name: str
    source: str
    shows: str
    home: str
    takes: tuple[str, ...] = ()
    verb: Literal["plot", "draw"] = "plot"

    @property
    def draw(self) -> Callable[..., Any]:
        """The function that draws it."""
        module, _, function = self.home.partition(":")
        found: Callable[..., Any] = getattr(import_module(f"archspec.draw.{module}"), function)
        return found


_ENTRIES = (
    Picture(
        "costs",
        "CostTable",
        "What each block, layer, stage or kind of operator costs, as bars.",
        "charts.costs:costs",
        ("of", "by"),
    ),
    Picture(
        "roofline",
        "CostTable",
        "How fast each part can run on a device at most: its arithmetic or its memory is the limit.",
        "charts.roofline:roofline",
        ("peak", "bandwidth", "by"),
    ),
    Picture(
        "blocks",
        "CostTable",
        "A block or a network as its paper draws it, with the share of the cost as shade.",
        "blocks.drawing:blocks",
        verb="draw",
    ),
    Picture(
        "along",
        "Staircase",
        "A quantity against a symbol, with every jump of its roundings.",
        "charts.along:along",
    ),
    Picture(
        "sweep",
        "Sweep",
        "The points of a sweep: quantities against a symbol, a line for each combination of the others.",
        "charts.sweep:sweep",
        ("along",),
    ),
    Picture(
        "front",
        "Sweep",
        "What no other point of a sweep outdoes in two objectives, with networks of papers beside it.",
        "charts.front:front",
        ("log",),
    ),
    Picture(
        "elasticity",
        "Sensitivity",
        "By how many per cent costs grow when a symbol does by one.",
        "charts.elasticity:elasticity",
    ),
    Picture(
        "memory",
        "Memory",
        "What is in memory while each node runs, and the peak.",
        "charts.memory:memory",
    ),
    Picture(
        "published",
        "Findings",
        "A paper's printed figures and ours: by how many per cent they differ, and the verdict.",
        "charts.published:published",
    ),
    Picture(
        "training",
        "Result",
        "The curves of trainings: errors and losses, epoch by epoch.",
        "charts.training:training",
    ),
    Picture(
        "shuffle",
        "Nothing",
        "A channel shuffle: reshape, transpose, flatten, and where each channel goes.",
        "cells.shuffle:shuffle",
        ("groups", "channels"),
    ),
    Picture(
        "gaps",
        "Nothing",
        "Index differences of a sparse row in so many bits, with the filler zeros of those that are too long.",
        "cells.gaps:gaps",
        ("positions", "values", "bits"),
    ),
    Picture(
        "codebook",
        "Nothing",
        "Weights that share numbers: the codes, the numbers, and a step of training them.",
        "cells.codebook:codebook",
        ("weights", "gradient", "bits", "rate"),
    ),
    Picture(
        "results",
        "Table",
        "Columns of a CSV file against each other: the mean of rows that are alike, and their least and most.",
        "charts.results:results",
        ("x", "y", "series", "where", "log", "title"),
    ),
)

PICTURES: Mapping[str, Picture] = MappingProxyType({each.name: each for each in _ENTRIES})
"""Every kind of picture by its name."""


COUNTED = ("Architecture", "SingleBlock", "Network")
"""The results that are drawn as they are counted: as blocks, unless another picture is asked for."""


def picture(name: str) -> Picture:
    """The kind of picture of that name.

    Raises:
        UnknownNameError: There is none.

    >>> picture("memory").source
    'Memory'
    """
    return entry(PICTURES, name, "picture")


def pictures_of(source: str) -> tuple[Picture, ...]:
    """The kinds of picture that are made from a result of a class, by the class's name; the usual one first."""
    return tuple(each for each in _ENTRIES if each.source == source)


def plotted(result: Any, name: str | None, options: Mapping[str, Any]) -> Any:
    """The picture of a result: of a kind, or the usual one of its class.

    Raises:
        ArchspecError: Nothing is drawn of such a result, or not so.
        UnknownNameError: There is no such picture.
    """
    if type(result).__name__ in COUNTED:
        result, name = result.count(), name or "blocks"
    source = type(result).__name__
    known = pictures_of(source)
    if not known:
        drawn = ", ".join(dict.fromkeys(each.source for each in _ENTRIES))
        raise ArchspecError(f"there is no picture of a {source}; there are pictures of {drawn}")
    found = known[0] if name is None else picture(name)
    if found not in known:
        names = ", ".join(each.name for each in known)
        raise ArchspecError(f"'{found.name}' is a picture of a {found.source}; of a {source} there are {names}")
    return found.draw(result, **options)
