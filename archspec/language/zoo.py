"""The specifications that come with the library, found by name."""

import fnmatch
import os
from pathlib import Path

from archspec.errors import UnknownNameError, did_you_mean, suggestion
from archspec.writing import printable

_PACKAGE = Path(__file__).resolve().parent.parent


def directory() -> Path:
    """The folder of the specifications: inside the installed package, or beside it in a checkout."""
    inside = _PACKAGE / "specs"
    return inside if inside.is_dir() else _PACKAGE.parent / "specs"


def changed() -> int:
    """When a file of the zoo last changed, in nanoseconds."""
    return max((entry.stat().st_mtime_ns for entry in os.scandir(directory())), default=0)


def names(pattern: str = "*") -> list[str]:
    """The names of the specifications that match a pattern of the shell, in alphabetical order.

    >>> "mobilenet" in names("mobile*")
    True
    """
    found = (path.stem for path in directory().glob("*.yaml"))
    return sorted(name for name in found if fnmatch.fnmatchcase(name, pattern))


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


def beside(folder: str) -> dict[str, Path]:
    """The files of a folder beside the specifications, by name: plans, or papers' figures."""
    return {path.stem: path for path in sorted((directory() / folder).glob("*.yaml"))}


def file_of(name: str | os.PathLike[str], folder: str, what: str) -> str:
    """The file that is meant: a path, "-" for standard input, or the name of one in a folder beside the specifications.

    Raises:
        UnknownNameError: It is neither a file nor a name.
    """
    text, known = os.fspath(name), beside(folder)
    if text in known and not Path(text).is_file():
        return str(known[text])
    if text != "-" and not Path(text).exists() and not {"/", "."} & set(text):
        raise UnknownNameError(f"no file and no {what} is called '{text}'{suggestion(text, known)}")
    return text
