"""`archspec show`: a specification as its paper prints it, and as it is built."""

import rich_click as click

from archspec.cli.echo import say
from archspec.cli.formats import format_option, tell
from archspec.cli.options import network, set_option, spec_argument
from archspec.report.show import show


@click.command("show")
@spec_argument
@set_option
@format_option("yaml")
def command(spec: str, settings: tuple[str, ...], form: str) -> None:
    """Print the symbols, the blocks and the tables, nominal and built numbers side by side (64 → 48).

    With --format yaml, print the whole specification: what it extends laid under it, values of --set as defaults.
    """
    arch, bound = network(spec, settings)
    if form == "yaml":
        say(arch.with_defaults(bound).dumps().rstrip("\n"))
        return
    tell(show(arch.expand(bound)), form)
