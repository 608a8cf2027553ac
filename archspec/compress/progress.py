"""How long work says how far it is."""

from typing import Protocol


class Progress(Protocol):
    """What is told how far work is: what is worked at, and how many weights of all are done."""

    def __call__(self, what: str, done: int, total: int, /) -> None:
        """Hear of it."""


def silent(what: str, done: int, total: int) -> None:
    """Nothing is said."""
