"""`archspec specialists`: networks for the classes that a trained one confuses."""

from typing import Any

import click

from archspec import runs
from archspec.cli.options import format_option, open_spec, set_option, verb
from archspec.cli.training import (
    folder,
    options_of,
    print_or_interrupt,
    recipe_of,
    recipe_options,
    running_options,
    watcher,
)
from archspec.errors import ArchspecError
from archspec.language import digest
from archspec.report.together import specialists as report

CLUSTERINGS = ("k-means", "online")


@verb("specialists")
@click.argument("spec", metavar="[SPEC]", required=False)
@set_option
@click.option("--from", "generalist", required=True, metavar="RUN", help="The generalist's run.")
@click.option("--count", type=click.IntRange(2, 10_000), default=3, show_default=True, help="Specialists.")
@click.option(
    "--clustering",
    type=click.Choice(CLUSTERINGS),
    default=CLUSTERINGS[0],
    show_default=True,
    help="Of the classes, by the columns of the covariance of the generalist's predictions.",
)
@click.option(
    "--soften",
    type=float,
    default=1.0,
    show_default=True,
    metavar="T",
    help="Temperature of the predictions whose covariance is taken; above 1 where the generalist is good.",
)
@click.option(
    "--likeliest",
    type=click.IntRange(1, 10_000),
    default=1,
    show_default=True,
    help="Ask those specialists that know one of so many of an image's likeliest classes.",
)
@click.option("--data", metavar="DATA", help="As for train.  [default: the generalist's]")
@recipe_options("start", "validation")
@click.option("--out", metavar="DIR", help="The folder of the runs.  [default: runs/SPEC-DATA-specialists-SEED]")
@running_options
@format_option()
def command(
    spec: str | None, settings: tuple[str, ...], generalist: str, count: int, output_format: str, **given: Any
) -> None:
    """Train specialists for the classes that a trained network confuses, and test them all together.

    The run behind --from needs validation images: what it confuses is found on images that it has not learned from.
    Its network needs a symbol `classes`. SPEC, if it is given, is that network.

    The same command again goes on with what was interrupted. Exit codes are those of train.
    """
    run = runs.load(generalist)
    arch = run.architecture()
    if spec is not None:
        other, bound, _ = open_spec(spec, settings)
        if digest(other.document) != digest(arch.document):
            raise ArchspecError(f"{generalist}: is a run of {arch.name}, and not of {spec} as it is here")
        open_spec(generalist, tuple(f"{name}={value}" for name, value in bound.items()))
    elif settings:
        raise ArchspecError("--set is of a SPEC; a run has its bindings")
    source = given["data"] or run.source
    recipe = recipe_of(arch.name, source, given)
    out = folder(given["out"], arch.name, source, "specialists", recipe.seed)
    from archspec.train.specialists import specialise

    found = specialise(
        generalist,
        count,
        recipe,
        out=out,
        clustering=given["clustering"],
        soften=given["soften"],
        likeliest=given["likeliest"],
        source=given["data"],
        options=options_of(given),
        watcher=watcher(),
    )
    print_or_interrupt(found, report, output_format)
