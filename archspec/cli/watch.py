"""`archspec watch`: count a specification again whenever its file is saved."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import click

from archspec.cli.echo import echo_error, echo_message
from archspec.cli.options import counting_options, network, print_report, set_option, spec_argument, verb
from archspec.cost import CostTable, Counting
from archspec.errors import ArchspecError
from archspec.report.compare import changed


@verb("watch")
@spec_argument
@set_option
@counting_options()
@click.option("--every", default=0.3, show_default=True, type=click.FloatRange(0.05, 60), help="Seconds between looks.")
@click.option("--saves", type=click.IntRange(1), help="End after so many counts.  [default: go on until Ctrl-C]")
def command(spec: str, settings: tuple[str, ...], counting: Counting, every: float, saves: int | None) -> None:
    """Count a specification now and on every save, and mark what changed since the table before.

    A save with faults leaves the last table in its place, below its faults.
    """
    last: CostTable | None = None
    try:
        for number, path in enumerate(_saves(Path(spec), every), start=1):
            last = _counted(spec, settings, counting, last, path)
            if number == saves:
                break
    except KeyboardInterrupt:
        sys.exit(130)


def _saves(path: Path, every: float) -> Iterator[Path]:
    """The file now, and again whenever it is another one or has been written to.

    Raises:
        ArchspecError: It is no file.
    """
    if not path.is_file():
        raise ArchspecError(f"{path}: watch takes the file of a specification; archspec zoo --copy NAME FILE makes one")
    seen = None
    while True:
        try:
            found = path.stat()
        except OSError:  # between the two steps of an editor that writes beside the file and renames
            found = None
        stamp = found and (found.st_mtime_ns, found.st_size, found.st_ino)
        if stamp is not None and stamp != seen:
            seen = stamp
            yield path
        time.sleep(every)


def _counted(
    spec: str, settings: tuple[str, ...], counting: Counting, last: CostTable | None, path: Path
) -> CostTable | None:
    """Print the table of what is saved; that of the last sound save, where this one has faults."""
    if sys.stdout.isatty():
        click.clear()
    try:
        arch, bound = network(spec, settings)
        table = arch.count(bound, counting)
    except ArchspecError as error:
        echo_error(error)
        if last is not None:
            echo_message(f"\n{path}: not sound as it is saved; this is the last sound one")
            print_report(changed(last, None), "text")
        return last
    print_report(changed(table, last), "text")
    return table
