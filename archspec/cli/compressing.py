"""What `archspec compress train` does."""

import sys
from pathlib import Path
from typing import Any

from archspec import compress, runs
from archspec.cli.compress import progress_of
from archspec.cli.echo import fault
from archspec.cli.formats import tell
from archspec.cli.options import opened
from archspec.cli.train import interrupted
from archspec.compress import plan as plans
from archspec.errors import ArchspecError
from archspec.extras import need
from archspec.report.compress import packed
from archspec.report.train import Bars, compressed
from archspec.train import compressing, recipe
from archspec.train.options import Options
from archspec.train.recipe import Recipe
from archspec.train.result import TrainingStoppedError

PACKED = "packed.safetensors"


def run(spec: str | None, settings: tuple[str, ...], form: str, given: dict[str, Any]) -> None:
    """Train by a plan, and pack."""
    need("train", "torch", "accelerate", "safetensors")
    from archspec.train import fit, record

    resumed = given["resume"]
    place = resumed or spec or given["start"]
    if place is None or (spec is None and runs.find(place) is None):
        raise ArchspecError("name a SPEC or a run to compress, or a run to go on with: --resume RUN")
    arch, bound, found = opened(place, settings)
    chosen: Recipe | None = None
    if resumed:
        out = Path(resumed)
        given["plan"] = given["plan"] or _plan_of(record.read(out).recipe, out)
    else:
        if given["plan"] is None:
            raise ArchspecError("name a plan: --plan lenet_300_100")
        chosen = _recipe(arch.name, place if found is not None else None, given)
        out = Path(given["out"] or Path("runs") / f"{arch.name}-{Path(given['plan']).stem}-{chosen.seed}")
    source = given["data"] or (None if resumed else _data(given["start"] or place))
    options = Options(device=given["device"], resume=bool(resumed))
    try:
        result = fit(arch, source, chosen, out=out, bindings=bound, options=options, watcher=Bars())
    except TrainingStoppedError as error:
        fault(error)
        sys.exit(1)
    if result.signal is not None:
        tell(compressed(result, None), form)
        interrupted(result, "archspec compress train")
    best = runs.load(out).weights
    with progress_of("packing") as progress:
        file = compress.pack(arch, best, given["plan"], out / PACKED, progress=progress, bindings=bound)
    tell(compressed(result, packed(file)), form)


def _recipe(name: str, start: str | None, given: dict[str, Any]) -> Recipe:
    """The recipe for the plan, beginning with the run's weights."""
    changes: dict[str, Any] = {}
    for setting in given["changes"]:
        key, sign, value = setting.partition("=")
        if not sign:
            raise ArchspecError(f"--with takes KEY=VALUE, such as epochs=5 (got '{setting}')")
        changes[key.strip()] = value.strip()
    if given["seed"] is not None:
        changes["seed"] = given["seed"]
    begun = given["start"] or start
    if begun is not None:
        changes["start"] = begun
    base = recipe.load(given["recipe"]) if given["recipe"] else compressing.default_for(name)
    return compressing.by_plan(base.changed(changes), given["plan"], plans.load(given["plan"]))


def _plan_of(chosen: Recipe, out: Path) -> str:
    """The plan of a run's methods."""
    for stage in chosen.staged():
        for method in stage.methods:
            if method.key in compressing.METHODS:
                return str(method.plan)  # type: ignore[attr-defined]
    raise ArchspecError(f"{out}: is no run of archspec compress train: its recipe prunes, shares and quantises nothing")


def _data(start: str) -> str | None:
    found = runs.find(start)
    return None if found is None else found.source
