"""How results show themselves: `repr` is one short line, whatever is in them; `str` is what the command prints."""

from collections.abc import Callable, Mapping
from typing import Any

LONGEST = 200
"""The characters of a `repr` at most."""

_reporters: list[Callable[[Any, str], str]] = []
_painters: list[Callable[[Any, str | None, Mapping[str, Any]], Any]] = []


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


def plot_by(painter: Callable[[Any, str | None, Mapping[str, Any]], Any]) -> None:
    """Name who draws the picture of a result: whoever stands above all results."""
    _painters[:] = [painter]


class Reported:
    """A result that is read as its report: `print` gives the command's text, a notebook its table."""

    __slots__ = ()

    def __str__(self) -> str:
        return _reporters[0](self, "text").rstrip("\n")

    def _repr_html_(self) -> str:
        return _reporters[0](self, "html")

    def plot(self, picture: str | None = None, **options: Any) -> Any:
        """Its picture: an Altair chart, or a drawing; docs/gallery.md shows every kind.

        Args:
            picture: The name of a kind; the usual one of such a result unless it is given.
            options: Those of the kind, such as `of` and `by`.

        Raises:
            ArchspecError: Nothing is drawn of such a result, or not so.
            MissingExtraError: What charts are made with is not installed.
        """
        return _painters[0](self, picture, options)
