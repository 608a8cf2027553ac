"""YAML text to plain mappings, sequences and scalars that know their place; bounded in time and memory.

Read from the parser's events, one by one, so that a hostile text is left at the first excess: nothing is built from
tags, nothing is expanded without being counted, nothing recurses. Scalars stay the text they are; what a text means
(a number, a rational, an expression) is decided by whoever expects it.
"""

import os
import re
import stat
import sys
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.reader import ReaderError

from archspec.errors import Mark, SourceText, SpecError, SpecErrors
from archspec.writing import printable, visible_text

MAX_BYTES = 250_000
MAX_DEPTH = 40
MAX_NODES = 20_000
MAX_KEYS = 500
MAX_SCALAR = 10_000

SPECIFICATION = "a specification is a mapping that begins with 'archspec: 1'"

SURROGATE = re.compile("[\ud800-\udfff]")
LINE_BREAK = re.compile("\r\n|[\r\n]")
"""What ends a line for the parser; the lines shown under an error are cut alike."""


class Scalar(str):
    """A text with its place.

    Attributes:
        at: Where it stands.
        first: Where its first character stands, if its characters stand in the file as they do in it; else None.
    """

    __slots__ = ("at", "first")
    at: Mark
    first: Mark | None

    def __new__(cls, text: str, at: Mark, first: Mark | None = None) -> "Scalar":
        """A str, and where it stands."""
        self = super().__new__(cls, text)
        self.at, self.first = at, first
        return self


class Nothing:
    """A value that was left out (`key:`, `~`, `null`), with its place."""

    __slots__ = ("at",)

    def __init__(self, at: Mark) -> None:
        self.at = at

    def __bool__(self) -> bool:
        return False


class Sequence(list[Any]):
    """A list with its place."""

    def __init__(self, at: Any, items: Iterable[Any] = ()) -> None:
        super().__init__(items)
        self.at: Mark = at  # None, where what it is made from was built in Python


def like(raw: Any, items: dict[str, Any]) -> Any:
    """A mapping in the place of another; an ordinary one where that is, which was built in Python."""
    return Mapping(raw.at, items) if isinstance(raw, Mapping) else items


class Mapping(dict[str, Any]):
    """A dict with its place; the keys are scalars and know theirs."""

    def __init__(self, at: Any, items: dict[str, Any] | Iterable[tuple[str, Any]] = ()) -> None:
        super().__init__(items)
        self.at: Mark = at  # None, where what it is made from was built in Python

    def key(self, name: str) -> Mark:
        """The place of a key."""
        return next((key.at for key in self if key == name and isinstance(key, Scalar)), self.at)


Tree: TypeAlias = Mapping | Sequence | Scalar | Nothing


def described(value: Any) -> str:
    """What was found, as an error says it."""
    if value is None or isinstance(value, Nothing):
        return "nothing"
    if isinstance(value, dict):
        return "a mapping"
    return "a list" if isinstance(value, (list, tuple)) else f"'{printable(value, 40)}'"


def read_bytes(path: str | os.PathLike[str]) -> bytes:
    """The bytes of a specification's file, or of standard input for "-".

    Raises:
        SpecErrors: There is no such file, it is no ordinary file, or it is larger than `MAX_BYTES`.
    """
    name = os.fspath(path)
    if name == "-":
        return _within_bounds(sys.stdin.buffer.read(MAX_BYTES + 1), "<stdin>")
    try:
        kind = os.stat(name).st_mode
        if stat.S_ISDIR(kind):
            raise _refused(name, "is a directory; name one file of it")
        if not stat.S_ISREG(kind) and not stat.S_ISFIFO(kind) and not stat.S_ISCHR(kind):
            raise _refused(name, "is not a file")
        if stat.S_ISREG(kind) and (size := os.stat(name).st_size) > MAX_BYTES:
            raise _too_large(name, f"{size:,}")
        with Path(name).open("rb") as file:
            return _within_bounds(file.read(MAX_BYTES + 1), name)
    except OSError as error:
        raise _refused(name, f"cannot be read: {(error.strerror or str(error)).lower()}") from None
    except ValueError as error:
        if isinstance(error, SpecErrors):
            raise
        raise _refused(repr(name), "is not a path") from None


def _within_bounds(data: bytes, name: str) -> bytes:
    if len(data) > MAX_BYTES:
        raise _too_large(name, f"more than {MAX_BYTES:,}")
    return data


def _too_large(name: str, size: str) -> SpecErrors:
    return _refused(name, f"has {size} bytes; a specification has at most {MAX_BYTES:,}")


def _refused(name: str, message: str) -> SpecErrors:
    return SpecErrors([SpecError(f"{name}: {message}")])


