"""The kinds of command that verbs are: click's own, whose help is drawn by rich. That is loaded for help alone."""

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich_click import RichCommand


class Verb(click.Command):
    """A command."""

    def get_help(self, ctx: click.Context) -> str:
        """What it says of itself, in the width of the terminal."""
        from rich_click import RichContext

        drawn = _drawn(self, ctx)
        return drawn.get_help(RichContext(drawn, ctx.parent, ctx.info_name, **self.context_settings))


class VerbGroup(Verb, click.Group):
    """A command of several."""

    command_class = Verb


def _drawn(command: click.Command, ctx: click.Context) -> "RichCommand":
    """The same as rich draws it."""
    from rich_click import RichCommand, RichGroup

    said: dict[str, Any] = {"name": command.name, "params": command.params, "help": command.help}
    if not isinstance(command, click.Group):
        return RichCommand(**said)
    listed = {name: command.get_command(ctx, name) for name in command.list_commands(ctx)}
    return RichGroup(**said, commands={name: _drawn(each, ctx) for name, each in listed.items() if each})
