"""How results show themselves: `repr` is one short line, whatever is in them; `str` is what the command prints."""

from collections.abc import Callable
from typing import Any

LONGEST = 200
"""The characters of a `repr` at most."""

_reporters: list[Callable[[Any, str], str]] = []


def short(result: Any, *facts: str) -> str:
    """A line that names a result's class and says a few facts, cut where it grows long.

    >>> short(object(), "mobilenet", "568740352 macs")
    '<object mobilenet, 568740352 macs>'
    """
    line = f"<{type(result).__name__} {', '.join(facts)}>"
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 2]}…>"


def report_by(reporter: Callable[[Any, str], str]) -> None:
    """Name who writes a result in a format: whoever stands above all results."""
    _reporters[:] = [reporter]


class Reported:
    """A result that is read as its report: `print` gives the command's text, a notebook its table."""

    __slots__ = ()

    def __str__(self) -> str:
        return _reporters[0](self, "text").rstrip("\n")

    def _repr_html_(self) -> str:
        return _reporters[0](self, "html")
