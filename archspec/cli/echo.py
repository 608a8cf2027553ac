"""The ways to the terminal: whatever a user, a file or a name brought into a message is made printable on its way."""

from collections.abc import Iterator
from contextlib import contextmanager

import rich_click as click

from archspec.writing import terminal

ONE_SPEC = frozenset({"count", "formula", "memory", "show", "explain"})
"""Verbs of one specification that are asked of several."""


def say(message: object) -> None:
    """A message on standard output."""
    click.echo(terminal(message))


def fault(message: object) -> None:
    """What is wrong, on standard error."""
    click.echo(terminal(message), err=True)


@contextmanager
def printable_faults() -> Iterator[None]:
    """Make the message printable of what click refuses inside: it holds arguments as they were given."""
    try:
        yield
    except click.ClickException as error:
        error.message = terminal(error.message + _several(error))  # type: ignore[misc]  # final, and still the only place of it
        raise


def _several(error: click.ClickException) -> str:
    """What takes several specifications, where a verb that takes one was given more."""
    verb = error.ctx.info_name if isinstance(error, click.UsageError) and error.ctx else None
    if verb in ONE_SPEC and error.message.startswith("Got unexpected extra argument"):
        return f"; {verb} takes one specification, and archspec compare several"
    return ""
