"""`archspec zoo`: the specifications that come with the library."""

import sys

import rich_click as click

from archspec import architecture
from archspec.cli.echo import fault
from archspec.cli.formats import format_option, tell
from archspec.errors import did_you_mean
from archspec.language import zoo
from archspec.report import zoo as listing


@click.command("zoo")
@click.argument("pattern", default="*")
@format_option()
def command(pattern: str, form: str) -> None:
    """List the networks that any verb takes by name; PATTERN is one of the shell's, such as 'mobile*'."""
    names = zoo.names(pattern)
    if not names:
        near = zoo.names(f"{pattern}*") or zoo.names(f"*{pattern}*")
        wild = f"{pattern}*" if zoo.names(f"{pattern}*") else f"*{pattern}*"
        hint = f"; '{wild}' has {', '.join(near)}" if near else did_you_mean(pattern, zoo.names())
        fault(f"no network of the zoo matches '{pattern}'{hint}")
        sys.exit(1)
    tables = [(arch.document, arch.count()) for arch in map(architecture.load, names)]
    tell(listing.zoo(tables), form)
