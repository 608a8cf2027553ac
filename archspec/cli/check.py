"""`archspec check`: whether specifications are sound."""

import sys

import rich_click as click

from archspec import architecture
from archspec.cli.echo import echo_error, echo_message
from archspec.cli.options import bindings, set_option
from archspec.errors import ArchspecError
from archspec.language.rules import channels_last


@click.command("check")
@click.argument("specs", metavar="SPEC…", nargs=-1, required=True)
@set_option
def command(specs: tuple[str, ...], settings: tuple[str, ...]) -> None:
    """Read specifications and expand them; name every fault with its place."""
    values = bindings(settings)
    faulty = 0
    for spec in specs:
        try:
            network = architecture.load(spec).expand(values)
        except ArchspecError as error:
            faulty += 1
            echo_error(error)
        else:
            if hint := channels_last(network.input.shape[1:]):
                echo_error(f"{spec}: note: {hint}")
            echo_message(f"{spec}: sound; {len(network.nodes)} layers, {network.input} → {network.nodes[-1].output}")
    if faulty:
        sys.exit(2)
