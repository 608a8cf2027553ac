"""What a shell offers when Tab is pressed: quantities, columns, conventions, counters; what a SPEC has is in `options`.

`docs/cli.md` says how a shell is told to ask. An answer never fails: where something cannot be read, there is none.
"""

from collections.abc import Iterable

import click
from click.shell_completion import CompletionItem


def quantities(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The quantities of the register, behind the commas that are there."""
    from archspec.cost import QUANTITIES

    return offered_behind(QUANTITIES, incomplete)


def columns(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The columns of a table of costs."""
    from archspec.report.columns import COLUMNS

    return offered_behind(COLUMNS, incomplete)


def conventions(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The conventions."""
    from archspec.cost import CONVENTIONS

    return offered(CONVENTIONS, incomplete)


def counters(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The counters whose numbers can be printed."""
    from archspec.cost import DIALECTS

    return offered(DIALECTS, incomplete)


def offered(names: Iterable[str], incomplete: str, before: str = "") -> list[CompletionItem]:
    """Those of some names that begin so, with what stands before them."""
    return [CompletionItem(f"{before}{name}") for name in names if name.startswith(incomplete)]


def offered_behind(names: Iterable[str], incomplete: str) -> list[CompletionItem]:
    """The same of a list, behind the commas that are there; none twice."""
    before, comma, begun = incomplete.rpartition(",")
    there = before.split(",")
    return offered((name for name in names if name not in there), begun, before + comma)
