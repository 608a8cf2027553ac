"""`archspec show`: a specification as its paper prints it, and as it is built."""

import rich_click as click

from archspec import architecture
from archspec.cli.formats import format_option, print_report
from archspec.cli.options import bindings, set_option, spec_argument
from archspec.report.show import show


@click.command("show")
@spec_argument
@set_option
@format_option()
def command(spec: str, settings: tuple[str, ...], output_format: str) -> None:
    """Print the symbols, the blocks and the tables, nominal and built numbers side by side (64 → 48)."""
    print_report(show(architecture.load(spec).expand(bindings(settings))), output_format)
