"""The variants of a specification: what its symbols choose between."""

from collections.abc import Container, Iterator
from itertools import islice, product
from typing import Any

from archspec.language.document import Document

MOST = 1000


def variants(document: Document, bound: Container[str] = ()) -> Iterator[dict[str, Any]]:
    """Every combination of the values that symbols choose from, at most `MOST`; one empty one where none chooses.

    Symbols in `bound` do not choose.

    >>> from archspec.language import load
    >>> list(variants(load("alexnet")))
    [{'groups': 1}, {'groups': 2}]
    """
    choices = {
        name: symbol.choices for name, symbol in document.symbols.items() if symbol.choices and name not in bound
    }
    for values in islice(product(*choices.values()), MOST):
        yield dict(zip(choices, values, strict=True))
