"""`archspec train`: a network learns from data."""

from typing import Any

import click

from archspec import runs
from archspec.cli.options import format_option, open_spec, set_option, verb
from archspec.cli.training import (
    changes_of,
    fit_and_print,
    folder,
    options_of,
    recipe_of,
    recipe_options,
    running_options,
)
from archspec.errors import ArchspecError


@verb("train")
@click.argument("spec", metavar="[SPEC]", required=False)
@set_option
@click.option("--data", metavar="DATA", help="digits, mnist:DIR, cifar10:DIR or image-folder:PATH.  [default: digits]")
@recipe_options()
@click.option("--plan", metavar="PLAN", help="Train the network with one-bit layers where a plan says 'binary'.")
@click.option("--out", metavar="DIR", help="The folder of the run.  [default: runs/SPEC-DATA-SEED]")
@click.option(
    "--resume", metavar="[RUN]", is_flag=False, flag_value="", help="Continue the run in a folder, or in --out."
)
@running_options
@format_option()
def command(spec: str | None, settings: tuple[str, ...], output_format: str, **given: Any) -> None:
    """Train a network, and test it after every epoch.

    The folder of the run holds the weights (best.safetensors, last/weights.safetensors), a log of every step
    (log.jsonl), and what they follow from (run.json, spec.yaml). With torchrun, several processes share each batch.

    A run knows its specification: --resume RUN needs no SPEC, --start RUN only where it is to be another.

    Exit 1 when the training cannot go on, 130 when it is interrupted; --resume continues it.
    """
    given["out"] = given["out"] or given["resume"] or None
    place = spec or given["resume"] or given["start"]
    if place is None or (spec is None and runs.find(place) is None):
        raise ArchspecError("name a SPEC to train, or a run: --resume RUN, --start RUN")
    arch, bound, run = open_spec(place, settings)
    plan = given["plan"]
    arch = arch if plan is None else arch.with_one_bit(plan, bound)
    if run is not None and given["resume"] is None:
        given["data"] = given["data"] or run.source
        given["resize"] = given["resize"] or run.resize
    options = options_of(given, resume=given["resume"] is not None)
    resumed = given["recipe"] is None and given["resume"] is not None and not changes_of(given)
    recipe = None if resumed else recipe_of(arch.name, given["data"], given)
    if plan is not None and recipe is not None and "one_bit" not in {m.key for s in recipe.staged() for m in s.methods}:
        recipe = recipe.changed({"one_bit": {}})
    if recipe is None and given["out"] is None:
        raise ArchspecError("--resume needs --out, the folder of the run to continue")
    out = folder(given["out"], arch.name, given["data"], recipe and recipe.seed)
    fit_and_print(arch, given["data"], recipe, out, bound, options, output_format)
