"""`archspec plot`: one verb for each kind of picture of the register."""

from collections.abc import Callable
from typing import Any

import click

from archspec.cli.echo import echo_message
from archspec.cli.picture_options import OPTIONS, Decorator
from archspec.cli.plotting import SOURCES
from archspec.cli.verbs import Verb, VerbGroup
from archspec.draw.register import PICTURES, Picture


@click.group("plot", cls=VerbGroup)
def command() -> None:
    """Draw what was counted, searched, printed or trained: one kind of picture after the other.

    The ending of the file says how it is written: .svg, .png, .pdf, .html (a page that needs no network), or .json
    (Vega-Lite). docs/gallery.md shows every kind.
    """


def _verb(picture: Picture) -> click.Command:
    """The verb of a kind of picture: the options of what it is made from, and its own."""
    source = SOURCES.get(picture.name) or SOURCES[picture.source]

    def run(output: str, **given: Any) -> None:
        from archspec.draw import export

        export.check_ending(output)
        own = {name: given.pop(name) for name in picture.takes}
        chosen = {name: value for name, value in own.items() if value is not None}
        echo_message(export.save(picture.draw(*source.make(**given), **chosen), output))

    decorated: Callable[..., Any] = run
    options: tuple[Decorator, ...] = (*source.options, *(OPTIONS[name] for name in picture.takes), _output)
    for option in reversed(options):
        decorated = option(decorated)
    return click.command(picture.name, Verb, help=picture.shows)(decorated)


_output = click.option("-o", "--output", required=True, metavar="FILE", help="x.svg, x.png, x.pdf, x.html or x.json.")

for _picture in PICTURES.values():
    if _picture.verb == "plot":
        command.add_command(_verb(_picture))
