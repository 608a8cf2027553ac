"""`archspec evaluate`: how a network with the weights of a file does."""

import click

from archspec.cli.options import format_option, open_spec, print_report, set_option, spec_argument, verb, weights_of
from archspec.cli.training import OPTIONS
from archspec.extras import need
from archspec.report.train import evaluation
from archspec.report.train import zeros as zeros_report


@verb("evaluate")
@spec_argument
@set_option
@click.option("--weights", metavar="FILE", help="A safetensors file.  [default: the best weights of the run]")
@click.option("--data", metavar="DATA", help="As for train.  [default: the run's; else digits]")
@OPTIONS["resize"]
@click.option("--batch", type=click.IntRange(1), help="Images at once.  [default: as many as fit into a gigabyte]")
@OPTIONS["device"]
@click.option("--confusion", is_flag=True, help="Show which class is taken for which.")
@click.option("--zeros", is_flag=True, help="Say how much of it is zero, instead; no test image is looked at.")
@format_option()
def command(  # noqa: PLR0913  # each is an option
    spec: str,
    settings: tuple[str, ...],
    weights: str | None,
    data: str | None,
    resize: bool,
    batch: int | None,
    device: str,
    confusion: bool,
    zeros: bool,
    output_format: str,
) -> None:
    """Test a network with the weights of a file on the test images of data.

    SPEC may be the folder of a run: it knows its specification, bindings, weights and data.
    """
    need("train", "torch", "accelerate", "safetensors")
    from archspec.train import record
    from archspec.train.score import prepared, score_of

    arch, bound, run = open_spec(spec, settings)
    file = weights_of(spec, run, weights)
    source = data or (run and run.source) or "digits"
    resize = resize or (run is not None and data is None and run.resize)
    recipe = record.read(run.folder).recipe if run is not None else None
    ready = prepared(arch, file, source, bindings=bound, resize=resize, device=device, recipe=recipe)
    if zeros:
        from archspec.train.zeros import zeros as measured

        print_report(zeros_report(measured(ready, batch), arch.name), output_format)
        return
    print_report(evaluation(score_of(ready, batch), arch.name, source, confusion), output_format)
