"""`archspec weights`: weights that were trained elsewhere."""

import sys

import click

from archspec.cli.options import format_option, network, print_report, set_option, spec_argument
from archspec.cli.verbs import VerbGroup
from archspec.report.weights import weights


@click.group("weights", cls=VerbGroup)
def command() -> None:
    """Bring weights from elsewhere into a network."""


@command.command("map")
@spec_argument
@click.argument("file", metavar="FILE")
@set_option
@click.option("-o", "--output", metavar="OUT.safetensors", help="Write the weights under the network's own names.")
@click.option("--partial", is_flag=True, help="Write what fits, although not everything does.")
@click.option("--assume", is_flag=True, help="Take those in the order of their names where nothing says which it is.")
@format_option()
def map_(
    spec: str, file: str, settings: tuple[str, ...], output: str | None, partial: bool, assume: bool, output_format: str
) -> None:
    """Say which array of FILE fills each of the network's, and why; FILE is .safetensors or .npz.

    The modules of FILE are laid along the network as blocks; the shapes of their weights, the numbers in their names
    and then the words decide. What stays ambiguous is not filled, but with --assume. Exit 1 when an array is not
    filled, or one of the file is left over; nothing is written then, but with --partial.
    """
    arch, bound = network(spec, settings)
    matching = arch.match_weights(file, bound, assume=assume)
    print_report(weights(matching), output_format)
    if output is not None and (matching or partial):
        matching.save(output, strict=not partial)
    if not matching:
        sys.exit(1)
