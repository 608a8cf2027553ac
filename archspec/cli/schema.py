"""`archspec schema`: the language as JSON Schema."""

from archspec import language
from archspec.cli.echo import echo_message
from archspec.cli.verbs import verb
from archspec.writing import json_text


@verb("schema")
def command() -> None:
    """Print the JSON Schema of specifications, for editors (yaml-language-server)."""
    echo_message(json_text(language.schema()))
