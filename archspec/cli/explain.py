"""`archspec explain`: one layer, from its rule to its numbers."""

import click

from archspec.cli.options import counting_options, format_option, network, print_report, set_option, spec_argument, verb
from archspec.cost import Counting


@verb("explain")
@spec_argument
@click.argument("node", metavar="NODE")
@set_option
@counting_options("batch", "convention")
@format_option()
def command(spec: str, node: str, settings: tuple[str, ...], output_format: str, counting: Counting) -> None:
    """Walk through one layer: the rule of its operator, the letters, the numbers put in, the result.

    NODE is a layer's path, or as much of it as tells it from the others: fire2/squeeze/conv2d,
    separable2/pointwise/relu.
    """
    from archspec.report.explain import explain

    arch, bound = network(spec, settings)
    print_report(explain(arch.explain(node, bound, counting)), output_format)
