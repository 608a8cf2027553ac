"""The tree of exceptions.

    ArchspecError                   everything this library refuses, with a sentence for the user
    ├── SpecError                   one fault of a specification, at its place in the text
    ├── SpecErrors                  all the faults of one specification, in the order of the text
    ├── BindingError                a symbol set to what it cannot be
    ├── UnknownNameError            a zoo name, operator or convention that does not exist
    ├── MissingExtraError           what is asked for needs an extra that is not installed
    └── ShapeError                  an operator that cannot take its inputs
        ├── DivisibilityError       a division that must come out even and does not
        └── UndecidableError        a question that free symbols leave open

Every message says what was found and what would do; a fault in a text also says where.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


class ArchspecError(ValueError):
    """Something this library refuses; the message is meant for the user."""


@dataclass(frozen=True, slots=True)
class SourceText:
    """A text that was read: what to call it, and its lines."""

    name: str
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a text; line and column count from 1."""

    source: SourceText
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.source.name}:{self.line}:{self.column}"

    def shifted(self, columns: int) -> "Mark":
        """The place `columns` further right on the same line."""
        return Mark(self.source, self.line, self.column + columns)

    @property
    def end(self) -> "Mark":
        """The place behind what begins here: a quoted text, a word, or a single sign.

        >>> mark = Mark(SourceText("x.yaml", ("- con2d: {out_channels: 3}",)), 1, 3)
        >>> mark.end.column - mark.column
        5
        """
        text = self.source.lines[self.line - 1] if 1 <= self.line <= len(self.source.lines) else ""
        found = _WORD.match(text, self.column - 1)
        return self.shifted(max(1, len(found[0])) if found else 1)

    def excerpt(self, width: int = 100) -> str:
        """The source line with a caret under the place, cut to `width` columns."""
        if not 1 <= self.line <= len(self.source.lines):
            return ""
        text = self.source.lines[self.line - 1].rstrip().replace("\t", " ")
        start = max(0, self.column - 1 - width // 2)
        caret = " " * (self.column - 1 - start) + "^"
        return f"    {text[start : start + width]}\n    {caret}"


_WORD = re.compile(r"""'(?:[^']|'')*'|"(?:[^"\\]|\\.)*"|[^\s,:\[\]{}#'"]+""")


class SpecError(ArchspecError):
    """One fault of a specification.

    Args:
        message: What was found, and what would do.
        at: Where in the text; None when the specification was built in Python.
    """

    def __init__(self, message: str, at: Mark | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.at = at

    @property
    def remedy(self) -> str:
        """What would do, as far as the message says it.

        >>> SpecError("unknown operator 'con2d'; did you mean 'conv2d'?").remedy
        "did you mean 'conv2d'?"
        """
        return self.message.partition("; ")[2]

    @property
    def replacement(self) -> str | None:
        """What to write in place of what stands there, where that is one word."""
        found = re.search(r"did you mean '([^']+)'\?", self.message)
        return found[1] if found else None

    def __str__(self) -> str:
        if self.at is None:
            return self.message
        excerpt = self.at.excerpt()
        return f"{self.at}: {self.message}" + (f"\n{excerpt}" if excerpt else "")


class SpecErrors(ArchspecError):  # noqa: N818  # many, as an ExceptionGroup is
    """All the faults of one specification, in the order of its text."""

    shown = 50

    def __init__(self, errors: Iterable[SpecError]) -> None:
        unique = {(e.at, e.message): e for e in errors}
        self.errors: Sequence[SpecError] = sorted(
            unique.values(), key=lambda e: (e.at.line, e.at.column) if e.at else (0, 0)
        )
        lines = [str(error) for error in self.errors[: self.shown]]
        if len(self.errors) > self.shown:
            lines.append(f"… and {len(self.errors) - self.shown} more")
        super().__init__("\n".join(lines))


class BindingError(ArchspecError):
    """A symbol that does not exist, or a value it cannot take."""


class UnknownNameError(ArchspecError):
    """A name that nothing answers to."""


class MissingExtraError(ArchspecError):
    """What is asked for needs an extra of the distribution that is not installed."""


class ShapeError(ArchspecError):
    """An operator that cannot take its inputs.

    Args:
        message: What does not fit.
        setting: The setting of the operator that would have to be another, if it is one.
    """

    def __init__(self, message: str, setting: str = "") -> None:
        super().__init__(message)
        self.setting = setting


class DivisibilityError(ShapeError):
    """A division that must come out even and does not."""


class UndecidableError(ShapeError):
    """A question that free symbols leave open."""


def first_line(error: Exception) -> str:
    """The first line of an error that says something; of one that says nothing, its class.

    >>> first_line(KeyError()), first_line(ValueError("  no such file"))
    ('KeyError', 'no such file')
    """
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)


def suggestion(word: str, known: Iterable[str]) -> str:
    """What might have been meant by a word that is not known, or else all that there is; to put after an error.

    >>> suggestion("con2d", ["conv2d", "linear"]), suggestion("zzz", ["conv2d", "linear"])
    ("; did you mean 'conv2d'?", '; there are conv2d, linear')
    """
    names = list(filter(None, known))
    return did_you_mean(word, names) or f"; there are {', '.join(names)}"


def entry(known: Mapping[str, T], name: str, what: str) -> T:
    """The entry of a register by its name.

    Raises:
        UnknownNameError: There is none.

    >>> entry({"conv2d": 1}, "con2d", "operator")
    Traceback (most recent call last):
    archspec.errors.UnknownNameError: no operator 'con2d'; did you mean 'conv2d'?
    """
    if name not in known:
        raise UnknownNameError(f"no {what} '{name}'{suggestion(name, known)}")
    return known[name]


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A suggestion to put after an error, or nothing.

    >>> did_you_mean("con2d", ["conv2d", "linear"])
    "; did you mean 'conv2d'?"
    >>> did_you_mean("LRASPP", ["lraspp_mobilenet_v3", "linear"])
    "; did you mean 'lraspp_mobilenet_v3'?"
    >>> did_you_mean("zzz", ["conv2d", "linear"])
    ''
    """
    from difflib import get_close_matches

    names = {name.lower(): name for name in sorted(known, reverse=True)}
    meant = word.lower()
    begun = sorted(name for name in names if name.startswith(meant) and len(meant) >= LEAST_BEGINNING)
    close = get_close_matches(meant, begun or sorted(names), n=1, cutoff=0.6) or begun
    return f"; did you mean '{names[close[0]]}'?" if close else ""


LEAST_BEGINNING = 4
"""The characters that a word has at least where it is taken for the beginning of a name."""
