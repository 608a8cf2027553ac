"""`archspec explain-difference`: why two counters disagree on a network."""

import click

from archspec.cli.options import counting_options, format_option, network, print_report, set_option, spec_argument, verb
from archspec.cost import CONVENTIONS, DIALECTS, Counting
from archspec.cost.dialects import counter
from archspec.report.reproduce import explain_difference


@verb("explain-difference")
@spec_argument
@click.option(
    "--between",
    nargs=2,
    required=True,
    metavar="ONE OTHER",
    help=f"Counters ({', '.join(DIALECTS)}) or conventions ({', '.join(CONVENTIONS)}).",
)
@set_option
@counting_options("batch")
@format_option()
def command(
    spec: str, between: tuple[str, str], settings: tuple[str, ...], output_format: str, counting: Counting
) -> None:
    """Say term by term why two counters, or conventions, give a network different numbers of operations.

    The terms add up to the difference, exactly.
    """
    one, other = map(counter, between)
    arch, bound = network(spec, settings)
    expanded = arch.expand(bound, batch=counting.batch)
    print_report(explain_difference(expanded.count(one), expanded.count(other)), output_format)
