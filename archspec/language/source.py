"""Where something was published, as a specification says it."""

from typing import ClassVar

from archspec.language.located import Located
from archspec.language.values import Prose, Text


class Source(Located):
    """Where a network, a block or an initialisation was published."""

    like: ClassVar[str] = "{title: Deep Residual Learning, year: 2015}"

    title: Text
    authors: Text | None = None
    year: int | None = None
    arxiv: Text | None = None
    doi: Text | None = None
    url: Text | None = None
    section: Text | None = None
    table: Text | None = None
    note: Prose | None = None
