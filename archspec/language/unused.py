"""What a document declares and no expression reads: who binds it is told so, since nothing would change."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from archspec.language.document import Document
from archspec.language.expression import Expression
from archspec.language.rules import signature


def unused(document: Document) -> Iterator[str]:
    """A sentence for each symbol, function, name of the document's `let` and argument of a block that nothing uses.

    >>> from archspec.language import loads
    >>> text = "{archspec: 1, name: x, symbols: {k: {default: 3}}, input: [3, 8, 8], network: [relu]}"
    >>> print(*unused(loads(text)))
    nothing uses the symbol 'k'
    """
    read = _names(document)
    called = {name for expression in _expressions(document) for name in expression.called}

    def own(key: str) -> bool:
        """Whether it stands in this file, and not in the one that it extends."""
        at = document.key_at(key)
        return at is None or document.at is None or at.source is document.at.source

    for name in document.symbols:
        if name not in read and own(f"symbols.{name}"):
            yield f"nothing uses the symbol '{name}'"
    heads = {f"functions.{text}": signature(text)[0] for text in document.functions}
    for key, name in (heads | {f"lookups.{name}": name for name in document.lookups}).items():
        if name not in called and own(key):
            yield f"nothing uses the function '{name}'"
    for name in document.let:
        if name not in read and own(f"let.{name}"):
            yield f"nothing uses '{name}' of let"
    for known_as, block in document.blocks.items():
        within = _names(block)
        if own(f"blocks.{known_as}"):
            yield from (f"nothing uses the argument '{arg}' of '{known_as}'" for arg in block.args if arg not in within)


def _names(part: Any) -> set[str]:
    return {name for expression in _expressions(part) for name in expression.names}


def _expressions(part: Any) -> Iterator[Expression]:
    """The expressions in a part of a document, at any depth."""
    if isinstance(part, Expression):
        yield part
    elif isinstance(part, BaseModel):
        for field in type(part).model_fields:
            yield from _expressions(getattr(part, field))
    elif isinstance(part, Mapping):
        for value in part.values():
            yield from _expressions(value)
    elif isinstance(part, (list, tuple)):
        for value in part:
            yield from _expressions(value)
