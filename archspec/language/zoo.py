"""The specifications that come with the library, found by name."""

import fnmatch
from pathlib import Path

from archspec.errors import UnknownNameError, did_you_mean
from archspec.writing import printable

_PACKAGE = Path(__file__).resolve().parent.parent


def directory() -> Path:
    """The folder of the specifications: inside the installed package, or beside it in a checkout."""
    inside = _PACKAGE / "specs"
    return inside if inside.is_dir() else _PACKAGE.parent / "specs"


def names(pattern: str = "*") -> list[str]:
    """The names of the specifications that match a pattern of the shell, in alphabetical order.

    >>> "mobilenet" in names("mobile*")
    True
    """
    found = (path.stem for path in directory().glob("*.yaml"))
    return sorted(name for name in found if fnmatch.fnmatchcase(name, pattern))


def with_block(block: str) -> str | None:
    """The specification whose block is meant by the block's name alone; None if there is none of that name.

    Blocks that a specification lays over those of another (extends) are not meant, and specifications with the same
    block are one; among different blocks, the one that declares its paper's letters is meant.

    Raises:
        UnknownNameError: Several may be meant.

    >>> with_block("separable"), with_block("fire")
    ('mobilenet', 'squeezenet')
    """
    from archspec.language import load

    texts = {name: path(name).read_text(encoding="utf-8") for name in names()}
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


def path(name: str) -> Path:
    """The file of a specification.

    Raises:
        UnknownNameError: There is none of that name.
    """
    file = directory() / f"{name}.yaml"
    if name not in names():
        hint = f"{did_you_mean(name, names()) or ';'} 'archspec zoo' lists them"
        raise UnknownNameError(f"no file or network of the zoo is called '{printable(name)}'{hint}")
    return file
