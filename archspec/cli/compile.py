"""`archspec compile`: a specification as a model that runs."""

import rich_click as click

from archspec.cli.options import open_spec, set_option, spec_argument


@click.command("compile")
@spec_argument
@set_option
@click.option("-o", "--output", required=True, metavar="FILE", help="model.pt2, model.onnx or model.py.")
@click.option("--seed", default=0, show_default=True, help="The same seed gives the same weights.")
@click.option("--weights", metavar="FILE", help="Weights for the program; those of the run, where SPEC is its folder.")
@click.option("--logits", is_flag=True, help="Leave the last softmax out, if there is one.")
def command(spec: str, settings: tuple[str, ...], output: str, seed: int, weights: str | None, logits: bool) -> None:
    """Write a network as a model: PyTorch source (.py), an exported program (.pt2) or ONNX (.onnx).

    A program has weights as at the beginning of training, those of --weights, or those of the run whose folder SPEC
    is; it takes any batch. The file appears when it is whole.
    """
    arch, bound, run = open_spec(spec, settings)
    if weights is None and run is not None and not output.endswith(".py"):
        weights = str(run.weights)
    arch.write(output, bound, seed=seed, weights=weights, logits=logits)
