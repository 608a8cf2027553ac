"""Files that are there whole, or not at all; locks that a dead owner does not hold; what a damaged file can raise."""

import errno
import lzma
import os
import shutil
import stat
import struct
import sys
import tempfile
import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from archspec.errors import ArchspecError
from archspec.result import short

DAMAGED: tuple[type[Exception], ...] = (
    OSError, EOFError, ValueError, RuntimeError, ArithmeticError, LookupError, SyntaxError, TypeError, AttributeError,
    MemoryError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error,
    tokenize.TokenError,
)  # fmt: skip
"""What the readers of zip files, images and NumPy headers are known to raise on damaged ones (found by fuzzing)."""

ASIDE = ".archspec-"
"""How the name of a folder begins in which a file is written before it takes its place."""

BUSY = frozenset({errno.EACCES, errno.EAGAIN, errno.EWOULDBLOCK})


@dataclass(frozen=True, slots=True, repr=False)
class WrittenFile:
    """A file that was written.

    Attributes:
        path: Where it is.
        bytes: Its size.
        facts: What it is, in a few words each.
    """

    path: Path
    bytes: int
    facts: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.path}: {self.bytes:,} B; {'; '.join(self.facts)}"

    def __repr__(self) -> str:
        return short(self, self.path.name, f"{self.bytes:,} B")


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """A new file in a folder beside the target, which takes the target's place when it is whole, and is gone otherwise.

    A link stays: the file that it leads to is replaced. What is no ordinary file, a pipe or a device such as
    /dev/stdout, is written to. What a killed process left beside the target is removed.

    Raises:
        ArchspecError: It cannot be written.
    """
    with _refusing(target):
        place = Path(os.path.realpath(target))
        stream = _is_stream(target, place)
        with _aside(Path(tempfile.gettempdir()) if stream else place.parent) as folder:
            file = folder / f"new{target.suffix}"
            file.touch()
            yield file
            _pour(file, target) if stream else _publish(file, place)


@contextmanager
def _refusing(target: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, MemoryError) as error:
        why = getattr(error, "strerror", None) or str(error) or "there is not enough memory"
        raise ArchspecError(f"cannot write {target}: {why}") from None


def _is_stream(target: Path, place: Path) -> bool:
    """Whether a target is written to, not replaced: a pipe, a device, or what a standard stream leads to.

    Raises:
        OSError: It is a folder, or may not be written.
    """
    try:
        found = target.stat()
    except FileNotFoundError:
        return False
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    return not stat.S_ISREG(found.st_mode) or not place.exists() or _descriptor(found) is not None


def _descriptor(found: os.stat_result) -> int | None:
    """The standard stream, out or error, that leads to a file: what `>` has opened is not opened again."""
    for descriptor in (1, 2):
        with suppress(OSError):
            if os.path.samestat(found, os.fstat(descriptor)):
                return descriptor
    return None


def _pour(file: Path, target: Path) -> None:
    descriptor = _descriptor(target.stat())
    sink = target.open("wb") if descriptor is None else os.fdopen(os.dup(descriptor), "wb")
    with file.open("rb") as source, sink:
        shutil.copyfileobj(source, sink)


def _publish(file: Path, place: Path) -> None:
    """Put a whole file in its place, with the rights of the one that was there."""
    if place.exists():
        file.chmod(stat.S_IMODE(place.stat().st_mode))
    settle(file)
    os.replace(file, place)


def settle(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk; Windows opens no folder, and needs no waiting."""
    if os.name == "nt" and path.is_dir():
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _aside(parent: Path) -> Iterator[Path]:
    """A new folder in another, locked as long as its owner lives; those of dead owners are removed first."""
    for folder in parent.glob(f"{ASIDE}????????"):
        _sweep(folder)
    folder, handle = _own(parent)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if handle is not None:
            os.close(handle)


def _own(parent: Path) -> tuple[Path, int | None]:
    """A new folder and its lock; where another has swept it away before it was locked, the next one."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=ASIDE, dir=parent))
        if os.name == "nt":
            return folder, None
        with suppress(FileNotFoundError):
            handle = os.open(folder, os.O_RDONLY)
            if locked(handle) and folder.exists():
                return folder, handle
            os.close(handle)


def _sweep(folder: Path) -> None:
    """Remove a folder of ours whose owner is dead."""
    if os.name == "nt":
        return
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            if os.fstat(handle).st_uid == os.geteuid() and locked(handle, sure=True):
                shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(handle)


def read_text(path: str, most: int) -> str:
    """The text of a file, of which no more is read than it may have; what is not UTF-8 is marked.

    Raises:
        ArchspecError: It cannot be read, or has more than `most` bytes.
    """
    try:
        with Path(path).open("rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        raise ArchspecError(f"{path}: cannot be read: {error.strerror or error}") from None
    if len(data) > most:
        raise ArchspecError(f"{path}: is longer than {most:,} bytes")
    return data.decode("utf-8", "replace")


def resolve_below(root: Path, path: Path) -> Path | None:
    """A path with all links followed, if it leads below a folder; what a text names is looked for nowhere else.

    >>> resolve_below(Path("/specs"), Path("/specs/../etc/passwd")) is None
    True
    """
    if "\0" in str(path):
        return None
    place = Path(os.path.realpath(path))
    return place if place.is_relative_to(os.path.realpath(root)) else None


def locked(handle: int, *, sure: bool = False) -> bool:
    """Whether an open file is ours alone from now on, until it is closed or its owner dies, in whatever way.

    Args:
        handle: The file, open; for writing too, where a network's file system is to lock it.
        sure: What to say where the file system knows no locks: no, instead of yes.
    """
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(handle, 2**30, os.SEEK_SET)  # a byte that nobody reads: a lock keeps readers out there
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
            os.lseek(handle, 0, os.SEEK_SET)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return not sure and error.errno not in BUSY
    return True
