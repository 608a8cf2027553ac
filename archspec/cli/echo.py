"""The ways to the terminal: whatever a user, a file or a name brought into a message is made printable on its way.

Of the standard streams some are closed, some lead to a full disk, and some readers go away.
"""

import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import click
from click.exceptions import Exit, NoArgsIsHelpError

from archspec.writing import terminal

if TYPE_CHECKING:
    from archspec.compress.progress import Progress


ONE_SPEC = frozenset({"count", "formula", "memory", "show", "explain"})
"""Verbs of one specification that are asked of several."""

OPTIONS = {
    **dict.fromkeys(("--flash", "--rom", "--size", "--bytes", "--model-size"), "--weight-bytes"),
    **dict.fromkeys(("--ram", "--sram", "--peak", "--peak-memory"), "--memory"),
}
"""An option by what else it is called."""


def echo_message(message: object) -> None:
    """A message on standard output."""
    click.echo(terminal(message))


def echo_error(message: object) -> None:
    """What is wrong, on standard error."""
    click.echo(terminal(message), err=True)


@contextmanager
def progress_of(what: str) -> Iterator["Progress"]:
    """A bar on standard error while work goes on, where that is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    from archspec.compress.progress import silent

    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        yield silent
        return
    columns = TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn(), TimeRemainingColumn()
    with Bar(*columns, console=console, transient=True) as bar:
        task = bar.add_task(what, total=None)

        def told(name: str, done: int, total: int) -> None:
            bar.update(task, description=f"{what} {name}", completed=done, total=total)

        yield told


@contextmanager
def printable_faults() -> Iterator[None]:
    """Say what click refuses inside as one sentence of ours, printable whatever the arguments hold, and exit 2."""
    try:
        yield
    except NoArgsIsHelpError as help_instead:
        click.echo(help_instead.message)
        raise Exit(2) from None
    except click.ClickException as error:
        echo_error(_sentence(error))
        raise Exit(2) from None


def _sentence(error: click.ClickException) -> str:
    """What is wrong, and which help says more.

    >>> _sentence(click.UsageError("Missing argument 'SPEC'."))
    "missing argument 'SPEC'"
    """
    context = getattr(error, "ctx", None)
    said = _called_otherwise(error) or error.format_message()
    sentence = re.sub(r"\.? \(?Did you mean(?: one of:)? (.*?)\)?$", r"; did you mean \1", said).rstrip(".")
    more = f"; see {context.command_path} --help" if context else ""
    return f"{sentence[:1].lower()}{sentence[1:]}{_several(error)}{more}"


def _called_otherwise(error: click.ClickException) -> str:
    """What is wrong with an option that the verb has under another name; nothing if it is none of those."""
    if not isinstance(error, click.NoSuchOption) or error.ctx is None:
        return ""
    names = [name for parameter in error.ctx.command.params for name in parameter.opts]
    meant = OPTIONS.get(error.option_name)
    return f"{error.message.rstrip('.')}; did you mean '{meant}'?" if meant in names else ""


def _several(error: click.ClickException) -> str:
    """What takes several specifications, where a verb that takes one was given more."""
    verb = error.ctx.info_name if isinstance(error, click.UsageError) and error.ctx else None
    if verb in ONE_SPEC and error.message.startswith("Got unexpected extra argument"):
        return f"; {verb} takes one specification, and archspec compare several"
    return ""


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
