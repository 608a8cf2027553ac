"""`archspec crossover`: which layers dominate a cost where."""

import click

from archspec.cli import complete
from archspec.cli.options import (
    counting_options,
    format_option,
    network,
    print_report,
    quantity_option,
    set_option,
    spec_argument,
    verb,
)
from archspec.cost import Counting


@verb("crossover")
@spec_argument
@click.option(
    "--for",
    "symbol",
    shell_complete=complete.symbols,
    required=True,
    metavar="NAME",
    help="The symbol that moves: alpha, side.",
)
@quantity_option
@click.option(
    "--by", type=click.Choice(("kind", "operator", "stage")), default="kind", show_default=True, help="Group layers."
)
@click.option("--between", metavar="LOW,HIGH[,STEP]", help="Where to search, instead of the symbol's whole range.")
@set_option
@counting_options("convention", "batch", "dtype", "weight_bits")
@format_option()
def command(
    spec: str,
    symbol: str,
    quantity: str,
    by: str,
    between: str | None,
    settings: tuple[str, ...],
    output_format: str,
    counting: Counting,
) -> None:
    """Say which layers cost most along a symbol, and where one kind of layer passes another.

    Kinds: pointwise, depthwise and other convolutions by their kernels, and every other operator by its name.
    """
    from archspec.report.sensitivity import crossover

    ends = None if between is None else [end.strip() for end in between.split(",")]
    arch, bound = network(spec, settings)
    found = arch.crossover(symbol, quantity, bound, counting, by=by, between=ends)
    print_report(crossover(found), output_format)
