"""Options that the verbs share that train."""

import os
import shlex
import sys
from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from archspec.cli.echo import echo_error
from archspec.cli.options import Command, Option, print_report, together
from archspec.errors import ArchspecError
from archspec.extras import need
from archspec.report.page import Report
from archspec.report.train import Bars, train
from archspec.train.recipe import OPTIMIZERS, PRECISIONS, SCHEDULES, Recipe, default_for, load
from archspec.train.result import Options, TrainingStoppedError, Watcher

if TYPE_CHECKING:
    from archspec.architecture import Architecture

RECIPE: Mapping[str, Option] = {
    "epochs": click.option("--epochs", metavar="N", help="How often all training images are seen."),
    "batch": click.option("--batch", metavar="N", help="Images per step, of all processes together."),
    "optimizer": click.option("--optimizer", metavar="NAME", help=", ".join(OPTIMIZERS)),
    "lr": click.option("--lr", metavar="RATE", help="The learning rate, at its highest."),
    "schedule": click.option("--schedule", metavar="NAME", help=", ".join(SCHEDULES)),
    "weight_decay": click.option("--weight-decay", metavar="X", help="How much a step draws weights towards 0."),
    "label_smoothing": click.option(
        "--label-smoothing", metavar="X", help="The share of a label that all classes get alike."
    ),
    "precision": click.option("--precision", metavar="NAME", help=", ".join(PRECISIONS)),
    "ema": click.option(
        "--ema", metavar="X", help="Average the weights; what a step keeps of the average, such as 0.999."
    ),
    "clip": click.option("--clip", metavar="NORM", help="The largest norm of the gradient."),
    "seed": click.option("--seed", metavar="N", help="The same seed gives the same training."),
    "start": click.option(
        "--start", "--weights", metavar="RUN|FILE", help="Begin with the weights of a run, or of a file."
    ),
    "validation": click.option(
        "--validation", metavar="N", help="Choose the best epoch by so many training images; test once."
    ),
}
"""The options that set a key of the recipe, by the key."""

OPTIONS: Mapping[str, Option] = {
    "resize": click.option(
        "--resize", is_flag=True, help="Fit the images to the network's input; digits are fitted in any case."
    ),
    "save_steps": click.option("--save-steps", type=click.IntRange(0), default=0, help="Save after every N steps too."),
    "save_seconds": click.option(
        "--save-seconds", type=click.FloatRange(0), default=300.0, show_default=True, help="Save this often too."
    ),
    "device": click.option(
        "--device", metavar="NAME", default="auto", show_default=True, help="auto, cpu, or a device such as cuda:1."
    ),
    "compile": click.option("--compile", is_flag=True, help="Let torch.compile translate the model."),
    "channels_last": click.option("--channels-last", is_flag=True, help="Keep images with their channels innermost."),
    "tensorboard": click.option("--tensorboard", is_flag=True, help="Write for TensorBoard too."),
}
"""The options that say how a training is run, by the field of `Options`."""


def recipe_options(*without: str, name: str = "--recipe") -> Option:
    """The options of a recipe: which one, by the option of this name, and what is different in it."""
    return together(
        click.option(
            name,
            "recipe",
            metavar="RECIPE",
            help="A file, or the name of a recipe.  [default: the network's, the data's]",
        ),
        click.option(
            "--with", "settings_of_recipe", multiple=True, metavar="KEY=VALUE", help="Set any key of the recipe."
        ),
        *(option for key, option in RECIPE.items() if key not in without),
    )


def running_options(command: Command) -> Command:
    """The options of how a training is run; one that cannot go on ends the command with 1.

    Raises:
        MissingExtraError: What trains is not installed.
    """

    @wraps(command)
    def with_training(*args: Any, **given: Any) -> Any:
        need("train", "torch", "accelerate", "safetensors")
        try:
            return command(*args, **given)
        except TrainingStoppedError as error:
            echo_error(error)
            sys.exit(1)

    return together(*OPTIONS.values())(with_training)


def options_of(given: Mapping[str, Any], *, resume: bool = False) -> Options:
    """What the options say of how a training is run."""
    return Options(**{key: given[key] for key in OPTIONS}, resume=resume)


def changes_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """What the options change in a recipe, by its keys.

    Raises:
        ArchspecError: One is no KEY=VALUE, or a key stands twice.
    """
    changes = {key: given[key] for key in RECIPE if given.get(key) is not None}
    for setting in given["settings_of_recipe"]:
        key, sign, value = setting.partition("=")
        key = key.strip()
        if not sign:
            raise ArchspecError(f"--with takes KEY=VALUE, such as crop=2 (got '{setting}')")
        if key in changes:
            raise ArchspecError(f"{key} of the recipe is given twice")
        changes[key] = value.strip()
    return changes


def recipe_of(name: str, data: str | None, given: Mapping[str, Any]) -> Recipe:
    """The recipe that the options describe: one that is named, else that of a network's name or of the data.

    Args:
        name: The network.
        data: What the data are called; None for digits.
        given: The options.
    """
    changes = changes_of(given)
    if given["recipe"] is not None:
        return load(given["recipe"]).changed(changes)
    from archspec.train.data import kind_of

    return default_for(name, kind_of(data or "digits")[0]).changed(changes)


def held_out_of(run: str | os.PathLike[str], asked: int = 0) -> dict[str, int]:
    """The keys by which a run keeps the validation images of another."""
    from archspec.train import record

    recipe = record.read(Path(run)).recipe
    if not recipe.validation or asked not in {0, recipe.validation}:
        return {}
    return {"validation": recipe.validation, "validation_seed": recipe.held_by}


def watcher() -> Watcher:
    """Who shows how a training goes: the first of several processes alone."""
    return Bars() if int(os.environ.get("RANK", "0")) == 0 else Watcher()


def fit_and_print(
    arch: "Architecture",
    source: str | None,
    recipe: Recipe | None,
    out: Path,
    bindings: Mapping[str, Any],
    options: Options,
    output_format: str,
) -> None:
    """Train a network, show how it goes, and print what came of it, or how to go on."""
    shown = watcher()
    from archspec.train import fit

    result = fit(arch, source, recipe, out=out, bindings=bindings, options=options, watcher=shown)
    if isinstance(shown, Bars):
        print_report(train(result), output_format)
    if result.signal is not None:
        interrupted(result.signal, ["archspec", "train", "--resume", str(result.out)], isinstance(shown, Bars))


def print_or_interrupt(found: Any, report: Callable[[Any], Report], output_format: str) -> None:
    """Print what several trainings came to; or say that the same command goes on, if they were interrupted."""
    if found.signal is not None:
        interrupted(found.signal, ["archspec", *sys.argv[1:]])
    print_report(report(found), output_format)


def interrupted(signal: int, command: list[str], speaks: bool = True) -> None:
    """Say how to go on, and exit as a command does that a signal ended."""
    if speaks:
        echo_error(f"interrupted; everything is saved: {shlex.join(command)}")
    sys.exit(128 + signal)


def folder(out: str | None, name: str, data: str | None, *more: object) -> Path:
    """Where a run lies: where the user says, else in a folder of its network, its data, and what else there is."""
    return Path(out) if out else Path("runs") / "-".join(map(str, (name, (data or "digits").partition(":")[0], *more)))
