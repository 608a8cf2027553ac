"""`archspec schema`: the language as JSON Schema."""

import json

import rich_click as click

from archspec import language
from archspec.cli.echo import say


@click.command("schema")
def command() -> None:
    """Print the JSON Schema of specifications, for editors (yaml-language-server)."""
    say(json.dumps(language.schema(), indent=2, ensure_ascii=False))
