"""`archspec memory`: what a network's activations need at once."""

import click

from archspec.cli.formats import format_option, print_report
from archspec.cli.options import set_option, spec_argument
from archspec.cli.specs import network
from archspec.cli.verbs import verb
from archspec.memory import DTYPES, ORDERS, POLICIES
from archspec.report.memory import GROUPINGS, memory


@verb("memory")
@spec_argument
@set_option
@click.option(
    "--policy",
    type=click.Choice(list(POLICIES)),
    default="layerwise",
    show_default=True,
    help="What is in memory at once.",
)
@click.option(
    "--dtype", type=click.Choice(list(DTYPES)), default="float32", show_default=True, help="The type of an activation."
)
@click.option(
    "--order", type=click.Choice(list(ORDERS)), default="given", show_default=True, help="best: of least peak."
)
@click.option("--in-place", is_flag=True, help="Activations, batch normalisations and sums are written over an input.")
@click.option("--weights", is_flag=True, help="The weights are in memory too.")
@click.option("--batch", default=1, type=click.IntRange(1, 10**9), show_default=True, help="Inputs at once.")
@click.option("--by", type=click.Choice(GROUPINGS), default="block", show_default=True, help="What a row stands for.")
@format_option()
def command(  # noqa: PLR0913  # one argument an option
    spec: str,
    settings: tuple[str, ...],
    policy: str,
    dtype: str,
    order: str,
    in_place: bool,
    weights: bool,
    batch: int,
    by: str,
    output_format: str,
) -> None:
    """Find the peak of a network's memory, where it is, and what is in memory while each node runs.

    layerwise: what a node reads and writes. liveness: what is alive, skip connections included. eager: what PyTorch
    holds, the inputs of every module that runs included. training: all results, as if all were kept.
    """
    arch, bound = network(spec, settings)
    found = arch.memory(policy, dtype, order, bound, in_place=in_place, weights=weights, batch=batch)
    print_report(memory(found, by), output_format)
