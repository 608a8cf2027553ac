"""`archspec compile`: a specification as a model that runs."""

import click

from archspec.cli.echo import echo_message
from archspec.cli.options import open_spec, set_option, spec_argument, verb
from archspec.errors import ArchspecError
from archspec.extras import need


@verb("compile")
@spec_argument
@set_option
@click.option("-o", "--output", required=True, metavar="FILE", help="model.pt2, model.onnx or model.py.")
@click.option("--seed", default=0, show_default=True, help="The same seed gives the same weights.")
@click.option("--weights", metavar="FILE", help="Weights for the program; those of the run, where SPEC is its folder.")
@click.option("--logits", is_flag=True, help="Leave the last softmax out, if there is one.")
@click.option("--batch", type=click.IntRange(1, 10**6), help="Inputs at once.  [default: any number]")
@click.option("--opset", type=int, metavar="N", help="Of ONNX's operators.  [default: torch's choice]")
@click.option("--keep", is_flag=True, help="ONNX with all names and values, batch normalisations not folded.")
@click.option("--int8", is_flag=True, help="Weights and activations of 8 bits; says what that costs on test images.")
@click.option("--data", metavar="DATA", help="With --int8, as for train.  [default: the run's; else digits]")
@click.option("--calibration", default=256, show_default=True, type=click.IntRange(1), help="Images, with --int8.")
def command(  # noqa: PLR0913  # one argument an option
    spec: str,
    settings: tuple[str, ...],
    output: str,
    seed: int,
    weights: str | None,
    logits: bool,
    batch: int | None,
    opset: int | None,
    keep: bool,
    int8: bool,
    data: str | None,
    calibration: int,
) -> None:
    """Write a network as a model: PyTorch source (.py), an exported program (.pt2) or ONNX (.onnx).

    A program has weights as at the beginning of training, those of --weights, or those of the run whose folder SPEC
    is. It also holds what it was made from and, of a training's weights, how images are scaled and what the classes
    are called. The file appears when it is whole.
    """
    arch, bound, run = open_spec(spec, settings)
    if weights is None and run is not None and not output.endswith(".py"):
        weights = str(run.weights)
    if not int8:
        if data is not None:
            raise click.UsageError("--data is for --int8, whose ranges come from images")
        echo_message(
            arch.write(output, bound, seed=seed, weights=weights, logits=logits, batch=batch, opset=opset, keep=keep)
        )
        return
    if keep:
        raise click.UsageError("--int8 folds batch normalisations, and keeps nothing; leave out --keep")
    if weights is None:
        raise ArchspecError("--int8 is of weights that have learned: name them with --weights, or a run as SPEC")
    if batch is not None:
        raise click.UsageError("--int8 takes any batch; leave out --batch")
    need("train", "torch", "safetensors")
    from archspec.train import quantise

    source = data or (run and run.source) or "digits"
    resize = run is not None and data is None and run.resize
    echo_message(
        quantise(
            arch, weights, output, source, bindings=bound, resize=resize, logits=logits, images=calibration, opset=opset
        )
    )
