"""A model by the name of what makes it: `package.module:factory`, the one thing of an import that is run."""

import sys
from collections.abc import Callable
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import Any, cast

from archspec.errors import ArchspecError, first_line
from archspec.writing import printable


def made(source: str, settings: dict[str, Any]) -> Any:
    """What a factory gives: a module of torch.

    Args:
        source: `package.module:factory`; modules of the working folder are found, too.
        settings: The factory's keyword arguments.

    Raises:
        ArchspecError: There is no such thing, or it fails, or gives something else.
    """
    make = _found(source)
    try:
        found = make(**settings)
    except Exception as error:  # whatever the model's own code raises
        raise ArchspecError(f"{printable(source, 80)} cannot be made: {printable(first_line(error), 200)}") from error
    import torch

    if not isinstance(found, torch.nn.Module):
        raise ArchspecError(f"{printable(source, 80)} gives a {type(found).__name__}, not a module of torch")
    return found


def takes(source: str, name: str) -> bool:
    """Whether a factory has a parameter of that name."""
    try:
        return name in signature(_found(source)).parameters
    except (TypeError, ValueError):
        return False


def _found(source: str) -> Callable[..., Any]:
    module, _, factory = source.partition(":")
    if module.endswith(".py"):
        named = printable(f"{Path(module).stem}:{factory}", 80)
        raise ArchspecError(f"{printable(source, 80)} is a file; name its module, from its folder: {named}")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        make: Any = import_module(module)
        for part in factory.split("."):
            make = getattr(make, part)
    except Exception as error:  # whatever the module's own code raises where it is imported
        raise ArchspecError(
            f"{printable(source, 80)} cannot be imported: {printable(first_line(error), 200)}"
        ) from error
    if not callable(make):
        raise ArchspecError(f"{printable(source, 80)} is no function")
    return cast("Callable[..., Any]", make)
