"""`archspec distil`: a network learns what others take for likely."""

from typing import Any

import click

from archspec import runs
from archspec.cli.options import format_option, names, open_spec, set_option, spec_argument, verb
from archspec.cli.training import (
    changes_of,
    fit_and_print,
    folder,
    held_out_of,
    options_of,
    recipe_of,
    recipe_options,
    running_options,
)
from archspec.errors import ArchspecError
from archspec.train.methods.distil import MATCHES


@verb("distil")
@spec_argument
@click.argument("more", metavar="[RUN]...", nargs=-1)
@set_option
@click.option("--from", "teachers", multiple=True, required=True, metavar="RUN...", help="The teachers' runs.")
@click.option("--temperature", metavar="T", help="Of the soft targets.  [default: 20]")
@click.option("--hard", metavar="SHARE", help="The share of the loss against the labels.  [default: 0.1]")
@click.option("--match", metavar="WHAT", help=f"{' or '.join(MATCHES)}.  [default: probabilities]")
@click.option("--leave-out", metavar="CLASS,...", help="Classes of which the student sees no image.")
@click.option("--data", metavar="DATA", help="The transfer set, as for train.  [default: the first teacher's]")
@recipe_options()
@click.option("--out", metavar="DIR", help="The folder of the run.  [default: runs/SPEC-DATA-distilled-SEED]")
@running_options
@format_option()
def command(
    spec: str,
    more: tuple[str, ...],
    settings: tuple[str, ...],
    teachers: tuple[str, ...],
    output_format: str,
    **given: Any,
) -> None:
    """Distil trained networks into another one.

    SPEC learns the probabilities that the runs behind --from give at a temperature, and the labels besides; several
    teachers are one, by the mean of their probabilities. If the first teacher has validation images, so has the
    student, the same ones.

    archspec train --resume RUN continues a run that was interrupted. Exit codes are those of train.
    """
    teachers = (*teachers, *more)
    if given["match"] == "logits" and given["temperature"] is not None:
        raise ArchspecError("--match logits is the limit of high temperatures: leave --temperature out")
    first = runs.load(teachers[0])
    arch, bound, _ = open_spec(spec, settings)
    source = given["data"] or first.source
    if source is None:
        raise ArchspecError(f"{teachers[0]}: the run's data were handed over in Python; name them with --data")
    given["resize"] = given["resize"] or (given["data"] is None and first.resize)
    recipe = recipe_of(arch.name, source, given)
    keys = {key: given[key] for key in ("temperature", "hard", "match") if given[key] is not None}
    keys |= {"leave_out": list(names(given["leave_out"], "--leave-out") or ())}
    asked = {"distil": {**keys, "teachers": list(teachers)}}
    recipe = recipe.changed({**held_out_of(teachers[0], recipe.validation), **changes_of(given), **asked})
    out = folder(given["out"], arch.name, source, "distilled", recipe.seed)
    fit_and_print(arch, source, recipe, out, bound, options_of(given), output_format)
