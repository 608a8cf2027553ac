"""What `archspec compress train` does."""

from pathlib import Path
from typing import Any

from archspec import compress, runs
from archspec.cli.formats import print_report
from archspec.cli.progress import progress_of
from archspec.cli.specs import open_spec
from archspec.cli.training import changes_of, held_out_of, interrupted, options_of, stops_told, watcher
from archspec.compress import plan as plans
from archspec.errors import ArchspecError
from archspec.extras import need
from archspec.report.compress import packed
from archspec.report.train import Bars, compressed
from archspec.train import compressing, recipe
from archspec.train.recipe import Recipe

PACKED = "packed.safetensors"
AS_IT_IS = plans.Plan(name="one_bit", layers=(plans.LayerPlan(layer="*"),))
"""The plan that changes nothing: layers that are one-bit take a bit for each weight, the others what they take."""


def run(spec: str | None, settings: tuple[str, ...], output_format: str, given: dict[str, Any]) -> None:
    """Train by a plan, and pack."""
    need("train", "torch", "accelerate", "safetensors")
    from archspec.train import fit

    resumed = given["resume"]
    place = resumed or spec or given["start"]
    if place is None or (spec is None and runs.find(place) is None):
        raise ArchspecError("name a SPEC or a run to compress, or a run to go on with: --resume RUN")
    arch, bound, found = open_spec(place, settings)
    chosen: Recipe | None = None
    source = given["data"]
    if resumed:
        out = Path(resumed)
        given["plan"] = given["plan"] or plan_of(out)
    elif given["plan"] is None:
        raise ArchspecError("name a plan: --plan lenet_300_100")
    else:
        start = given["start"] or (place if found is not None else None)
        begun = None if start is None else runs.find(start)
        chosen = _recipe(arch.name, start, begun, given)
        out = Path(given["out"] or Path("runs") / f"{arch.name}-{Path(given['plan']).stem}-{chosen.seed}")
        if begun is not None and source is None:
            source, given["resize"] = begun.source, given["resize"] or begun.resize
    shown = watcher()
    with stops_told():
        options = options_of(given, resume=bool(resumed))
        result = fit(arch, source, chosen, out=out, bindings=bound, options=options, watcher=shown)
    if result.signal is not None:
        print_report(compressed(result, None), output_format)
        interrupted(result.signal, ["archspec", "compress", "train", "--resume", str(out)])
    if not isinstance(shown, Bars):  # another of several processes packs
        return
    with progress_of("packing") as progress:
        best = runs.load(out).weights
        file = compress.pack(arch, best, given["plan"], out / PACKED, progress=progress, bindings=bound)
    print_report(compressed(result, packed(file)), output_format)


def _recipe(name: str, start: str | None, begun: runs.Run | None, given: dict[str, Any]) -> Recipe:
    """The recipe for the plan, beginning with a run's weights and keeping its validation images."""
    plan = plans.load(given["plan"])
    base = recipe.load(given["recipe"]) if given["recipe"] else compressing.default_for(name, plan)
    held = {} if begun is None else held_out_of(begun.folder, int(given["validation"] or 0))
    changes = {**held, **changes_of(given), **({} if start is None else {"start": start})}
    return compressing.by_plan(base.changed(changes), given["plan"], plan)


def plan_of(out: Path) -> str | plans.Plan:
    """The plan of a run's methods; that of one-bit layers, where the run's network has some.

    Raises:
        ArchspecError: The run has neither.
    """
    from archspec.train import record

    for stage in record.read(out).recipe.staged():
        for method in stage.methods:
            if method.key in compressing.METHODS:
                return str(method.plan)  # type: ignore[attr-defined]
    if any(node.operator.one_bit for node in runs.load(out).as_specification().expand().nodes):
        return AS_IT_IS
    raise ArchspecError(
        f"{out}: this run prunes, shares and quantises nothing, and has no one-bit layers; name a plan: --plan int8"
    )
