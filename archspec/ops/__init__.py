"""The operators: one file a family, one class an operator, and the register that finds them by name."""

from typing import Literal, get_args, get_origin

from archspec.errors import UnknownNameError, did_you_mean
from archspec.ops import activation, binary, conv, join, linear, norm, pooling, shape, window
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
    "names",
    "operator",
    "registered",
    "words",
]


def names() -> list[str]:
    """The operators' names, in alphabetical order."""
    return sorted(registered())


def operator(name: str) -> type[Operator]:
    """The operator of that name.

    Raises:
        UnknownNameError: There is none.

    >>> operator("conv2d").__name__
    'Conv2d'
    """
    found = registered().get(name)
    if found is None:
        raise UnknownNameError(f"unknown operator {name!r}{did_you_mean(name, registered())}")
    return found


def words() -> frozenset[str]:
    """The words that fields take (`same`, `bilinear`, …): reserved in expressions, where each means itself.

    >>> sorted(words())
    ['bilinear', 'nearest', 'none', 'same', 'tanh']
    """
    return frozenset(
        word
        for cls in registered().values()
        for field in cls.model_fields.values()
        for word in _literals(field.annotation)
    )


def _literals(annotation: object) -> list[str]:
    found = [arg for arg in get_args(annotation) if isinstance(arg, str)] if get_origin(annotation) is Literal else []
    return found + [word for arg in get_args(annotation) if not isinstance(arg, str) for word in _literals(arg)]
