"""`archspec explain-difference`: why two counters disagree on a network."""

import click

from archspec.cli.formats import format_option, print_report
from archspec.cli.options import set_option, spec_argument
from archspec.cli.specs import network
from archspec.cli.verbs import verb
from archspec.cost import CONVENTIONS, DIALECTS
from archspec.cost.difference import counter
from archspec.report.reconcile import explain_difference


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
@click.option("--batch", default=1, type=click.IntRange(1, 10**9), show_default=True, help="Inputs at once.")
@format_option()
def command(spec: str, between: tuple[str, str], settings: tuple[str, ...], batch: int, output_format: str) -> None:
    """Say term by term why two counters, or conventions, give a network different numbers of operations.

    The terms add up to the difference, exactly.
    """
    one, other = map(counter, between)
    arch, bound = network(spec, settings)
    expanded = arch.expand(bound, batch=batch)
    print_report(explain_difference(expanded.count(one), expanded.count(other)), output_format)
