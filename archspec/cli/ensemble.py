"""`archspec ensemble`: several trainings of a network, what they say together, and one that is distilled from them."""

from typing import Any

import click

from archspec.cli.options import format_option, open_spec, set_option, spec_argument, verb
from archspec.cli.training import (
    folder,
    options_of,
    print_or_interrupt,
    recipe_of,
    recipe_options,
    running_options,
    watcher,
)
from archspec.report.together import ensemble as report


@verb("ensemble")
@spec_argument
@set_option
@click.option("--count", type=click.IntRange(2, 1000), default=10, show_default=True, help="Members.")
@click.option("--temperature", metavar="T", help="Of the soft targets.  [default: 20]")
@click.option("--hard", metavar="SHARE", help="The share of the loss against the labels.  [default: 0.1]")
@click.option("--data", metavar="DATA", default="digits", show_default=True, help="As for train.")
@recipe_options()
@click.option("--out", metavar="DIR", help="The folder of the runs.  [default: runs/SPEC-DATA-ensemble-SEED]")
@running_options
@format_option()
def command(spec: str, settings: tuple[str, ...], count: int, output_format: str, **given: Any) -> None:
    """Train a network several times, and distil one like it from all of them.

    The members' seeds follow one another. The table holds the members, the mean of their probabilities, and the
    network that is distilled from that mean.

    The same command again goes on with what was interrupted. Exit codes are those of train.
    """
    arch, bound, _ = open_spec(spec, settings)
    recipe = recipe_of(arch.name, given["data"], given)
    out = folder(given["out"], arch.name, given["data"], "ensemble", recipe.seed)
    keys = {key: given[key] for key in ("temperature", "hard") if given[key] is not None}
    from archspec.train.ensemble import ensemble

    found = ensemble(
        arch,
        given["data"],
        recipe,
        count,
        out=out,
        bindings=bound,
        distil=keys,
        options=options_of(given),
        watcher=watcher(),
    )
    print_or_interrupt(found, report, output_format)
