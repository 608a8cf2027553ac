"""`archspec solve`: the largest network within a budget."""

import re

import rich_click as click

from archspec.cli import complete
from archspec.cli.formats import format_option, print_report
from archspec.cli.options import F, counting_options, network, set_option, spec_argument
from archspec.cost import QUANTITIES, Counting
from archspec.errors import BindingError

FIRST = ("macs", "flops", "params", "activations", "weight_bytes", "memory")
"""The budgets that help names first."""


def _budgets(command: F) -> F:
    """An option for a budget of each quantity."""
    for name in reversed(tuple(dict.fromkeys((*FIRST, *QUANTITIES)))):
        unit = ", with kB, MB (1000) or KiB, MiB (1024)" if QUANTITIES[name].unit == "B" else ""
        example = ": '<=300M', '>=1.5G'. Each may be given twice." if name == FIRST[0] else unit
        text = f"{QUANTITIES[name].meaning}{example}"
        command = click.option(f"--{name.replace('_', '-')}", multiple=True, metavar="BOUND", help=text)(command)
    return command


@click.command("solve")
@spec_argument
@click.option(
    "--for",
    "symbols",
    shell_complete=complete.symbols,
    required=True,
    metavar="NAME,…",
    help="The symbol to solve for, or two: alpha,side.",
)
@_budgets
@click.option("--budget", "others", multiple=True, metavar="NAME<=BOUND", help="A budget of any quantity, by its name.")
@set_option
@click.option("--between", multiple=True, metavar="[NAME=]LOW,HIGH[,STEP]", help="Where to search a symbol.")
@click.option(
    "--maximise",
    shell_complete=complete.quantities,
    metavar="QUANTITY",
    help="What to have as much of as possible.  [default: the first budget's]",
)
@counting_options()
@format_option()
def command(
    spec: str,
    symbols: str,
    settings: tuple[str, ...],
    between: tuple[str, ...],
    maximise: str | None,
    others: tuple[str, ...],
    output_format: str,
    counting: Counting,
    **budgets: tuple[str, ...],
) -> None:
    """Find the largest network within budgets, and all values of the symbol that give it.

    Every network that the symbol can give is counted, so that the answer is exact: a width multiplier has finitely many
    networks, because widths are rounded. Exit 1 if no network is within the budgets.
    """
    from archspec.report.solve import solve

    names = tuple(name.strip() for name in symbols.split(","))
    arch, bound = network(spec, settings)
    found = arch.solve(
        names,
        _bounds(budgets, others),
        bound,
        counting,
        between=_between(between, names),
        maximise=maximise,
    )
    print_report(solve(found), output_format)
    if not found:
        raise SystemExit(1)


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


def _between(texts: tuple[str, ...], names: tuple[str, ...]) -> dict[str, list[str]]:
    """The bounds of `--between` by symbol.

    Raises:
        BindingError: An option names no symbol where there are two, or a symbol twice.
    """
    bounds: dict[str, list[str]] = {}
    for text in texts:
        name, sign, ends = text.rpartition("=")
        name = name.strip() if sign else names[0]
        if not sign and len(names) > 1:
            raise BindingError(f"--between takes NAME=LOW,HIGH where two symbols are searched (got '{text}')")
        if name in bounds:
            raise BindingError(f"--between {name} is given twice")
        bounds[name] = [end.strip() for end in ends.split(",")]
    return bounds
