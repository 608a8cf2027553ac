"""`archspec search`: which variants of a network are worth their cost, by training them."""

from typing import Any

import click

from archspec.cli.options import (
    counting_options,
    format_option,
    open_spec,
    ranges_of,
    ranges_option,
    set_option,
    spec_argument,
    verb,
)
from archspec.cli.training import (
    folder,
    options_of,
    print_or_interrupt,
    recipe_of,
    recipe_options,
    running_options,
    watcher,
)
from archspec.cost import Counting
from archspec.report.sweep import search as report


@verb("search")
@spec_argument
@ranges_option("The values of a symbol to choose from: alpha=1/4..2:1/4, side=96,128.", required=True)
@click.option(
    "--objective",
    "wanted",
    default="error,macs",
    show_default=True,
    metavar="[max:]NAME,…",
    help="What is to be little, or much: error, and quantities.",
)
@click.option("--where", multiple=True, metavar="NAME<=BOUND", help="Train only what is within: 'params<=100k'.")
@click.option("--trials", type=click.IntRange(1, 100_000), default=20, show_default=True, help="How many are trained.")
@set_option
@click.option("--data", metavar="DATA", default="digits", show_default=True, help="As for train.")
@recipe_options(name="--train")
@click.option("--out", metavar="DIR", help="The folder of the search.  [default: runs/SPEC-DATA-search-SEED]")
@running_options
@counting_options("convention", "policy", "dtype", "in_place", "weight_bits")
@format_option()
def command(
    spec: str,
    ranges: tuple[str, ...],
    wanted: str,
    settings: tuple[str, ...],
    output_format: str,
    counting: Counting,
    **given: Any,
) -> None:
    """Train variants of a network, and keep those that no other outdoes in all objectives.

    Each is counted first, and trained only within the bounds, as a run of its own in the folder. NSGA-II chooses the
    next by those before. The same command again goes on with what was interrupted; several at a time share the work.
    Exit codes are those of train.
    """
    arch, bound, _ = open_spec(spec, settings)
    recipe = recipe_of(arch.name, given["data"], given)
    out = folder(given["out"], arch.name, given["data"], "search", recipe.seed)
    from archspec.train.search import search

    found = search(
        arch,
        ranges_of(ranges),
        given["data"],
        recipe,
        wanted,
        given["trials"],
        out=out,
        where=given["where"],
        bindings=bound,
        counting=counting,
        options=options_of(given),
        watcher=watcher(),
    )
    print_or_interrupt(found, report, output_format)
