"""`archspec solve`: the largest network within a budget."""

from typing import Any

import rich_click as click

from archspec import architecture
from archspec.cli.formats import format_option, tell
from archspec.cli.options import bindings, set_option, spec_argument
from archspec.errors import BindingError
from archspec.sweep.budget import QUANTITIES


@click.command("solve")
@spec_argument
@click.option("--for", "symbols", required=True, metavar="NAME,…", help="The symbol to solve for, or two: alpha,side.")
@click.option("--macs", multiple=True, metavar="BOUND", help="A budget: '<=300M', '>=1.5G'. Each may be given twice.")
@click.option("--flops", multiple=True, metavar="BOUND")
@click.option("--params", multiple=True, metavar="BOUND")
@click.option("--activations", multiple=True, metavar="BOUND")
@click.option("--weight-bytes", multiple=True, metavar="BOUND", help="With kB, MB (1000) or KiB, MiB (1024).")
@click.option("--memory", multiple=True, metavar="BOUND", help="The peak of activations while running, in bytes.")
@set_option
@click.option("--between", multiple=True, metavar="[NAME=]LOW,HIGH[,STEP]", help="Where to search a symbol.")
@click.option("--maximise", metavar="QUANTITY", help="What to have most of.  [default: the first budget's]")
@click.option("--convention", default="default", show_default=True, help="What counts as a parameter and a FLOP.")
@click.option("--policy", default="layerwise", show_default=True, help="Of --memory, as in archspec memory.")
@click.option("--dtype", default="float32", show_default=True, help="Of --memory.")
@click.option("--batch", default=1, type=click.IntRange(1, 10**9), show_default=True, help="Inputs at once.")
@format_option()
def command(
    spec: str,
    symbols: str,
    settings: tuple[str, ...],
    between: tuple[str, ...],
    form: str,
    **asked: Any,
) -> None:
    """Find the largest network within budgets, and all values of the symbol that give it.

    Every network that the symbol can give is counted, so that the answer is exact: a width multiplier has finitely many
    networks, because widths are rounded. Exit 1 if no network is within the budgets.
    """
    from archspec.report.solve import solve

    names = tuple(name.strip() for name in symbols.split(","))
    budgets = {quantity: bounds for quantity in QUANTITIES if (bounds := asked.pop(quantity))}
    asked |= bindings(settings)
    found = architecture.load(spec).solve(names, budgets, between=_between(between, names), **asked)
    tell(solve(found), form)
    if not found:
        raise SystemExit(1)


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
