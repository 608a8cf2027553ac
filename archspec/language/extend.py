"""`extends`: a specification that says only in what it differs from another.

The sections that name things (symbols, functions, lookups, let, blocks) are laid over those of the other, name by name;
any other key replaces the other's. So a network with one block exchanged is a file of one block, and what is loaded is
an ordinary, whole specification.
"""

import os
from collections.abc import Callable
from pathlib import Path

from archspec.errors import ArchspecError, SpecError, SpecErrors
from archspec.language import zoo
from archspec.language.reader import Mapping, Scalar
from archspec.writing import printable

SECTIONS = ("symbols", "functions", "lookups", "let", "blocks")
"""The keys that define names: nothing can be said of a document's names while one of them cannot be read."""

REPLACED = {"input": "inputs", "inputs": "input"}
"""Keys that say the same: of these, that of the upper specification alone holds."""

MAX_CHAIN = 5


def extended(tree: Mapping, file: str | None, read: Callable[[str], Mapping]) -> Mapping:
    """A specification laid over the one it extends, and that over the one it extends, and so on.

    Args:
        tree: The specification as it was read.
        file: Its file, below whose folder those lie that it extends; None for a text, which extends the zoo alone.
        read: Reads another specification.

    Raises:
        SpecErrors: A specification that is extended cannot be read, or extends itself; says which one names it.
    """
    chain = [tree]
    files = [file]
    root = None if file is None else Path(file).parent
    while (base := chain[-1].get("extends")) is not None:
        at = chain[-1].key("extends")
        if not isinstance(base, Scalar):
            raise SpecErrors([SpecError("extends: expected a name of the zoo or a path", at)])
        try:
            root, file = _file(base, files[-1], root)
            if file in files or len(chain) > MAX_CHAIN:
                raise ArchspecError(
                    f"'{printable(base)}' leads back here, or through more than {MAX_CHAIN} specifications"
                )
            chain.append(read(file))
            files.append(file)
        except SpecErrors as error:
            raise SpecErrors(
                [SpecError(f"extends: '{printable(base)}' has faults of its own", base.at), *error.errors]
            ) from None
        except ArchspecError as error:
            raise SpecErrors([SpecError(f"extends: {error}", base.at)]) from None
    whole = chain.pop()
    while chain:
        whole = _laid_over(chain.pop(), whole)
    return whole


def _file(base: str, beside: str | None, root: Path | None) -> tuple[Path, str]:
    """The file that `extends` names, and the folder below which those lie that it extends in turn.

    Args:
        base: A name of the zoo, or a path from the folder of the file that names it.
        beside: That file; None for a text.
        root: The folder below which the path must lie, links followed: nothing outside it is even looked for.
    """
    if base in zoo.names():
        return zoo.directory(), str(zoo.path(base))
    if root is None or beside is None:
        raise ArchspecError(
            f"no network of the zoo is called '{printable(base)}'; only a specification in a file extends other files"
        )
    from archspec.files import resolve_below

    place = resolve_below(root, Path(beside).parent / base)
    if place is None:
        raise ArchspecError(f"'{printable(base)}' is not below the folder of the specification, where files are read")
    if not os.path.isfile(place):  # where Path.is_file raises (a name too long), this answers
        raise ArchspecError(f"no file and no network of the zoo is called '{printable(base)}'")
    return root, str(place)


def _laid_over(top: Mapping, base: Mapping) -> Mapping:
    """All keys of both; the top's where both have one, section by section."""
    whole = Mapping(top.at)
    for key in {**base, **top}:
        above, below = top.get(key), base.get(key)
        if key in SECTIONS and isinstance(above, Mapping) and isinstance(below, Mapping):
            whole[key] = _laid_over(above, below)
        elif key != "extends" and not (key not in top and REPLACED.get(key) in top):
            placed = next((own for own in top if own == key), key)  # which knows its place in the top
            whole[placed] = above if key in top else below
    return whole
