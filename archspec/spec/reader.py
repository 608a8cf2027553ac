"""YAML text to plain mappings, sequences and scalars that know their place; bounded in time and memory.

Read from the parser's events, one by one, so that a hostile text is left at the first excess: nothing is built from
tags, nothing is expanded without being counted, nothing recurses. Scalars stay the text they are; what a text means
(a number, a rational, an expression) is decided by whoever expects it.
"""

import os
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from archspec.errors import Mark, Source, SpecError, SpecErrors

MAX_BYTES = 1_000_000
MAX_DEPTH = 40
MAX_NODES = 50_000
MAX_SCALAR = 10_000


class Scalar(str):
    """A text with its place; `quoted` if it stood in quotes or in a block."""

    __slots__ = ("at", "quoted")
    at: Mark
    quoted: bool

    def __new__(cls, text: str, at: Mark, quoted: bool = False) -> "Scalar":
        """A str, and where it stands."""
        self = super().__new__(cls, text)
        self.at, self.quoted = at, quoted
        return self


class Sequence(list[Any]):
    """A list with its place."""

    def __init__(self, at: Mark) -> None:
        super().__init__()
        self.at = at


class Mapping(dict[str, Any]):
    """A dict with its place; the keys are scalars and know theirs."""

    def __init__(self, at: Mark) -> None:
        super().__init__()
        self.at = at

    def key(self, name: str) -> Mark:
        """The place of a key."""
        return next((key.at for key in self if key == name and isinstance(key, Scalar)), self.at)


Tree: TypeAlias = Mapping | Sequence | Scalar | None


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
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - (data.rfind(b"\n", 0, error.start) + 1) + 1
        mark = Mark(Source(name), line, column)
        byte = data[error.start]
        raise SpecErrors([SpecError(f"not UTF-8: found the byte 0x{byte:02x}; save the file as UTF-8", mark)]) from None


def parse(text: str, name: str = "<text>") -> Mapping:
    """The mapping that a YAML text holds.

    Raises:
        SpecErrors: It is no YAML mapping, or goes beyond a bound; says where.
    """
    source = Source(name, tuple(text.split("\n")))
    try:
        tree = _Builder(source).build(_events(text, source))
    except SpecError as error:
        raise SpecErrors([error]) from None
    if tree is None:
        raise SpecErrors(
            [SpecError("the file is empty; a specification begins with 'archspec: 1'", Mark(source, 1, 1))]
        )
    if not isinstance(tree, Mapping):
        raise SpecErrors([SpecError("a specification is a mapping that begins with 'archspec: 1'", Mark(source, 1, 1))])
    return tree


def _events(text: str, source: Source) -> Iterator[Any]:
    reader = YAML(typ="rt", pure=True)
    try:
        yield from reader.parse(text)
    except MarkedYAMLError as error:
        place = error.problem_mark or error.context_mark
        mark = Mark(source, place.line + 1, place.column + 1) if place else Mark(source, 1, 1)
        raise SpecError(f"not YAML: {_plain(error.problem or error.context)}", mark) from None
    except YAMLError as error:
        raise SpecError(
            f"not YAML: {_plain(getattr(error, 'reason', str(error)))}", _unreadable(error, source)
        ) from None
    except (ValueError, OverflowError, RecursionError, AttributeError, TypeError, IndexError, KeyError, AssertionError):
        # ruamel lets some of these out on malformed directives and escapes
        raise SpecError("not YAML: malformed", Mark(source, 1, 1)) from None


def _plain(problem: object) -> str:
    return " ".join(str(problem).split())[:200]


def _unreadable(error: YAMLError, source: Source) -> Mark:
    position = getattr(error, "position", 0)
    before = "\n".join(source.lines)[: position if isinstance(position, int) else 0]
    return Mark(source, before.count("\n") + 1, len(before) - before.rfind("\n"))


@dataclass(slots=True)
class _Open:
    """A collection whose end has not come; a mapping waits for the value of `key`."""

    value: Any
    anchor: str | None
    key: Scalar | None = None


class _Builder:
    """Builds one tree from a parser's events, without recursion."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.open: list[_Open] = []
        self.anchors: dict[str, Tree] = {}
        self.sizes: dict[str, int] = {}
        self.nodes = 0
        self.root: Tree = None
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
        self._begin(event, tagged=event.tag is not None and event.style is None)
        mark = self._mark(event)
        if len(event.value) > MAX_SCALAR:
            raise SpecError(f"a text of {len(event.value):,} characters; at most {MAX_SCALAR:,} are allowed", mark)
        quoted = event.style is not None
        empty = not quoted and event.value in {"", "~", "null"}
        self._place(None if empty else Scalar(event.value, mark, quoted), event, mark)

    def _on_SequenceStartEvent(self, event: Any) -> None:  # noqa: N802
        self._begin(event, tagged=event.tag is not None)
        self._push(Sequence(self._mark(event)), event)

    def _on_MappingStartEvent(self, event: Any) -> None:  # noqa: N802
        self._begin(event, tagged=event.tag is not None)
        self._push(Mapping(self._mark(event)), event)

    def _on_SequenceEndEvent(self, event: Any) -> None:  # noqa: N802
        closed = self.open.pop()
        if closed.anchor is not None:
            self.anchors[closed.anchor] = closed.value
            self.sizes[closed.anchor] = self.nodes - self.sizes[closed.anchor]

    _on_MappingEndEvent = _on_SequenceEndEvent  # noqa: N815

    def _on_AliasEvent(self, event: Any) -> None:  # noqa: N802
        mark = self._mark(event)
        if event.anchor not in self.anchors:
            known = "not closed yet" if event.anchor in self.sizes else "not defined"
            raise SpecError(f"the anchor '&{_plain(event.anchor)}' is {known}", mark)
        self._count(self.sizes[event.anchor], mark)
        self._place(self.anchors[event.anchor], None, mark)

    def _begin(self, event: Any, tagged: bool) -> None:
        if tagged and str(event.tag) != "!":
            raise SpecError(f"the tag '{_plain(event.tag)}' is not allowed; write the plain value", self._mark(event))
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
            if not isinstance(value, Scalar):
                raise SpecError("a key must be a word", mark)
            if value in parent.value:
                raise SpecError(f"the key '{_plain(value)}' stands here a second time", mark)
            if value == "<<":
                raise SpecError("merge keys are not allowed; a block with arguments says the same", mark)
            parent.key = value
        else:
            parent.value[parent.key] = value
            parent.key = None

    def _mark(self, event: Any) -> Mark:
        return Mark(self.source, event.start_mark.line + 1, event.start_mark.column + 1)
