"""`archspec zoo`: the specifications that come with the library."""

import sys
from pathlib import Path

import click

from archspec import architecture
from archspec.cli.echo import echo_error, echo_message
from archspec.cli.options import format_option, print_report, specifications, verb
from archspec.errors import ArchspecError, did_you_mean
from archspec.files import replacing
from archspec.language import zoo
from archspec.report import show


@verb("zoo")
@click.argument("pattern", default="*", shell_complete=specifications)
@click.option(
    "--copy",
    nargs=2,
    metavar="NAME FILE",
    shell_complete=specifications,
    help="Write a network's specification, comments and all, as a file to begin from.",
)
@format_option()
def command(pattern: str, copy: tuple[str, str] | None, output_format: str) -> None:
    """List the networks that any verb takes by name; PATTERN is one of the shell's, such as 'mobile*'.

    With --copy mobilenet my.yaml, begin one of your own. What extends another network of the zoo still does.
    """
    if copy is not None:
        _copy(copy[0], Path(copy[1]))
        return
    names = zoo.names(pattern)
    if not names:
        near = zoo.names(f"{pattern}*") or zoo.names(f"*{pattern}*")
        wild = f"{pattern}*" if zoo.names(f"{pattern}*") else f"*{pattern}*"
        hint = f"; '{wild}' has {', '.join(near)}" if near else did_you_mean(pattern, zoo.names())
        echo_error(f"no network of the zoo matches '{pattern}'{hint}")
        sys.exit(1)
    tables = [(arch.document, arch.count()) for arch in map(architecture.load, names)]
    print_report(show.zoo(tables), output_format)


def _copy(name: str, target: Path) -> None:
    """Write the file of a network.

    Raises:
        ArchspecError: There is no such network; or a file is there already, and stays as it is.
    """
    source = zoo.path(name)
    if target.is_file():
        raise ArchspecError(f"{target}: there is already such a file; name another")
    with replacing(target) as file:
        file.write_bytes(source.read_bytes())
    echo_message(f"{target}: {name}, to be changed; archspec count {target}")
