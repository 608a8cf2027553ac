"""`archspec show`: a specification as its paper prints it, and as it is built."""

import rich_click as click

from archspec import architecture
from archspec.cli.options import bindings, colour, set_option, spec_argument, width
from archspec.report.show import show


@click.command("show")
@spec_argument
@set_option
def command(spec: str, settings: tuple[str, ...]) -> None:
    """Print the symbols, the blocks and the tables, nominal and built numbers side by side (64 → 48)."""
    arch = architecture.load(spec)
    network = arch.expand(bindings(settings))
    click.echo(show(arch.document, network, width=width(), colour=colour()), nl=False)
