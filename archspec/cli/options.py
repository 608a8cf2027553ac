"""Options that several verbs share, and what a SPEC stands for: a file, a name of the zoo or a run, and its values."""

import os
import re
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import reduce, wraps
from typing import Any, TypeAlias

import click

from archspec import architecture, runs
from archspec.architecture import Architecture
from archspec.cli.complete import conventions, quantities, settings_of, specifications
from archspec.cli.verbs import Verb
from archspec.cost import QUANTITIES, USUAL, requested
from archspec.errors import ArchspecError, BindingError
from archspec.memory import DTYPES, POLICIES
from archspec.report import formats
from archspec.report.page import Report
from archspec.runs import Run


def named(text: str, takes: str) -> tuple[str, str]:
    """The name and the value of an option's NAME=VALUE.

    Args:
        text: What was given.
        takes: What the option takes, for the fault.

    Raises:
        BindingError: There is no name, or no value.

    >>> named("alpha = 1/2", "--set takes NAME=VALUE")
    ('alpha', '1/2')
    """
    name, sign, value = (part.strip() for part in text.partition("="))
    if not (sign and name and value):
        raise BindingError(f"{takes} (got '{text}')")
    return name, value


def bindings(settings: tuple[str, ...]) -> dict[str, str]:
    """The symbols' values of `--set` options, each of which may hold several, apart by commas.

    Raises:
        BindingError: A part is not NAME=VALUE, or a name stands twice.
    """
    values: dict[str, str] = {}
    for setting in (part for several in settings for part in several.split(",")):
        name, value = named(setting, "--set takes NAME=VALUE, such as alpha=0.5")
        if name in values:
            raise BindingError(f"--set {name} is given twice")
        values[name] = value
    return values


def apart(spec: str) -> tuple[str, dict[str, str]]:
    """A specification as it is named, and the values of symbols behind the name: mobilenet:alpha=0.5,side=160.

    Raises:
        BindingError: What stands behind is not NAME=VALUE.
    """
    name, colon, settings = spec.rpartition(":")
    if not colon or "=" not in settings or os.path.exists(spec):
        return spec, {}
    return name, bindings((settings,))


def network(spec: str, settings: tuple[str, ...] = ()) -> tuple[Architecture, dict[str, Any]]:
    """The network that SPEC names, and the values of its symbols: those behind its name, else those of `--set`.

    Of a run's folder, the values of the run are the defaults.
    """
    name, own = apart(spec)
    run = runs.find(name)
    return architecture.load(name) if run is None else run.as_specification(), {**bindings(settings), **own}


def open_spec(spec: str, settings: tuple[str, ...]) -> tuple[Architecture, dict[str, Any], Run | None]:
    """The same for what is made with weights; and the run, if SPEC is its folder.

    Raises:
        ArchspecError: A run's folder has its bindings; others are refused.
    """
    name, own = apart(spec)
    run = runs.find(name)
    bound: dict[str, Any] = {**bindings(settings), **own}
    if run is None:
        return architecture.load(name), bound, None
    if odd := [name for name, value in bound.items() if run.bindings.get(name) != value]:
        raise BindingError(f"{name}: is the folder of a run with other bindings than --set {odd[0]}={bound[odd[0]]}")
    return run.architecture(), dict(run.bindings), run


def weights_of(spec: str, run: Run | None, file: str | None) -> str:
    """The file of weights that is named, else the chosen weights of the run that SPEC is.

    Raises:
        ArchspecError: SPEC is no folder of a run, and nothing is named.
    """
    if file is None and run is None:
        raise ArchspecError(f"{spec}: is not the folder of a run; name its weights with --weights")
    return str(run.weights) if run is not None and file is None else str(file)


Command: TypeAlias = Callable[..., Any]
Option: TypeAlias = Callable[[Command], Command]


def verb(name: str) -> Callable[[Command], Verb]:
    """What makes a verb of a function."""
    return click.command(name, cls=Verb)