def decode(data: bytes, name: str) -> str:
    """UTF-8 text of the bytes.

    Raises:
        SpecErrors: They are not UTF-8; names the first byte that is not.
    """
    data = data.removeprefix(BOM_UTF8)
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        readable = data.decode(errors="replace")
        at = _position(_source(readable, name), readable, len(data[: error.start].decode(errors="replace")))
        byte = data[error.start]
        raise SpecErrors([SpecError(f"not UTF-8: found the byte 0x{byte:02x}; save the file as UTF-8", at)]) from None


def parse(
    text: str, name: str = "<text>", faults: list[SpecError] | None = None, wanted: str = SPECIFICATION
) -> Mapping:
    """The mapping that a YAML text holds.

    Args:
        text: The YAML text.
        name: What its faults call it.
        faults: Takes the faults that do not keep the text from being read; without it they are raised.
        wanted: What such a file is, as an error says it.

    Raises:
        SpecErrors: It is no YAML mapping, or goes beyond a bound; says where.
    """
    if len(text) > MAX_BYTES:
        raise _too_large(name, f"{len(text):,}")
    source = _source(text, name)
    builder = _TreeBuilder(source, [] if faults is None else faults)
    try:
        tree = builder.build(_events(text, source))
        if isinstance(tree, Nothing):
            raise SpecError(f"the file is empty; {wanted}", Mark(source, 1, 1))
        if not isinstance(tree, Mapping):
            raise SpecError(wanted, Mark(source, 1, 1))
    except SpecError as error:
        raise SpecErrors([*builder.faults, error]) from None
    if faults is None and builder.faults:
        raise SpecErrors(builder.faults)
    return tree


def _source(text: str, name: str) -> SourceText:
    """The lines as they are shown under an error: what a terminal would obey is replaced, one character by one."""
    return SourceText(name, tuple(visible_text(line, but="\t") for line in LINE_BREAK.split(text)))


def _events(text: str, source: SourceText) -> Iterator[Any]:
    reader = YAML(typ="safe", pure=True)
    try:
        yield from reader.parse(text)
    except MarkedYAMLError as error:
        place = error.problem_mark or error.context_mark
        mark = Mark(source, place.line + 1, place.column + 1) if place else Mark(source, 1, 1)
        raise SpecError(f"not YAML: {_problem(error)}", mark) from None
    except ReaderError as error:
        at = _position(source, text, error.position)
        raise SpecError(f"not YAML: the character U+{ord(text[error.position]):04X} is not allowed", at) from None
    except (YAMLError, ValueError, OverflowError, AttributeError, TypeError, IndexError, KeyError, AssertionError):
        # ruamel lets some of these out on malformed directives and escapes
        raise SpecError("not YAML: malformed", Mark(source, 1, 1)) from None


_PLAINER = {
    "found character '\\t' that cannot start any token": "a tab cannot indent; use spaces",
    "mapping values are not allowed here": "a second ':' on the line; put a text that holds ': ' into quotes",
    "expected <block end>, but found": "the indentation does not fit the lines above",
    "could not find expected ':'": "a ':' is missing after the key",
    "found unexpected end of stream": "the file ends before the closing quote",
    "<stream end>": "the file ends before the closing bracket",
}
"""The parser's commonest complaints, and what they mean for whoever wrote the file."""


def _problem(error: MarkedYAMLError) -> str:
    problem = printable(error.problem or error.context or "malformed")
    plainer = next((plain for phrase, plain in _PLAINER.items() if phrase in problem), problem)
    begun = error.context_mark
    if begun is None or error.problem_mark is None or begun.line == error.problem_mark.line:
        return plainer
    return f"{plainer} ({printable(error.context)} that begins at line {begun.line + 1})"


def _position(source: SourceText, text: str, index: int) -> Mark:
    """The place of the character at an index of the text."""
    lines = LINE_BREAK.split(text[:index])
    return Mark(source, len(lines), len(lines[-1]) + 1)


@dataclass(slots=True)
class _Open:
    """A collection whose end has not come; a mapping waits for the value of `key`."""

    value: Any
    anchor: str | None
    key: Scalar | None = None


