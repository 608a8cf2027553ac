"""The blocks of the zoo, found by their names alone."""

from archspec.errors import UnknownNameError
from archspec.language import load, zoo


def with_block(block: str) -> str | None:
    """The specification whose block is meant by the block's name alone; None if there is none of that name.

    Blocks that a specification lays over those of another (extends) are not meant, and specifications with the same
    block are one; among different blocks, the one that declares its paper's letters is meant.

    Raises:
        UnknownNameError: Several may be meant.

    >>> with_block("separable"), with_block("fire")
    ('mobilenet', 'squeezenet')
    """
    texts = {name: zoo.path(name).read_text(encoding="utf-8") for name in zoo.names()}
    own = [name for name, text in texts.items() if f"  {block}:" in text and "\nextends:" not in text]
    blocks = {name: load(name).blocks.get(block) for name in own}
    found = {name: each for name, each in blocks.items() if each is not None}
    lettered = {name: each for name, each in found.items() if each.letters}
    different: dict[str, object] = {}
    for name, each in (lettered or found).items():
        if each not in different.values():
            different[name] = each
    if len(different) > 1:
        several = " or ".join(f"{name}:{block}" for name in different)
        raise UnknownNameError(f"several networks of the zoo have a block '{block}'; say {several}")
    return next(iter(different), None)
