"""The formats of a report: one module each, found by its name, whose `write` makes text of a report.

A package of somebody else offers a format by an entry point in the group `archspec.formats`; it is loaded when its name
is asked for, and no format here has that name.
"""

from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from archspec.errors import ArchspecError, UnknownNameError, suggestion
from archspec.extras import entry_point
from archspec.report.page import Report

GROUP = "archspec.formats"
MACHINES = ("csv", "json")
"""The formats that hold raw numbers."""


def names() -> tuple[str, ...]:
    """The formats that come with the library; text first.

    >>> names()[:4]
    ('text', 'csv', 'html', 'json')
    """
    found = {module.name for module in iter_modules(__path__)} - {"text"}
    return ("text", *sorted(found))


def module_of(name: str) -> Any:
    """The module of a format, of the library or of a package that offers it.

    Raises:
        UnknownNameError: There is none.
        ArchspecError: A package offers something else by that name.
    """
    if name in names():
        return import_module(f"{__name__}.{name}")
    found = entry_point(GROUP, name)
    if found is None:
        raise UnknownNameError(f"no format '{name}'{suggestion(name, names())}")
    if not callable(getattr(found, "write", None)):
        raise ArchspecError(f"the entry point '{name}' of {GROUP} has no function 'write'")
    return found


def written(report: Report, format_name: str = "text", *, width: int = 100, colour: bool = False) -> str:
    """A report in a format.

    Args:
        report: What is written.
        format_name: The format's name.
        width: Characters to a line, where a format has lines.
        colour: Whether text may use bold.

    Raises:
        UnknownNameError: There is no such format.
    """
    return str(module_of(format_name).write(report, width=width, colour=colour))
