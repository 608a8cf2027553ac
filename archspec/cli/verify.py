"""`archspec verify`: are the counts those of the running model?"""

from collections.abc import Iterator
from typing import Any

import click

from archspec import language
from archspec.architecture import Architecture
from archspec.cli.options import (
    all_option,
    format_option,
    listed,
    network,
    print_report,
    set_option,
    specs_or_zoo,
    verb,
)
from archspec.errors import ArchspecError
from archspec.report.verify import verify


@verb("verify")
@specs_or_zoo
@set_option
@all_option
@click.option("--variants", is_flag=True, help="Every combination of the values that symbols choose from.")
@click.option("--by", type=click.Choice(("layer", "total")), help="One line per layer or network.  [one SPEC: layer]")
@click.option("--batch", default=1, type=click.IntRange(1, 10**6), show_default=True, help="Inputs at once.")
@format_option()
def command(
    specs: tuple[str, ...],
    settings: tuple[str, ...],
    every: bool,
    variants: bool,
    by: str | None,
    batch: int,
    output_format: str,
) -> None:
    """Build the model on torch's meta device, run it, and compare it with the counts, node by node.

    Output shapes, the names and shapes of weights, params, buffers, multiply-accumulates and activations must agree to
    the unit. Exit 1 when a node does not; the first is named.
    """
    agreements = [
        arch.verify(bound, batch=batch)
        for arch, values in (network(spec, settings) for spec in listed(specs, every))
        for bound in (_variants(arch, values) if variants else (values,))
    ]
    layers = by == "layer" or (by is None and len(agreements) == 1)
    print_report(verify(agreements, layers=layers), output_format, all(agreements))


def _variants(arch: Architecture, values: dict[str, str]) -> Iterator[dict[str, Any]]:
    """The bindings under which the network can be built; combinations that it refuses are no variants of it.

    Raises:
        ArchspecError: It refuses all of them.
    """
    refused, built = None, 0
    for chosen in language.variants(arch.document, bound=values):
        try:
            arch.expand({**values, **chosen})
        except ArchspecError as error:
            refused = error
        else:
            built += 1
            yield {**values, **chosen}
    if refused is not None and not built:
        raise refused
