"""`archspec compress`: what a compressed network weighs, the file that weighs it, and the closed forms of that."""

from pathlib import Path
from typing import Any

import click

from archspec import architecture, compress, runs
from archspec.cli.echo import progress_of
from archspec.cli.options import (
    bindings,
    format_option,
    network,
    open_spec,
    print_report,
    set_option,
    spec_argument,
    weights_of,
)
from archspec.cli.training import (
    changes_of,
    held_out_of,
    interrupted,
    options_of,
    recipe_options,
    running_options,
    watcher,
)
from archspec.cli.verbs import VerbGroup
from archspec.compress import plan as plans
from archspec.compress.plan import Plan
from archspec.errors import ArchspecError
from archspec.report.compress import closed_forms, packed, prediction, verified
from archspec.report.train import Bars, compressed
from archspec.train import compressing, recipe
from archspec.train.recipe import Recipe

PACKED = "packed.safetensors"
AS_IT_IS = Plan(name="one_bit", layers=(plans.LayerPlan(layer="*"),))
"""The plan that changes nothing: layers that are one-bit take a bit for each weight, the others what they take."""

plan_option = click.option(
    "--plan", required=True, metavar="PLAN", help="A file, - for standard input, or the name of a plan."
)
limit_option = click.option(
    "--limit", type=click.IntRange(1), metavar="BYTES", help="What a file may decode to.  [default: 4 GiB]"
)


@click.group("compress", cls=VerbGroup)
def command() -> None:
    """Predict what a network weighs under a plan, write the file that weighs it, read and verify such files."""


@command.command("predict")
@spec_argument
@plan_option
@set_option
@click.option("--weights", metavar="FILE", help="Say it to the byte for these weights: .safetensors or .npz.")
@format_option()
def predict(spec: str, plan: str, settings: tuple[str, ...], weights: str | None, output_format: str) -> None:
    """Say layer by layer what is stored under a plan, how much smaller that is, and what a file of it has.

    Plans that come with the library: alexnet, lenet_300_100, lenet_5, vgg16 (Deep Compression), squeezenet_8bit,
    squeezenet_6bit, xnor_alexnet, …; int8 and int4_group are for any network. Nothing is encoded.
    """
    with progress_of("predicting") as progress:
        arch, bound = network(spec, settings)
        found = compress.predict(arch, plan, weights, progress=progress, bindings=bound)
    print_report(prediction(found), output_format)


@command.command("pack")
@spec_argument
@click.option(
    "--weights",
    metavar="FILE",
    help="Under the network's own names: .safetensors or .npz.  [default: the best of SPEC, if it is a run]",
)
@click.option("--plan", metavar="PLAN", help="As for predict.  [default: that of SPEC, if it is a run]")
@set_option
@click.option("-o", "--output", required=True, metavar="FILE", help="Ends in .safetensors.")
@format_option()
def pack(
    spec: str, weights: str | None, plan: str | None, settings: tuple[str, ...], output: str, output_format: str
) -> None:
    """Write weights under a plan into a file: pruned, quantised and coded as the plan says.

    The same weights and plan give the same bytes. The file appears when it is whole. SPEC may be the folder of a run.
    """
    arch, bound, run = open_spec(spec, settings)
    file = weights_of(spec, run, weights)
    chosen: str | Plan | None = plan
    if chosen is None:
        if run is None:
            raise ArchspecError(f"{spec}: is no folder of a run; name a plan: --plan int8")
        chosen = plan_of(run.folder)
    with progress_of("packing") as progress:
        found = compress.pack(arch, file, chosen, output, progress=progress, bindings=bound)
    print_report(packed(found), output_format)


