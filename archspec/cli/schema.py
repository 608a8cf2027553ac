"""`archspec schema`: the language as JSON Schema."""

import rich_click as click

from archspec import language
from archspec.cli.echo import echo_message
from archspec.writing import json_text


@click.command("schema")
def command() -> None:
    """Print the JSON Schema of specifications, for editors (yaml-language-server)."""
    echo_message(json_text(language.schema()))
