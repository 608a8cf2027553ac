"""`archspec reconcile`: who counts a network to a reported number."""

import click

from archspec import published
from archspec.cli.options import format_option, network, print_report, set_option, spec_argument, verb
from archspec.report.reproduce import reconcile


@verb("reconcile")
@spec_argument
@click.option("--reported", required=True, metavar="NUMBER", help="327.55M, 568,740,352, '3.50M params', 1.72 GFLOPs.")
@set_option
@format_option()
def command(spec: str, reported: str, settings: tuple[str, ...], output_format: str) -> None:
    """Name the conventions and counters whose number rounds to a reported one, and why it is not the default's.

    The digits decide: 327.55M is anything from 327,545,000 to 327,555,000. A unit is heeded: GFLOPs are no GMACs.
    Exit 1 if nothing rounds to it, or if so much was tried that what does is likely chance.
    """
    arch, bound = network(spec, settings)
    found = published.reconcile(arch, reported, bound)
    print_report(reconcile(found), output_format, found)
