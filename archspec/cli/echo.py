"""The ways to the terminal: whatever a user, a file or a name brought into a message is made printable on its way."""

from collections.abc import Iterator
from contextlib import contextmanager

import rich_click as click

from archspec.writing import terminal


def echo_message(message: object) -> None:
    """A message on standard output."""
    click.echo(terminal(message))


def echo_error(message: object) -> None:
    """What is wrong, on standard error."""
    click.echo(terminal(message), err=True)


@contextmanager
def printable_faults() -> Iterator[None]:
    """Make the message printable of what click refuses inside: it holds arguments as they were given."""
    try:
        yield
    except click.ClickException as error:
        error.message = terminal(error.message)  # type: ignore[misc]  # final, and still the only place of it
        raise
