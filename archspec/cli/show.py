"""`archspec show`: a specification as its paper prints it, and as it is built."""

from archspec.cli.echo import echo_message
from archspec.cli.options import format_option, network, print_report, set_option, spec_argument, verb
from archspec.report.show import show


@verb("show")
@spec_argument
@set_option
@format_option("yaml")
def command(spec: str, settings: tuple[str, ...], output_format: str) -> None:
    """Print the symbols, the blocks and the tables, nominal and built numbers side by side (64 → 48).

    With --format yaml, print the whole specification: what it extends laid under it, values of --set as defaults.
    """
    arch, bound = network(spec, settings)
    if output_format == "yaml":
        echo_message(arch.with_defaults(bound).dumps().rstrip("\n"))
        return
    print_report(show(arch.expand(bound)), output_format)
