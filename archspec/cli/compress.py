"""`archspec compress`: what a compressed network weighs, the file that weighs it, and the closed forms of that."""

import sys
from typing import Any

import click

from archspec import architecture
from archspec.cli.formats import format_option, print_report
from archspec.cli.options import set_option, spec_argument
from archspec.cli.progress import progress_of
from archspec.cli.specs import bindings, network, open_spec, weights_of
from archspec.cli.training import recipe_options, running_options
from archspec.cli.verbs import VerbGroup
from archspec.compress.plan import Plan
from archspec.errors import ArchspecError
from archspec.report.compress import closed_forms, packed, prediction, verified

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
    from archspec import compress

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
    from archspec import compress

    arch, bound, run = open_spec(spec, settings)
    file = weights_of(spec, run, weights)
    chosen: str | Plan | None = plan
    if chosen is None:
        if run is None:
            raise ArchspecError(f"{spec}: is no folder of a run; name a plan: --plan int8")
        from archspec.cli.compressing import plan_of

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
    from archspec.cli.compressing import run

    run(spec, settings, output_format, given)


@command.command("unpack")
@click.argument("file", metavar="FILE")
@click.option("-o", "--output", required=True, metavar="OUT.safetensors")
@click.option("--authors", metavar="SPEC", help="Read a file of Deep Compression's authors, of the weights of SPEC.")
@click.option("--linear-bits", type=click.Choice(("8", "4")), default="8", help="With --authors: 4 of their AlexNet.")
@limit_option
def unpack(file: str, output: str, authors: str | None, linear_bits: str, limit: int | None) -> None:
    """Write the weights of a compressed file under the network's own names, as the network would use them."""
    from archspec import compress
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
    from archspec import compress

    with progress_of("verifying") as progress:
        found = compress.verify(file, mode, progress=progress, **({} if limit is None else {"limit": limit}))
    print_report(verified(found), output_format)
    if not found:
        sys.exit(1)


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
