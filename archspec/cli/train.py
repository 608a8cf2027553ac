"""`archspec train`: a network learns from data."""

import os
import shlex
import sys
from pathlib import Path
from typing import Any

import rich_click as click

from archspec import runs
from archspec.cli.echo import fault
from archspec.cli.formats import format_option, tell
from archspec.cli.options import opened, set_option
from archspec.errors import ArchspecError
from archspec.extras import need
from archspec.report.train import Bars, train
from archspec.train.options import Options
from archspec.train.recipe import OPTIMIZERS, PRECISIONS, SCHEDULES, Recipe, default_for, load
from archspec.train.result import Result, TrainingStoppedError, Watcher

RECIPE = (
    "epochs",
    "batch",
    "optimizer",
    "lr",
    "schedule",
    "weight_decay",
    "label_smoothing",
    "precision",
    "ema",
    "clip",
    "seed",
    "start",
    "validation",
)


@click.command("train")
@click.argument("spec", metavar="[SPEC]", required=False)
@set_option
@click.option("--data", metavar="DATA", help="digits, mnist:DIR, cifar10:DIR or image-folder:PATH.  [default: digits]")
@click.option("--resize", is_flag=True, help="Fit the images to the network's input; digits are fitted in any case.")
@click.option(
    "--recipe", metavar="RECIPE", help="A file, or the name of a recipe.  [default: the network's, the data's]"
)
@click.option("--with", "settings_of_recipe", multiple=True, metavar="KEY=VALUE", help="Set any key of the recipe.")
@click.option("--epochs", metavar="N")
@click.option("--batch", metavar="N", help="Images a step, of all processes together.")
@click.option("--optimizer", metavar="NAME", help=", ".join(OPTIMIZERS))
@click.option("--lr", metavar="RATE")
@click.option("--schedule", metavar="NAME", help=", ".join(SCHEDULES))
@click.option("--weight-decay", metavar="X")
@click.option("--label-smoothing", metavar="X")
@click.option("--precision", metavar="NAME", help=", ".join(PRECISIONS))
@click.option("--ema", metavar="X", help="Average the weights; what a step keeps of the average, such as 0.999.")
@click.option("--clip", metavar="NORM", help="The largest norm of the gradient.")
@click.option("--plan", metavar="PLAN", help="Train the network with one-bit layers where a plan says 'binary'.")
@click.option("--seed", metavar="N")
@click.option("--out", metavar="DIR", help="The folder of the run.  [default: runs/SPEC-DATA-SEED]")
@click.option(
    "--resume", metavar="[RUN]", is_flag=False, flag_value="", help="Continue the run in a folder, or in --out."
)
@click.option("--start", "--weights", metavar="RUN|FILE", help="Begin with the weights of a run, or of a file.")
@click.option("--validation", metavar="N", help="Choose the best epoch by so many training images; test once.")
@click.option("--save-steps", type=click.IntRange(0), default=0, help="Save after every N steps too.")
@click.option("--save-seconds", type=click.FloatRange(0), default=300.0, show_default=True, help="Save this often too.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, or a device such as cuda:1.")
@click.option("--compile", is_flag=True, help="Let torch.compile translate the model.")
@click.option("--channels-last", is_flag=True, help="Keep images with their channels innermost.")
@click.option("--tensorboard", is_flag=True, help="Write for TensorBoard too.")
@format_option()
def command(spec: str | None, settings: tuple[str, ...], form: str, **given: Any) -> None:
    """Train a network, and test it after every epoch.

    The folder of the run holds the weights (best.safetensors, last/weights.safetensors), a log of every step
    (log.jsonl), and what they follow from (run.json, spec.yaml). With torchrun, several processes share each batch.

    A run knows its specification: --resume RUN needs no SPEC, --start RUN only where it is to be another.

    Exit 1 when the training cannot go on, 130 when it is interrupted; --resume continues it.
    """
    need("train", "torch", "accelerate", "safetensors")
    given["out"] = given["out"] or given["resume"] or None
    place = spec or given["resume"] or given["start"]
    if place is None or (spec is None and runs.find(place) is None):
        raise ArchspecError("name a SPEC to train, or a run: --resume RUN, --start RUN")
    arch, bound, run = opened(place, settings)
    plan = given["plan"]
    arch = arch if plan is None else arch.with_one_bit(plan, bound)
    if run is not None and given["resume"] is None:
        given["data"] = given["data"] or run.source
        given["resize"] = given["resize"] or run.resize
    options = Options(
        **{key: given[key] for key in Options.__slots__ if key != "resume"}, resume=given["resume"] is not None
    )
    recipe = _recipe(arch.name, given)
    if plan is not None and recipe is not None and not any(stage.one_bit for stage in recipe.staged()):
        recipe = recipe.changed({"one_bit": {}})
    out = Path(given["out"]) if given["out"] else _folder(arch.name, given["data"], recipe)
    watcher = Bars() if int(os.environ.get("RANK", "0")) == 0 else Watcher()
    from archspec.train import fit

    try:
        result = fit(arch, given["data"], recipe, out=out, bindings=bound, options=options, watcher=watcher)
    except TrainingStoppedError as error:
        fault(error)
        sys.exit(1)
    if isinstance(watcher, Bars):
        tell(train(result), form)
    if result.signal is not None:
        interrupted(result, "archspec train", speaks=isinstance(watcher, Bars))


def _recipe(name: str, given: dict[str, Any]) -> Recipe | None:
    """The recipe that the options describe; None if they leave it to the run that is resumed."""
    changes = {key: given[key] for key in RECIPE if given[key] is not None}
    for setting in given["settings_of_recipe"]:
        key, sign, value = setting.partition("=")
        if not sign:
            raise ArchspecError(f"--with takes KEY=VALUE, such as crop=2 (got '{setting}')")
        if key in changes:
            raise ArchspecError(f"{key} of the recipe is given twice")
        changes[key.strip()] = value.strip()
    if given["recipe"] is None and given["resume"] is not None and not changes:
        return None
    if given["recipe"] is not None:
        return load(given["recipe"]).changed(changes)
    from archspec.train.data import kind_of

    return default_for(name, kind_of(given["data"] or "digits")[0]).changed(changes)


def _folder(name: str, data: str | None, recipe: Recipe | None) -> Path:
    if recipe is None:
        raise ArchspecError("--resume needs --out, the folder of the run to continue")
    return Path("runs") / f"{name}-{(data or 'digits').partition(':')[0]}-{recipe.seed}"


def interrupted(result: Result, verb: str, *, speaks: bool = True) -> None:
    """Say how to go on, and exit as a command does that a signal ended."""
    if speaks:
        resume = shlex.join([*verb.split(), "--resume", str(result.out)])
        fault(f"interrupted; everything is saved: {resume}")
    sys.exit(128 + (result.signal or 0))