class _TreeBuilder:
    """Builds one tree from a parser's events, without recursion."""

    def __init__(self, source: SourceText, faults: list[SpecError]) -> None:
        self.source = source
        self.faults = faults
        self.open: list[_Open] = []
        self.anchors: dict[str, Tree] = {}
        self.sizes: dict[str, int] = {}
        self.nodes = 0
        self.root: Tree = Nothing(Mark(source, 1, 1))
        self.documents = 0

    def build(self, events: Iterator[Any]) -> Tree:
        for event in events:
            getattr(self, f"_on_{type(event).__name__}", self._ignore)(event)
        return self.root

    def _ignore(self, event: Any) -> None:
        """Stream and document ends say nothing."""

    def _on_DocumentStartEvent(self, event: Any) -> None:  # noqa: N802  # the parser's names
        self.documents += 1
        if self.documents > 1:
            raise SpecError("a second document begins; a file holds one specification", self._mark(event))

    def _on_ScalarEvent(self, event: Any) -> None:  # noqa: N802
        self._begin(event)
        mark = self._mark(event)
        if len(event.value) > MAX_SCALAR:
            raise SpecError(f"a text of {len(event.value):,} characters; at most {MAX_SCALAR:,} are allowed", mark)
        if not event.value.isascii() and SURROGATE.search(event.value):
            self._fault("an escape such as \\ud800 stands for no character", mark)
        if event.style is None and event.value in {"", "~", "null"}:
            waiting = self.open[-1].key if self.open and not event.value else None
            self._place(Nothing(waiting.at if waiting else mark), event, mark)
        else:
            self._place(Scalar(event.value, mark, self._first(event, mark)), event, mark)

    def _first(self, event: Any, mark: Mark) -> Mark | None:
        """Where the first character of a scalar stands, unless escapes or line breaks moved the others."""
        quotes = 0 if event.style is None else 1
        written = event.end_mark.index - event.start_mark.index - 2 * quotes
        same = event.style in {None, "'", '"'} and written == len(event.value)
        return mark.shifted(quotes) if same else None

    def _on_SequenceStartEvent(self, event: Any) -> None:  # noqa: N802
        self._begin(event)
        self._push(Sequence(self._mark(event)), event)

    def _on_MappingStartEvent(self, event: Any) -> None:  # noqa: N802
        self._begin(event)
        self._push(Mapping(self._mark(event)), event)

    def _on_SequenceEndEvent(self, _: Any) -> None:  # noqa: N802
        closed = self.open.pop()
        if closed.anchor is not None:
            self.anchors[closed.anchor] = closed.value
            self.sizes[closed.anchor] = self.nodes - self.sizes[closed.anchor]

    _on_MappingEndEvent = _on_SequenceEndEvent  # noqa: N815

    def _on_AliasEvent(self, event: Any) -> None:  # noqa: N802
        mark = self._mark(event)
        if event.anchor not in self.anchors:
            known = "not closed yet" if event.anchor in self.sizes else "not defined"
            raise SpecError(f"the anchor '&{printable(event.anchor)}' is {known}", mark)
        self._count(self.sizes[event.anchor], mark)
        self._place(self.anchors[event.anchor], None, mark)

    def _begin(self, event: Any) -> None:
        if event.tag is not None and str(event.tag) != "!":
            tag = printable(str(event.tag).replace("tag:yaml.org,2002:", "!!"))
            self._fault(f"the tag '{tag}' is not allowed; write the plain value", self._mark(event))
        self._count(1, self._mark(event))
        if len(self.open) >= MAX_DEPTH:
            raise SpecError(f"nested more than {MAX_DEPTH} deep", self._mark(event))

    def _count(self, nodes: int, mark: Mark) -> None:
        self.nodes += nodes
        if self.nodes > MAX_NODES:
            raise SpecError(f"more than {MAX_NODES:,} values, aliases counted as often as they are used", mark)

    def _push(self, value: Mapping | Sequence, event: Any) -> None:
        self._place(value, None, value.at)
        if event.anchor is not None:
            self.anchors.pop(event.anchor, None)
            self.sizes[event.anchor] = self.nodes - 1
        self.open.append(_Open(value, event.anchor))

    def _place(self, value: Tree, event: Any, mark: Mark) -> None:
        """Put a value where the text has it: as the root, an element, a key, or the value of the waiting key."""
        if event is not None and event.anchor is not None:
            self.anchors[event.anchor], self.sizes[event.anchor] = value, 1
        if not self.open:
            self.root = value
            return
        parent = self.open[-1]
        if isinstance(parent.value, Sequence):
            parent.value.append(value)
        elif parent.key is None:
            parent.key = self._checked_key(value, parent.value, mark)
        else:
            parent.value[parent.key] = value
            parent.key = None

    def _fault(self, message: str, mark: Mark) -> None:
        self.faults.append(SpecError(message, mark))
        if len(self.faults) > SpecErrors.shown:
            raise SpecErrors(self.faults)

    def _checked_key(self, key: Tree, mapping: Mapping, mark: Mark) -> Scalar:
        if not isinstance(key, Scalar):
            raise SpecError("a key must be a word", mark)
        if key == "<<":
            raise SpecError("merge keys are not allowed; a block with arguments says the same", mark)
        if key in mapping:
            first = mapping.key(key).line
            self._fault(f"the key '{printable(key)}' stands here a second time; the first is in line {first}", mark)
        if len(mapping) >= MAX_KEYS:
            raise SpecError(f"more than {MAX_KEYS} keys in one mapping", mark)
        return key

    def _mark(self, event: Any) -> Mark:
        return Mark(self.source, event.start_mark.line + 1, event.start_mark.column + 1)
