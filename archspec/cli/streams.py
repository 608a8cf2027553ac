"""The standard streams of a command: some are closed, some lead to a full disk, and some readers go away."""

import os
import sys
from collections.abc import Callable
from contextlib import suppress


def run_with_streams(command: Callable[[], object]) -> int | str | None:
    """Run a command; gives its exit code, or 2 and a sentence where what it says cannot be written."""
    _open()
    try:
        code = _code(command)
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
    except BrokenPipeError:
        _silence()
        return 0
    except OSError as error:
        what = error.filename or "standard output"
        with suppress(OSError):
            sys.stderr.write(f"archspec: {what} cannot be written: {error.strerror or error}\n")
            sys.stderr.flush()
        _silence()
        return 2
    return code


def _code(command: Callable[[], object]) -> int | str | None:
    try:
        command()
    except SystemExit as end:
        return end.code
    return 0


def _open() -> None:
    """Open what the shell has closed: input that is empty, output that refuses, errors that nobody reads.

    A number that is free would else go to the next file that is opened, and what is printed into that.
    """
    for number, rights in enumerate((os.O_RDONLY, os.O_RDONLY, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, rights)  # the lowest number that is free is this one
    sys.stdin = sys.stdin or os.fdopen(0, closefd=False)
    sys.stdout = sys.stdout or os.fdopen(1, "w", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", closefd=False)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def _silence() -> None:
    """Let Python's own flush at the end write into nothing."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            os.dup2(nothing, stream.fileno())
