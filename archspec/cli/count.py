"""`archspec count`: what a network costs."""

import click

from archspec.cli import complete
from archspec.cli.options import (
    COUNTING,
    counting_options,
    format_option,
    network,
    print_report,
    set_option,
    spec_argument,
    verb,
)
from archspec.cost import DIALECTS, GROUPINGS, Counting, dialect, requested
from archspec.report.columns import named
from archspec.report.cost import cost
from archspec.report.formats import MACHINES


@verb("count")
@spec_argument
@set_option
@click.option(
    "--by",
    type=click.Choice((*GROUPINGS, "tree")),
    help="Group the rows. tree: every part under its whole.  [default: block; of json and csv: layer]",
)
@click.option(
    "--columns",
    metavar="NAME,…",
    shell_complete=complete.columns,
    help="input, kernel, stride, groups, any quantity, share, …",
)
@click.option("--depth", type=click.IntRange(1, 100), help="Group by the first N parts of the layers' names.")
@counting_options("batch", "policy", "dtype", "order", "in_place", "weight_bits")
@COUNTING["convention"]
@click.option(
    "--like",
    metavar="TOOL",
    shell_complete=complete.counters,
    help=f"Print the number of a counter: {', '.join(DIALECTS)}.",
)
@format_option()
def command(  # noqa: PLR0913  # one argument an option
    spec: str,
    settings: tuple[str, ...],
    by: str | None,
    depth: int | None,
    columns: str | None,
    convention: str | None,
    like: str | None,
    output_format: str,
    counting: Counting,
) -> None:
    """Count parameters, multiply-accumulates, FLOPs, activations and bytes.

    Rows that repeat are folded (×5) and show what they cost together, so that every column adds up to its total.
    """
    if by is not None and depth is not None:
        raise click.UsageError("--by and --depth both group the rows; give one of them")
    if convention is not None and like is not None:
        raise click.UsageError("--convention and --like both say what counts; give one of them")
    counting = requested(counting, {"convention": dialect(like) if like else convention or "default"})
    arch, bound = network(spec, settings)
    table = arch.count(bound, counting)
    grouping = depth or by or ("layer" if output_format in MACHINES else "block")
    print_report(cost(table, grouping, named(columns) if columns is not None else None), output_format)
