"""`archspec sweep`: what networks cost over whole grids of their symbols."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from archspec import architecture
from archspec.cli import complete
from archspec.cli.echo import echo_error, progress_of
from archspec.cli.options import (
    all_option,
    bindings,
    counting_options,
    format_option,
    listed,
    network,
    print_report,
    ranges_of,
    ranges_option,
    set_option,
    specs_or_zoo,
    verb,
)
from archspec.cost import Counting
from archspec.errors import BindingError

UNFINISHED = ".unfinished"
"""What is behind the name of a file where a sweep into it keeps what it has come to."""

INTERRUPTED = 130
"""The exit code of a command that Ctrl-C ended."""


@verb("sweep")
@specs_or_zoo
@all_option
@ranges_option("The values of a symbol: alpha=1/4..2:1/4, side=96,128, g=* for all. The last moves fastest.")
@click.option(
    "--of",
    "quantities",
    shell_complete=complete.quantities,
    default="macs,params",
    show_default=True,
    metavar="NAME,…",
    help="The quantities.",
)
@click.option("--where", multiple=True, metavar="NAME<=BOUND", help="Keep what is within: 'macs<=300M', 'params>=1M'.")
@click.option("--front", metavar="min:NAME,max:NAME,…", help="Keep what no other point outdoes in all of these.")
@click.option("--sort", metavar="[max:]NAME,…", help="Sort by quantities, each the least first, or the most.")
@click.option("--top", type=click.IntRange(1), metavar="N", help="Keep the first N.")
@click.option("--plan", "plans", multiple=True, metavar="PLAN,…", help="Plans of compression, each another point.")
@set_option
@click.option(
    "--engine",
    default="local",
    show_default=True,
    metavar="NAME",
    help="local, local=4, dask, dask=tcp://…, ray: who does the work.",
)
@click.option(
    "-o", "--output", metavar="FILE", help="Write all points to .csv, .json or .parquet; goes on where it was."
)
@counting_options()
@format_option()
def command(  # noqa: PLR0913  # one argument an option
    specs: tuple[str, ...],
    every: bool,
    ranges: tuple[str, ...],
    quantities: str,
    plans: tuple[str, ...],
    settings: tuple[str, ...],
    output: str | None,
    output_format: str,
    counting: Counting,
    **asked: Any,
) -> None:
    """Count networks at every combination of values of their symbols, and keep those that are asked for.

    Points whose layers are the same are counted at once, so that a hundred million of them are a matter of seconds. A
    SPEC without a symbol is swept without it. Exit 1 if no point is left.
    """
    from archspec.report.sweep import sweep as report

    chosen, values = listed(specs, every), ranges_of(ranges)
    bound = dict(bindings(settings))
    opened = [network(spec) for spec in chosen]
    if own := [(arch, each) for arch, each in opened if each]:
        if len(opened) > 1:
            raise BindingError(f"of several networks, values are set by --set (got {own[0][0].name}:…)")
        bound |= own[0][1]
    with _output(output) as folder, progress_of("sweeping") as progress:
        found = architecture.sweep(
            [arch for arch, _ in opened],
            values,
            quantities,
            counting=counting,
            plans=[name.strip() for each in plans for name in each.split(",")],
            bindings=bound,
            folder=folder,
            progress=progress,
            **asked,
        )
        if output is not None:
            written = found.write(output)
    if output is not None:
        click.echo(str(written))
    else:
        print_report(report(found), output_format)
    if not len(found):
        raise SystemExit(1)


@contextmanager
def _output(path: str | None) -> Iterator[Path | None]:
    """The folder in which a sweep into a file keeps what it has come to; gone when the file is there.

    Raises:
        ArchspecError: The file has another ending than those that can be written.
    """
    if path is None:
        yield None
        return
    import shutil

    from archspec.sweeps.table import check_ending

    check_ending(path)
    folder = Path(f"{path}{UNFINISHED}")
    try:
        yield folder
    except KeyboardInterrupt:
        echo_error(f"interrupted; the same command goes on from what is in {folder}")
        raise SystemExit(INTERRUPTED) from None
    shutil.rmtree(folder, ignore_errors=True)
