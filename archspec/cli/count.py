"""`archspec count`: what a network costs."""

import rich_click as click

from archspec import architecture
from archspec.cli.formats import format_option, tell
from archspec.cli.options import COUNTING, bindings, counting_options, set_option, spec_argument
from archspec.cost import DIALECTS, GROUPINGS, Counting, dialect, requested
from archspec.report.cost import cost
from archspec.report.formats import MACHINES


@click.command("count")
@spec_argument
@set_option
@click.option("--by", type=click.Choice(GROUPINGS), help="Group the rows. Printed tables: block; json and csv: layer.")
@click.option("--depth", type=click.IntRange(1, 100), help="Group by the first N parts of the layers' names.")
@counting_options("batch", "policy", "dtype", "order", "in_place", "weight_bits")
@COUNTING["convention"]
@click.option("--like", metavar="TOOL", help=f"Print the number of a counter: {', '.join(DIALECTS)}.")
@format_option()
def command(
    spec: str,
    settings: tuple[str, ...],
    by: str | None,
    depth: int | None,
    convention: str | None,
    like: str | None,
    form: str,
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
    arch = architecture.load(spec)
    table = arch.count(bindings(settings), counting)
    grouping = depth or by or ("layer" if form in MACHINES else "block")
    tell(cost(table, grouping), form)