def together(*options: Option) -> Option:
    """Several options as one, in the order in which help has them."""
    return lambda command: reduce(lambda made, option: option(made), reversed(options), command)


spec_argument = click.argument("spec", metavar="SPEC", shell_complete=specifications)

set_option = click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    help="Bind symbols: alpha=0.5, alpha=1/2,side=192.",
    shell_complete=settings_of,
)
"""`--set NAME=VALUE`, any number of times."""


def ranges_option(text: str, *, required: bool = False) -> Option:
    """`--for NAME=VALUES`, any number of times."""
    return click.option(
        "--for",
        "ranges",
        multiple=True,
        required=required,
        shell_complete=settings_of,
        metavar="NAME=VALUES",
        help=text,
    )


quantity_option = click.option(
    "--of",
    "quantity",
    metavar="QUANTITY",
    shell_complete=quantities,
    default="macs",
    show_default=True,
    help="macs, params, flops, activations, …",
)
"""`--of QUANTITY`."""

COUNTING: Mapping[str, Option] = {
    "convention": click.option(
        "--convention",
        metavar="NAME",
        help="What counts as a parameter and a FLOP: default, mobilenet, xnor, …",
        shell_complete=conventions,
    ),
    "batch": click.option("--batch", type=click.IntRange(1, 10**9), help="Inputs at once.  [default: 1]"),
    "policy": click.option(
        "--policy", metavar="NAME", help=f"What is in memory at once: {', '.join(POLICIES)}.  [default: layerwise]"
    ),
    "dtype": click.option(
        "--dtype", metavar="NAME", help=f"The type of an activation: {', '.join(DTYPES)}.  [default: float32]"
    ),
    "order": click.option(
        "--order",
        metavar="NAME",
        help="The order in which layers run: given, or best: of least peak.  [default: given]",
    ),
    "in_place": click.option(
        "--in-place", is_flag=True, default=None, help="Activations, normalisations and sums are written over an input."
    ),
    "weight_bits": click.option(
        "--weight-bits", type=int, metavar="N", help="Bits a stored weight has.  [default: the convention's]"
    ),
}
"""The options that make a request to count, by its fields."""


def counting_options(*fields: str) -> Option:
    """The options of some fields of a request, or of all; the command gets one value, `counting`."""
    fields = fields or tuple(COUNTING)

    def decorate(command: Command) -> Command:
        @wraps(command)
        def with_counting(*args: Any, **options: Any) -> Any:
            asked = {name: options.pop(name) for name in fields}
            asked = {name: value for name, value in asked.items() if value is not None}
            return command(*args, counting=requested(USUAL, asked), **options)

        return together(*(COUNTING[name] for name in fields))(with_counting)

    return decorate


FIRST = ("macs", "flops", "params", "activations", "weight_bytes", "memory")
"""The budgets that help names first."""

BUDGETS = tuple(dict.fromkeys((*FIRST, *QUANTITIES)))
"""All that have an option."""


def budget_options(command: Command) -> Command:
    """An option for a budget of each quantity; the command gets one mapping, `limits`, of bounds by quantity."""

    @wraps(command)
    def with_limits(*args: Any, others: tuple[str, ...], **options: Any) -> Any:
        budgets = {name: options.pop(name) for name in BUDGETS}
        return command(*args, limits=_bounds(budgets, others), **options)

    others = click.option(
        "--budget", "others", multiple=True, metavar="NAME<=BOUND", help="A budget of any quantity, by its name."
    )
    return together(*map(_budget_option, BUDGETS), others)(with_limits)


def _budget_option(name: str) -> Option:
    unit = ", with kB, MB (1000) or KiB, MiB (1024)" if QUANTITIES[name].unit == "B" else ""
    example = ": '<=300M', '>=1.5G'. Each may be given twice." if name == FIRST[0] else unit
    text = f"{QUANTITIES[name].meaning}{example}"
    return click.option(f"--{name.replace('_', '-')}", multiple=True, metavar="BOUND", help=text)


