"""`archspec schema`: the language as JSON Schema."""

import json

import rich_click as click

from archspec import language
from archspec.cli.echo import echo_message


@click.command("schema")
def command() -> None:
    """Print the JSON Schema of specifications, for editors (yaml-language-server)."""
    echo_message(json.dumps(language.schema(), indent=2, ensure_ascii=False))
