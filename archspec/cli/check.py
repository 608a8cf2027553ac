"""`archspec check`: whether specifications are sound."""

import sys

import rich_click as click

from archspec.cli.echo import echo_error, echo_message
from archspec.cli.options import network, set_option
from archspec.errors import ArchspecError
from archspec.language.rules import channels_last


@click.command("check")
@click.argument("specs", metavar="SPEC…", nargs=-1, required=True)
@set_option
def command(specs: tuple[str, ...], settings: tuple[str, ...]) -> None:
    """Read specifications and expand them; name every fault with its place."""
    faulty = 0
    for spec in specs:
        try:
            arch, bound = network(spec, settings)
            expanded = arch.expand(bound)
        except ArchspecError as error:
            faulty += 1
            echo_error(error)
        else:
            if hint := channels_last(expanded.input.shape[1:]):
                echo_error(f"{spec}: note: {hint}")
            echo_message(f"{spec}: sound; {len(expanded.nodes)} layers, {expanded.input} → {expanded.nodes[-1].output}")
    if faulty:
        sys.exit(2)