def _bounds(budgets: dict[str, tuple[str, ...]], others: tuple[str, ...]) -> dict[str, list[str]]:
    """The bounds by quantity, in the order of the options; those of `--budget` behind them.

    Raises:
        BindingError: A `--budget` is not a name and a bound.
    """
    bounds = {name: list(each) for name, each in budgets.items() if each}
    for text in others:
        found = re.fullmatch(r"\s*(\w+)\s*([<>≤≥].*)", text)
        if found is None:
            raise BindingError(f"--budget takes NAME<=BOUND, such as 'traffic<=40MB' (got '{text}')")
        bounds.setdefault(found[1], []).append(found[2])
    return bounds


def format_option(*also: str) -> Option:
    """`--format NAME`, of the library or of a package that is installed.

    Args:
        also: What a verb writes besides, such as a formula's languages.
    """

    def known(context: click.Context, parameter: click.Parameter, value: str) -> str:
        try:
            if value not in also:
                formats.module_of(value)
        except ArchspecError as error:
            raise click.BadParameter(str(error), context, parameter) from None
        return value

    return click.option(
        "--format",
        "output_format",
        callback=known,
        default="text",
        show_default=True,
        metavar="NAME",
        help=f"{', '.join((*formats.names(), *also))}.",
    )


def print_report(report: Report, output_format: str, fine: object = True) -> None:
    """Print a report; exit with 1 where what it is on is not fine."""
    click.echo(formats.written(report, output_format, width=width(), colour=colour()), nl=False)
    if not fine:
        sys.exit(1)


specs_or_zoo = click.argument("specs", metavar="SPEC…", nargs=-1, shell_complete=specifications)
all_option = click.option("--all", "every", is_flag=True, help="All networks of the zoo, in place of SPEC…")


def listed(specs: tuple[str, ...], every: bool) -> Iterable[str]:
    """The specifications of a verb that takes several, or all of the zoo.

    Raises:
        UsageError: There is none, or both are given.
    """
    from archspec.language import zoo

    if bool(specs) == every:
        raise click.UsageError("give one SPEC, several, or --all" if every else "give a SPEC, several, or --all")
    return zoo.names() if every else specs


def ranges_of(texts: tuple[str, ...]) -> dict[str, str]:
    """The values of `--for` by symbol.

    Raises:
        BindingError: An option is not NAME=VALUES, or a symbol stands twice.
    """
    found: dict[str, str] = {}
    for text in texts:
        name, values = named(text, "--for takes NAME=VALUES, such as alpha=1/4..2:1/4")
        if name in found:
            raise BindingError(f"--for {name} is given twice; write its values in one: {name}={found[name]},{values}")
        found[name] = values
    return found


def names(text: str | None, option: str = "--free") -> tuple[str, ...] | None:
    """The names of an option that takes several, apart by commas; None if it is not given.

    Raises:
        BindingError: One is empty, or stands twice.
    """
    if text is None:
        return None
    found = tuple(name.strip() for name in text.split(","))
    if not all(found):
        raise BindingError(f"{option} takes NAME,NAME,… (got '{text}')")
    twice = next((name for name in found if found.count(name) > 1), None)
    if twice:
        raise BindingError(f"{option} {twice} is given twice")
    return found


def width() -> int:
    """The columns to print in: the terminal's, from 80 to 200; 100 where there is none."""
    return min(max(shutil.get_terminal_size((100, 24)).columns, 80), 200)


def colour() -> bool:
    """Whether to print in bold: on a terminal or where FORCE_COLOR is set, unless NO_COLOR is."""
    return not os.environ.get("NO_COLOR") and (sys.stdout.isatty() or bool(os.environ.get("FORCE_COLOR")))
