"""`archspec sensitivity`: how a cost answers to its symbols."""

import click

from archspec.cli import complete
from archspec.cli.options import (
    counting_options,
    format_option,
    names,
    network,
    print_report,
    quantity_option,
    set_option,
    spec_argument,
    verb,
)
from archspec.cost import Counting


@verb("sensitivity")
@spec_argument
@quantity_option
@click.option(
    "--for",
    "symbols",
    shell_complete=complete.symbols,
    metavar="NAME,…",
    help="Of these symbols alone.  [default: all numbers]",
)
@set_option
@counting_options()
@format_option()
def command(
    spec: str, quantity: str, symbols: str | None, settings: tuple[str, ...], output_format: str, counting: Counting
) -> None:
    """Say by how many percent a cost grows when a symbol does by one, and what the next network really costs."""
    from archspec.report.sensitivity import sensitivity

    arch, bound = network(spec, settings)
    found = arch.sensitivity(quantity, bound, counting, symbols=names(symbols, "--for"))
    print_report(sensitivity(found), output_format)
