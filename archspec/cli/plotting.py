"""What `archspec plot` draws: how each result is made of the command line, and the options of the pictures."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias

import rich_click as click

from archspec import architecture
from archspec.cli import complete
from archspec.cli.options import COUNTING, counting_options, names, set_option, spec_argument
from archspec.cli.specs import bindings, network
from archspec.cost import Counting
from archspec.errors import ArchspecError, BindingError
from archspec.memory import DTYPES, ORDERS

Decorator: TypeAlias = Callable[[Callable[..., Any]], Callable[..., Any]]


class Names(click.ParamType):  # type: ignore[type-arg]  # generic in the newest click alone
    """Several names, apart by commas."""

    name = "names"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """The names."""
        if isinstance(value, tuple):
            return value
        option = param.opts[0] if param else "--of"
        return names(value, option) or ()


class Rate(click.ParamType):  # type: ignore[type-arg]
    """A number above 0, with k, M, G, T or P behind it where it is large."""

    name = "rate"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Fraction:
        """The number.

        >>> Rate().convert("1.5G", None, None)
        Fraction(1500000000, 1)
        """
        text = str(value).strip()
        factor = {"k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15}.get(text[-1:], 1)
        try:
            number = Fraction(text if factor == 1 else text[:-1].strip())
        except (ValueError, ZeroDivisionError):
            number = Fraction(0)
        if number <= 0:
            self.fail(f"expected a number above 0, such as 4.6T or 25e9, found '{text[:40]}'", param, ctx)
        return number * factor


class Numbers(click.ParamType):  # type: ignore[type-arg]
    """Numbers, apart by commas; whole ones where all are."""

    name = "numbers"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The numbers.

        >>> Numbers().convert("1,4,15", None, None), Numbers().convert("-0.5,2", None, None)
        ((1, 4, 15), (-0.5, 2.0))
        """
        if isinstance(value, tuple):
            return value
        try:
            found = tuple(Fraction(part.strip()) for part in str(value).split(","))
        except (ValueError, ZeroDivisionError):
            self.fail(f"expected numbers such as 1,4,15, found '{str(value)[:60]}'", param, ctx)
        whole = all(number.denominator == 1 for number in found)
        return tuple(int(number) if whole else float(number) for number in found)


