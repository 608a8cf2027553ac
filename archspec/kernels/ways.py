"""The ways to compute one-bit layers, and which is the best that is there.

numba    signs in words, differing ones counted in vectors; needs the extra `kernels`
int8     signs in bytes, products of int8 matrices by torch; needs no compiler
numpy    signs in words, differing ones counted by NumPy: the reference, slow for convolutions

A way has two kinds of layers to serve: those with one-bit inputs, and those whose weights alone are one-bit.
"""

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Protocol

from archspec.errors import ArchspecError, suggestion
from archspec.extras import need

if TYPE_CHECKING:
    from torch import Tensor

HOMES: Mapping[str, str] = {"numba": "by_numba", "int8": "by_int8", "numpy": "by_numpy"}
"""The file of each way: a module with the three functions of `Way`."""


class Way(Protocol):
    """How one-bit layers are stored and computed; `layer` is the packed layer that asks."""

    def packed(self, weight: "Tensor", layer: Any) -> "Tensor":
        """What stands for the signs of a weight."""

    def unpacked(self, stored: "Tensor", layer: Any) -> "Tensor":
        """The weight again, of ±1."""

    def compute(self, layer: Any, x: "Tensor") -> "Tensor":
        """The layer's output for x in float32: n × c × h × w, or rows × features."""


def names() -> tuple[str, ...]:
    """Their names.

    >>> names()
    ('numba', 'int8', 'numpy')
    """
    return tuple(HOMES)


@cache
def best() -> str:
    """The quickest way that is installed."""
    return "numba" if find_spec("numba") else "int8"


@cache
def way(name: str) -> Way:
    """The way of this name, loaded now: numba takes half a second.

    Raises:
        ArchspecError: There is no such way.
        MissingExtraError: numba is not installed.
    """
    check(name)
    made: Any = import_module(f"archspec.kernels.{HOMES[name]}")
    if name == "numba":
        made.compiled.ready()
    return made  # type: ignore[no-any-return]


def check(name: str) -> None:
    """Nothing, if there is a way of this name and what it needs; it is not loaded.

    Raises:
        ArchspecError: There is no such way.
        MissingExtraError: numba is not installed.

    >>> check("nunba")
    Traceback (most recent call last):
    archspec.errors.ArchspecError: no way 'nunba' to compute one-bit layers; did you mean 'numba'?
    """
    if name not in HOMES:
        raise ArchspecError(f"no way '{name}' to compute one-bit layers{suggestion(name, HOMES)}")
    if name == "numba":
        need("kernels", "numba")