@command.command("train")
@click.argument("spec", metavar="[SPEC]", required=False)
@click.option("--plan", metavar="PLAN", help="A file, or the name of a plan.  [default with --resume: the run's]")
@set_option
@click.option("--start", metavar="RUN|FILE", help="Begin with these weights.  [default: SPEC, if it is a run]")
@click.option("--data", metavar="DATA", help="As for train.  [default: those of the run that it starts from]")
@recipe_options("start")
@click.option("--out", metavar="DIR", help="The folder of the run.  [default: runs/SPEC-PLAN-SEED]")
@click.option("--resume", metavar="RUN", help="Continue the run in a folder.")
@running_options
@format_option()
def train(spec: str | None, settings: tuple[str, ...], output_format: str, **given: Any) -> None:
    """Prune, share or quantise while the network learns, as a plan says, and pack what comes of it.

    Of a recipe those stages are run that the plan asks for: of compress_SPEC, if there is one, else of compress. If the
    run that it starts from has validation images, so has this one, the same ones. The folder is that of a run, as
    archspec train has it; the chosen weights are packed into packed.safetensors in it, which holds exactly them.

    Exit 1 when the training cannot go on, 130 when it is interrupted; --resume continues it.
    """
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


@command.command("unpack")
@click.argument("file", metavar="FILE")
@click.option("-o", "--output", required=True, metavar="OUT.safetensors")
@click.option("--authors", metavar="SPEC", help="Read a file of Deep Compression's authors, of the weights of SPEC.")
@click.option("--linear-bits", type=click.Choice(("8", "4")), default="8", help="With --authors: 4 of their AlexNet.")
@limit_option
def unpack(file: str, output: str, authors: str | None, linear_bits: str, limit: int | None) -> None:
    """Write the weights of a compressed file under the network's own names, as the network would use them."""
    from archspec.compress.blobs import save

    with progress_of("unpacking") as progress:
        if authors is None:
            found = compress.unpack(file, **({} if limit is None else {"limit": limit}))
            found.save(output, progress)
            return
        from archspec.compress.authors import read

        arrays = read(file, architecture.load(authors).expand(), linear_bits=int(linear_bits))
        save(arrays, {key: array.shape for key, array in arrays.items()}, output, progress)


@command.command("verify")
@click.argument("file", metavar="FILE")
@click.option(
    "--mode",
    type=click.Choice(("structure", "sampled", "full")),
    default="full",
    show_default=True,
    help="Checksums alone; some blocks of each stream; or everything, decoded and encoded again.",
)
@limit_option
@format_option()
def verify(file: str, mode: str, limit: int | None, output_format: str) -> None:
    """Verify a compressed file: predicted and actual size term by term, and the same bytes when it is written again.

    Exit 1 when something is found, 2 when FILE is no compressed file.
    """
    with progress_of("verifying") as progress:
        found = compress.verify(file, mode, progress=progress, **({} if limit is None else {"limit": limit}))
    print_report(verified(found), output_format, found)


@command.command("formulas")
@click.argument("name", required=False)
@set_option
@format_option()
def formulas(name: str | None, settings: tuple[str, ...], output_format: str) -> None:
    """Print the closed forms of compression, or the one of a NAME, with letters set if wanted: --set n=16 --set k=4."""
    from archspec.compress.closed_forms import CLOSED_FORMS, closed_form

    if settings and name is None:
        raise click.UsageError("--set gives values to the letters of one closed form; give its NAME")
    found = tuple(CLOSED_FORMS.values()) if name is None else (closed_form(name),)
    print_report(closed_forms(found, bindings(settings)), output_format)


def _recipe(name: str, start: str | None, begun: runs.Run | None, given: dict[str, Any]) -> Recipe:
    """The recipe for the plan, beginning with a run's weights and keeping its validation images."""
    plan = plans.load(given["plan"])
    base = recipe.load(given["recipe"]) if given["recipe"] else compressing.default_for(name, plan)
    held = {} if begun is None else held_out_of(begun.folder, int(given["validation"] or 0))
    changes = {**held, **changes_of(given), **({} if start is None else {"start": start})}
    return compressing.by_plan(base.changed(changes), given["plan"], plan)


def plan_of(out: Path) -> str | Plan:
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