class Rows(Numbers):
    """The rows of a matrix, apart by semicolons."""

    name = "rows"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The rows."""
        if isinstance(value, tuple):
            return value
        return tuple(super(Rows, self).convert(row, param, ctx) for row in str(value).split(";"))


class Wanted(click.ParamType):  # type: ignore[type-arg]
    """A column, and the values of it that are wanted: COLUMN=VALUE or COLUMN=VALUE|VALUE."""

    name = "wanted"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, tuple[str, ...]]:
        """The column and the values."""
        if isinstance(value, tuple):
            return value
        column, sign, values = str(value).partition("=")
        if not (column and sign):
            self.fail(f"expected COLUMN=VALUE, such as network=lenet_5 (got '{str(value)[:60]}')", param, ctx)
        return column, tuple(values.split("|"))


def _wanted(context: click.Context, parameter: click.Parameter, value: Any) -> dict[str, tuple[str, ...]] | None:
    return dict(value) or None


OPTIONS: Mapping[str, Decorator] = {
    "of": click.option(
        "--of", type=Names(), metavar="QUANTITY,…", shell_complete=complete.quantities, help="[default: macs,params]"
    ),
    "by": click.option("--by", help="What a row or a point stands for, as in archspec count.  [default: block]"),
    "peak": click.option(
        "--peak", type=Rate(), required=True, metavar="MACS", help="Of the device, in a second: 4.6T."
    ),
    "bandwidth": click.option(
        "--bandwidth", type=Rate(), required=True, metavar="BYTES", help="Of the device's memory, in a second: 25G."
    ),
    "x": click.option("-x", "x", required=True, metavar="COLUMN", help="The column along."),
    "y": click.option(
        "-y", "y", required=True, type=Names(), metavar="COLUMN,…", help="The columns up, one panel each."
    ),
    "series": click.option("--series", type=Names(), metavar="COLUMN,…", help="One line for each value of these."),
    "where": click.option(
        "--where", type=Wanted(), multiple=True, callback=_wanted, metavar="COLUMN=VALUE", help="These rows alone."
    ),
    "log": click.option("--log", type=Names(), metavar="x,y", help="The axes that are logarithmic."),
    "along": click.option("--along", metavar="NAME", help="The symbol along.  [default: the first]"),
    "groups": click.option("--groups", type=click.IntRange(1), help="[default: 3]"),
    "channels": click.option("--channels", type=click.IntRange(1), help="[default: 12]"),
    "positions": click.option(
        "--positions", type=Numbers(), metavar="N,N,…", help="Of the weights that are not zero.  [default: 1,4,15]"
    ),
    "values": click.option("--values", type=Numbers(), metavar="X,X,…", help="What they are.  [default: the paper's]"),
    "bits": click.option("--bits", type=click.IntRange(0, 8), help="Of a code.  [default: the paper's]"),
    "weights": click.option(
        "--weights", type=Rows(), metavar="X,X;X,X", help="A matrix, row by row.  [default: the paper's]"
    ),
    "gradient": click.option("--gradient", type=Rows(), metavar="X,X;X,X", help="Of the same shape."),
    "rate": click.option("--rate", type=float, help="The learning rate.  [default: 1]"),
    "title": click.option("--title", help="What stands above.  [default: the file's name]"),
}
"""The options of pictures, by the names under which the register has them."""


@dataclass(frozen=True, slots=True)
class PlotSource:
    """How a result is made of the command line.

    Attributes:
        options: Those that it takes.
        make: What it gives: what the function of the picture is called with.
    """

    options: tuple[Decorator, ...]
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
    from archspec.sweeps.staircase import staircase

    name, sign, ends = symbol.partition("=")
    between = _ends(ends, symbol) if sign else None
    found = (network(spec, settings) for spec in specs)
    return tuple(
        staircase(arch.document, name, quantities, between=between, counting=counting, bindings=arch.in_symbols(bound))
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
    return found, published.reproduce(found, folder), place


def _curves(runs: tuple[str, ...]) -> tuple[Any, ...]:
    from archspec.draw.charts.training import curves

    if not runs:
        raise ArchspecError("name the folders of runs whose curves are to be drawn")
    return tuple(map(curves, runs))


def _rows(file: str) -> tuple[Any, ...]:
    from archspec.draw.charts.columns import read

    return (read(file),)


def _ranges(texts: tuple[str, ...]) -> dict[str, str]:
    """The values of `--for` by symbol."""
    found = dict(text.partition("=")[::2] for text in texts)
    if len(found) < len(texts) or not all(values.strip() for values in found.values()):
        raise BindingError("--for takes NAME=VALUES once for each symbol, such as alpha=1/4..2:1/4")
    return found


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
    return architecture.sweep(archs, _ranges(ranges), quantities, counting=counting, **asked)


def _sweep(**given: Any) -> tuple[Any, ...]:
    return (_swept(**given),)


MOST_AMONG = 50_000
"""Of a sweep of so many points at most, those that the front outdoes are drawn, too."""


def _front(front: str, beside: tuple[str, ...], counting: Counting, **given: Any) -> tuple[Any, ...]:
    from archspec.sweeps.objective import objectives

    quantities = tuple(each.quantity for each in objectives(front))
    best = _swept(**given, quantities=quantities, counting=counting, front=front)
    among = _swept(**given, quantities=quantities, counting=counting) if best.points <= MOST_AMONG else None
    tables = [arch.count(bound, counting) for arch, bound in map(network, beside)]
    return best, among, tables


_quantities = click.option(
    "--of",
    "quantities",
    type=Names(),
    default="macs,params",
    show_default=True,
    metavar="QUANTITY,…",
    shell_complete=complete.quantities,
    help="One panel each.",
)
_specs = click.argument("specs", metavar="SPEC…", nargs=-1, required=True, shell_complete=complete.specifications)

_SWEPT = (
    click.option(
        "--for",
        "ranges",
        multiple=True,
        required=True,
        shell_complete=complete.settings_of,
        metavar="NAME=VALUES",
        help="The values of a symbol, as in archspec sweep.",
    ),
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
            click.option("--policy", type=Names(), default="liveness", show_default=True, help="One line each."),
            click.option("--dtype", type=click.Choice(list(DTYPES)), default="float32", show_default=True),
            click.option("--order", type=click.Choice(ORDERS), default="given", show_default=True),
            click.option("--in-place", is_flag=True, help="Written over an input where that can be."),
            COUNTING["batch"],
        ),
        _memories,
    ),
    "Sensitivity": PlotSource(
        (
            spec_argument,
            click.option("--for", "symbols", type=Names(), metavar="NAME,…", help="Of these symbols alone."),
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
                help="The objectives; the first two are the axes.",
            ),
            click.option(
                "--beside", type=Names(), default=(), metavar="SPEC,…", help="Networks to be marked: papers'."
            ),
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
    "Runs": PlotSource((click.argument("runs", metavar="RUN…", nargs=-1),), _curves),
    "Nothing": PlotSource((), tuple),
    "Table": PlotSource((click.argument("file", metavar="FILE.csv"),), _rows),
}
"""What pictures are made from, by the names under which the register has them."""
