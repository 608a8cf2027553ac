"""How results show themselves: `repr` is one short line, whatever is in them."""

from typing import Any

LONGEST = 200
"""The characters of a `repr` at most."""


def short(result: Any, *facts: str) -> str:
    """A line that names a result's class and says a few facts, cut where it grows long.

    >>> short(object(), "mobilenet", "568740352 macs")
    '<object mobilenet, 568740352 macs>'
    """
    line = f"<{type(result).__name__} {', '.join(facts)}>"
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 2]}…>"
