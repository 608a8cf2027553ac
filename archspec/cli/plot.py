"""`archspec plot`: one verb for each kind of picture, and how what it shows is made of the command line."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import click

from archspec import architecture
from archspec.cli import complete
from archspec.cli.echo import echo_message
from archspec.cli.options import (
    COUNTING,
    Option,
    bindings,
    counting_options,
    network,
    ranges_of,
    ranges_option,
    set_option,
    spec_argument,
    together,
)
from archspec.cli.picture_options import OPTIONS, several
from archspec.cli.verbs import Verb, VerbGroup
from archspec.cost import Counting
from archspec.draw.register import PICTURES, Picture
from archspec.errors import ArchspecError, BindingError
from archspec.memory import DTYPES, ORDERS


@click.group("plot", cls=VerbGroup)
def command() -> None:
    """Draw what was counted, searched, printed or trained: one kind of picture after the other.

    The ending of the file says how it is written: .svg, .png, .pdf, .html (a page that needs no network), or .json
    (Vega-Lite). docs/gallery.md shows every kind.
    """


def _verb(picture: Picture) -> click.Command:
    """The verb of a kind of picture: the options of what it is made from, and its own."""
    source = SOURCES.get(picture.name) or SOURCES[picture.source]

    def run(output: str, **given: Any) -> None:
        from archspec.draw import export

        export.check_ending(output)
        own = {name: given.pop(name) for name in picture.takes}
        chosen = {name: value for name, value in own.items() if value is not None}
        echo_message(export.save(picture.draw(*source.make(**given), **chosen), output))

    options = together(*source.options, *(OPTIONS[name] for name in picture.takes), _output)
    return click.command(picture.name, Verb, help=picture.shows)(options(run))


@dataclass(frozen=True, slots=True)
class PlotSource:
    """How a result is made of the command line.

    Attributes:
        options: Those that it takes.
        make: What it gives: what the function of the picture is called with.
    """

    options: tuple[Option, ...]
    make: Callable[..., tuple[Any, ...]]


def _table(spec: str, settings: tuple[str, ...], counting: Counting) -> tuple[Any, ...]:
    arch, bound = network(spec, settings)
    return (arch.count(bound, counting),)


def _memories(
    spec: str,
    settings: tuple[str, ...],
    policy: tuple[str, ...],
    dtype: str,
    order: str,
    in_place: bool,
    batch: int | None,
) -> tuple[Any, ...]:
    arch, bound = network(spec, settings)
    at_once = batch or 1
    return tuple(arch.memory(each, dtype, order, bound, in_place=in_place, batch=at_once) for each in policy)


def _sensitivities(
    spec: str,
    settings: tuple[str, ...],
    quantities: tuple[str, ...],
    symbols: tuple[str, ...] | None,
    counting: Counting,
) -> tuple[Any, ...]:
    arch, bound = network(spec, settings)
    return tuple(arch.sensitivity(quantity, bound, counting, symbols=symbols) for quantity in quantities)


def _staircases(
    specs: tuple[str, ...], symbol: str, settings: tuple[str, ...], quantities: tuple[str, ...], counting: Counting
) -> tuple[Any, ...]:
    from archspec.sweeps.family import Family
    from archspec.sweeps.staircase import staircase

    name, sign, ends = symbol.partition("=")
    between = _ends(ends, symbol) if sign else None
    found = (network(spec, settings) for spec in specs)
    return tuple(
        staircase(Family(arch.document, arch.in_symbols(bound), counting), name, quantities, between)
        for arch, bound in found
    )


def _ends(text: str, whole: str) -> tuple[Fraction, ...]:
    """Two numbers as 96..224, and a step of whole ones as 96..224:32.

    Raises:
        BindingError: It is no such text.
    """
    ends, colon, step = text.partition(":")
    low, dots, high = ends.partition("..")
    try:
        if not dots:
            raise ValueError
        return tuple(Fraction(part) for part in ((low, high, step) if colon else (low, high)))
    except (ValueError, ZeroDivisionError):
        raise BindingError(f"--for takes NAME or NAME=LOW..HIGH, such as side=96..224 (got '{whole[:60]}')") from None


def _findings(paper: str, place: str | None) -> tuple[Any, ...]:
    from pathlib import Path

    from archspec import published

    found = published.load(paper)
    folder = None if paper in published.papers() else Path(paper).parent
    return published.reproduce(found, folder), place


def _curves(runs: tuple[str, ...]) -> tuple[Any, ...]:
    from archspec.draw.charts.training import curves

    if not runs:
        raise ArchspecError("name the folders of runs whose curves are to be drawn")
    return tuple(map(curves, runs))


def _rows(file: str) -> tuple[Any, ...]:
    from archspec.draw.charts.results import read

    return (read(file),)


def _swept(
    specs: tuple[str, ...],
    ranges: tuple[str, ...],
    quantities: tuple[str, ...],
    where: tuple[str, ...],
    settings: tuple[str, ...],
    counting: Counting,
    front: str | None = None,
) -> Any:
    archs = [network(spec)[0] for spec in specs]
    asked = {"where": where, "bindings": bindings(settings), **({} if front is None else {"front": front})}
    return architecture.sweep(archs, ranges_of(ranges), quantities, counting=counting, **asked)


def _sweep(**given: Any) -> tuple[Any, ...]:
    return (_swept(**given),)


MOST_AMONG = 50_000
"""Of a sweep of so many points at most, those that the front outdoes are drawn, too."""


def _front(front: str, beside: tuple[str, ...] | None, counting: Counting, **given: Any) -> tuple[Any, ...]:
    from archspec.sweeps.criteria import objectives

    quantities = tuple(each.quantity for each in objectives(front))
    best = _swept(**given, quantities=quantities, counting=counting, front=front)
    among = _swept(**given, quantities=quantities, counting=counting) if best.points <= MOST_AMONG else None
    tables = [arch.count(bound, counting) for arch, bound in map(network, beside or ())]
    return best, among, tables


_quantities = click.option(
    "--of",
    "quantities",
    callback=several,
    default="macs,params",
    show_default=True,
    metavar="QUANTITY,…",
    shell_complete=complete.quantities,
    help="One panel each.",
)
_specs = click.argument("specs", metavar="SPEC…", nargs=-1, required=True, shell_complete=complete.specifications)

_SWEPT = (
    ranges_option("The values of a symbol, as in archspec sweep.", required=True),
    click.option("--where", multiple=True, metavar="NAME<=BOUND", help="Keep what is within: 'macs<=300M'."),
    set_option,
)
"""The options of a sweep."""

SOURCES: Mapping[str, PlotSource] = {
    "CostTable": PlotSource((spec_argument, set_option, counting_options()), _table),
    "Memory": PlotSource(
        (
            spec_argument,
            set_option,
            click.option(
                "--policy",
                callback=several,
                default="liveness",
                metavar="NAMES",
                show_default=True,
                help="One line each.",
            ),
            click.option("--dtype", type=click.Choice(list(DTYPES)), default="float32", show_default=True),
            click.option("--order", type=click.Choice(list(ORDERS)), default="given", show_default=True),
            click.option("--in-place", is_flag=True, help="Written over an input where that can be."),
            COUNTING["batch"],
        ),
        _memories,
    ),
    "Sensitivity": PlotSource(
        (
            spec_argument,
            click.option("--for", "symbols", callback=several, metavar="NAME,…", help="Of these symbols alone."),
            set_option,
            _quantities,
            counting_options(),
        ),
        _sensitivities,
    ),
    "Staircase": PlotSource(
        (
            _specs,
            click.option("--for", "symbol", required=True, metavar="NAME[=LOW..HIGH]", help="Along this symbol."),
            set_option,
            _quantities,
            counting_options(),
        ),
        _staircases,
    ),
    "Sweep": PlotSource((_specs, *_SWEPT, _quantities, counting_options()), _sweep),
    "front": PlotSource(
        (
            _specs,
            *_SWEPT,
            click.option(
                "--front",
                required=True,
                metavar="min:NAME,max:NAME",
                help="Objectives; the first two are the axes.",
            ),
            click.option("--beside", callback=several, metavar="SPEC,…", help="Networks to be marked."),
            counting_options(),
        ),
        _front,
    ),
    "Findings": PlotSource(
        (
            click.argument("paper", metavar="PAPER"),
            click.option("--table", "place", metavar="NAME", help="One table of the paper alone: 'Table 2'."),
        ),
        _findings,
    ),
    "Result": PlotSource((click.argument("runs", metavar="RUN…", nargs=-1),), _curves),
    "Nothing": PlotSource((), tuple),
    "Table": PlotSource((click.argument("file", metavar="FILE.csv"),), _rows),
}
"""What pictures are made from, by the names under which the register has them."""

_output = click.option("-o", "--output", required=True, metavar="FILE", help="x.svg, x.png, x.pdf, x.html or x.json.")

for _picture in PICTURES.values():
    if _picture.verb == "plot":
        command.add_command(_verb(_picture))
