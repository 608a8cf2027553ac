"""`archspec schema`: the language as JSON Schema."""

import click

from archspec import language
from archspec.cli.echo import echo_message
from archspec.cli.verbs import Verb
from archspec.writing import json_text


@click.command("schema", cls=Verb)
def command() -> None:
    """Print the JSON Schema of specifications, for editors (yaml-language-server)."""
    echo_message(json_text(language.schema()))
