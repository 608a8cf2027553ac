"""`archspec compile`: a specification as a model that runs."""

import rich_click as click

from archspec import architecture
from archspec.cli.options import bindings, set_option, spec_argument


@click.command("compile")
@spec_argument
@set_option
@click.option("-o", "--output", required=True, metavar="FILE", help="model.pt2, model.onnx or model.py.")
@click.option("--seed", default=0, show_default=True, help="The same seed gives the same weights.")
def command(spec: str, settings: tuple[str, ...], output: str, seed: int) -> None:
    """Write a network as a model: PyTorch source (.py), an exported program (.pt2) or ONNX (.onnx).

    A program has weights as at the beginning of training, and takes any batch. The file appears when it is whole.
    """
    architecture.load(spec).write(output, bindings(settings), seed=seed)
