"""Options for budgets of quantities, which several verbs take: --macs '<=300M'."""

import re
from functools import wraps
from typing import Any

import click

from archspec.cli.options import Command, Option, together
from archspec.cost import QUANTITIES
from archspec.errors import BindingError

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
