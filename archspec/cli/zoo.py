"""`archspec zoo`: the specifications that come with the library."""

import sys

import rich_click as click

from archspec import architecture
from archspec.cli.echo import echo_error
from archspec.cli.formats import format_option, print_report
from archspec.language import zoo
from archspec.report import zoo as listing


@click.command("zoo")
@click.argument("pattern", default="*")
@format_option()
def command(pattern: str, output_format: str) -> None:
    """List the networks that any verb takes by name; PATTERN is one of the shell's, such as 'mobile*'."""
    names = zoo.names(pattern)
    if not names:
        echo_error(f"no network of the zoo matches '{pattern}'")
        sys.exit(1)
    tables = [(arch.document, arch.count()) for arch in map(architecture.load, names)]
    print_report(listing.zoo(tables), output_format)
