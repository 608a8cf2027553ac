"""`archspec memory`: what a network's activations need at once."""

import click

from archspec.cli.options import counting_options, format_option, network, print_report, set_option, spec_argument, verb
from archspec.cost import Counting
from archspec.report.memory import GROUPINGS, memory


@verb("memory")
@spec_argument
@set_option
@click.option("--weights", is_flag=True, help="The weights are in memory too.")
@click.option("--by", type=click.Choice(GROUPINGS), default="block", show_default=True, help="What a row stands for.")
@counting_options("policy", "dtype", "order", "in_place", "batch")
@format_option()
def command(
    spec: str, settings: tuple[str, ...], weights: bool, by: str, output_format: str, counting: Counting
) -> None:
    """Find the peak of a network's memory, where it is, and what is in memory while each node runs.

    layerwise: what a node reads and writes. liveness: what is alive, skip connections included. eager: what PyTorch
    holds, the inputs of every module that runs included. training: all results, as if all were kept.
    """
    arch, bound = network(spec, settings)
    found = arch.memory(
        counting.policy,
        counting.dtype,
        counting.order,
        bound,
        in_place=counting.in_place,
        weights=weights,
        batch=counting.batch,
    )
    print_report(memory(found, by), output_format)
