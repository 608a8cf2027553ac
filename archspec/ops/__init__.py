"""The operators: one file per family, one class per operator, and the register that finds them by name."""

from functools import cache
from typing import Literal, get_args, get_origin

from archspec import extras
from archspec.errors import ArchspecError, UnknownNameError, did_you_mean
from archspec.ops import (
    activation,
    attention,
    binary,
    conv,
    join,
    learned,
    linear,
    norm,
    opaque,
    pooling,
    quantisation,
    recurrent,
    reduction,
    shape,
    spatial,
    window,
)
from archspec.ops.base import (
    FREE,
    KINDS,
    Function,
    Module,
    Operations,
    Operator,
    Tensor,
    TorchCall,
    Weight,
    annotations,
    registered,
)

__all__ = [
    "FREE",
    "KINDS",
    "Function",
    "Module",
    "Operations",
    "Operator",
    "Tensor",
    "TorchCall",
    "Weight",
    "find",
    "joins",
    "names",
    "operator",
    "registered",
    "words",
]

GROUP = "archspec.operators"
"""Under which packages offer operators of their own."""


def names() -> list[str]:
    """The operators' names, in alphabetical order."""
    return sorted(registered())


def joins() -> list[str]:
    """The names of the operators of several inputs, in alphabetical order."""
    return sorted(name for name, cls in registered().items() if cls.arity == "many")


def find(name: str) -> type[Operator] | None:
    """The operator of that name: one of ours, or of a package that offers it, which is loaded now; None if none is.

    A package offers a class by an entry point of the group `archspec.operators`, under the operator's name.
    """
    known = registered().get(name)
    if known is None and (offered := extras.entry_point(GROUP, name)) is not None:
        known = registered().get(name)
        if known is not offered:
            raise ArchspecError(f"what is offered under '{name}' in {GROUP} is no operator of that name")
    return known


def operator(name: str) -> type[Operator]:
    """The operator of that name.

    Raises:
        UnknownNameError: There is none.

    >>> operator("conv2d").__name__
    'Conv2d'
    """
    found = find(name)
    if found is None:
        raise UnknownNameError(f"unknown operator {name!r}{did_you_mean(name, registered())}")
    return found


def words() -> frozenset[str]:
    """The words that fields take (`same`, `bilinear`, …): reserved in expressions, where each means itself.

    >>> sorted(words())[:4]
    ['bicubic', 'bilinear', 'circular', 'constant']
    """
    return _words(len(registered()))


@cache
def _words(count: int) -> frozenset[str]:  # noqa: ARG001  # operators are added, and never taken away
    kinds = {id(kind): kind for cls in registered().values() for kind in annotations(cls).values()}
    return frozenset(word for kind in kinds.values() for word in _literals(kind))


def _literals(annotation: object) -> list[str]:
    found = [arg for arg in get_args(annotation) if isinstance(arg, str)] if get_origin(annotation) is Literal else []
    return found + [word for arg in get_args(annotation) if not isinstance(arg, str) for word in _literals(arg)]
