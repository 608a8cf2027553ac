"""`archspec evaluate`: how a network with the weights of a file does."""

import rich_click as click

from archspec import architecture
from archspec.cli.formats import format_option, tell
from archspec.cli.options import bindings, set_option, spec_argument
from archspec.report.train import evaluation


@click.command("evaluate")
@spec_argument
@set_option
@click.option("--weights", metavar="FILE", required=True, help="A safetensors file, such as a run's best.safetensors.")
@click.option("--data", metavar="DATA", default="digits", show_default=True, help="As for train.")
@click.option("--resize", is_flag=True, help="Fit the images to the network's input; digits are fitted in any case.")
@format_option()
def command(spec: str, settings: tuple[str, ...], weights: str, data: str, resize: bool, form: str) -> None:
    """Test a network with the weights of a file on the test images of data."""
    from archspec.train import evaluate

    arch = architecture.load(spec)
    score = evaluate(arch, weights, data, bindings=bindings(settings), resize=resize)
    tell(evaluation(score, arch.name, data), form)
