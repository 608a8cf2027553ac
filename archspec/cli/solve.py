"""`archspec solve`: the largest network within a budget."""

from collections.abc import Mapping
from typing import Any

import click

from archspec import architecture
from archspec.cli import complete
from archspec.cli.options import (
    all_option,
    bindings,
    budget_options,
    counting_options,
    format_option,
    listed,
    names,
    network,
    print_report,
    set_option,
    specs_or_zoo,
    verb,
)
from archspec.cost import Counting
from archspec.errors import BindingError


@verb("solve")
@specs_or_zoo
@all_option
@click.option(
    "--for",
    "symbols",
    shell_complete=complete.symbols,
    metavar="NAME,…",
    help="The symbol to solve for, or two: alpha,side.",
)
@budget_options
@set_option
@click.option("--between", multiple=True, metavar="[NAME=]LOW,HIGH[,STEP]", help="Where to search a symbol.")
@click.option(
    "--maximise",
    shell_complete=complete.quantities,
    metavar="QUANTITY",
    help="What to have as much of as possible.  [default: the first budget's]",
)
@click.option(
    "--minimise",
    shell_complete=complete.quantities,
    metavar="QUANTITY",
    help="What to have as little of as possible.  [default: the first's, if all are >=]",
)
@counting_options()
@format_option()
def command(  # noqa: PLR0913  # one argument an option
    specs: tuple[str, ...],
    every: bool,
    symbols: str | None,
    settings: tuple[str, ...],
    between: tuple[str, ...],
    maximise: str | None,
    minimise: str | None,
    output_format: str,
    counting: Counting,
    limits: Mapping[str, list[str]],
) -> None:
    """Find the largest network within budgets, and all values of the symbol that give it.

    Every network that the symbol can give is counted, so that the answer is exact: a width multiplier has finitely many
    networks, because widths are rounded. Of bounds that are all >= the smallest network is found. Of several SPECs, or
    of --all, which fits best; those without the symbol as they are. Exit 1 if no network is within the budgets.
    """
    from archspec.report import solve as reports
    from archspec.sweeps.family import Family
    from archspec.sweeps.solve import choose

    chosen = listed(specs, every)
    several = every or len(specs) > 1
    if symbols is None and not several:
        raise click.UsageError("--for says which symbol to solve for, such as --for alpha, or two: --for alpha,side")
    wanted = names(symbols, "--for") or ()
    options: dict[str, Any] = {"between": _between(between, wanted), "maximise": maximise, "minimise": minimise}
    if several:
        asked = bindings(settings)
        families = [Family(architecture.load(spec).document, asked, counting) for spec in chosen]
        best = choose(families, wanted, limits, **options)
        print_report(reports.choice(best), output_format, best)
        return
    arch, bound = network(specs[0], settings)
    found = arch.solve(wanted, limits, bound, counting, **options)
    print_report(reports.solve(found), output_format, found)


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
