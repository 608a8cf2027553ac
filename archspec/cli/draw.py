"""`archspec draw`: blocks and networks as their papers draw them."""

from collections.abc import Iterable
from typing import Any

import click

from archspec.architecture import Architecture
from archspec.cli import complete
from archspec.cli.echo import echo_message
from archspec.cli.options import counting_options, names, network, set_option, verb
from archspec.cost import Counting
from archspec.errors import BindingError


@verb("draw")
@click.argument("specs", metavar="SPEC[:BLOCK]…", nargs=-1, required=True, shell_complete=complete.specifications)
@set_option
@click.option(
    "--of",
    "quantity",
    metavar="QUANTITY",
    default="macs",
    show_default=True,
    shell_complete=complete.quantities,
    help="Whose share of the whole is the shade.",
)
@click.option(
    "--depth",
    type=click.IntRange(0, 100),
    help="How many blocks deep it is opened.  [default: of a network its stages, of a block all]",
)
@click.option("--free", metavar="NAME,…", shell_complete=complete.symbols, help="Symbols that stay letters in shapes.")
@click.option("--symbolic", is_flag=True, help="All numbers stay letters.")
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="TITLE=STAGE",
    help="A column of that title begins at this stage; any number of times.",
)
@counting_options("convention", "batch")
@click.option("-o", "--output", required=True, metavar="FILE", help="x.svg, x.png, x.pdf or x.html.")
def command(  # noqa: PLR0913  # one argument an option
    specs: tuple[str, ...],
    settings: tuple[str, ...],
    quantity: str,
    depth: int | None,
    free: str | None,
    symbolic: bool,
    columns: tuple[str, ...],
    counting: Counting,
    output: str,
) -> None:
    """Draw a block as papers do, laid out from the specification's own tree; several side by side.

    Branches stand side by side, repeats once with ×n, shapes on the arrows; the darker a box, the more it costs. Of a
    network the stages are seen; in a page (.html) each of them opens.
    """
    from archspec.draw import export, picture

    export.check_ending(output)
    found = [_counted(*network(spec, settings), counting, names(free), symbolic) for spec in specs]
    drawn = picture("blocks").draw(*found, of=quantity, depth=depth, columns=[_column(text) for text in columns])
    echo_message(export.save(drawn, output))


def _counted(
    arch: Architecture, bound: dict[str, Any], counting: Counting, free: Iterable[str] | None, symbolic: bool
) -> Any:
    given = set(arch.in_symbols(dict(bound)))
    letters = [name for name, each in arch.symbols.items() if each.usually_free and name not in given]
    return arch.count(bound, counting, free=letters if symbolic else tuple(free or ()))


def _column(text: str) -> tuple[str, str]:
    """A title and a stage.

    Raises:
        BindingError: The text is not TITLE=STAGE.
    """
    title, sign, stage = text.rpartition("=")
    if not (sign and title.strip() and stage.strip()):
        raise BindingError(f"--column takes TITLE=STAGE, such as 'middle flow=middle' (got '{text[:60]}')")
    return title.strip(), stage.strip()
