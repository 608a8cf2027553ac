"""What a shell offers when Tab is pressed: networks of the zoo, their symbols, quantities, conventions, counters.

`docs/cli.md` says how a shell is told to ask. An answer never fails: where something cannot be read, there is none.
"""

from collections.abc import Iterable
from contextlib import suppress

import click
from click.shell_completion import CompletionItem

from archspec.errors import ArchspecError


def specifications(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The names of the zoo; files, where none begins like this. Behind `mobilenet:` its symbols."""
    from archspec import language

    name, colon, begun = incomplete.rpartition(":")
    if colon:
        return [CompletionItem(f"{name}:{item}") for item in _settings(name, begun)]
    return _begin(language.zoo.names(), incomplete) or [CompletionItem(incomplete, type="file")]


def settings_of(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """NAME= of the symbols of the SPEC before it, and the values that a symbol chooses from."""
    return list(map(CompletionItem, _settings(_spec(context), incomplete)))


def symbols(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The symbols of the SPEC before it, each behind the commas that are there."""
    return _listed(_symbols(_spec(context)), incomplete)


def quantities(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The quantities of the register, behind the commas that are there."""
    from archspec.cost import QUANTITIES

    return _listed(QUANTITIES, incomplete)


def columns(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The columns of a table of costs."""
    from archspec.report.columns import COLUMNS

    return _listed(COLUMNS, incomplete)


def conventions(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The conventions."""
    from archspec.cost import CONVENTIONS

    return _begin(CONVENTIONS, incomplete)


def counters(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The counters whose numbers can be printed."""
    from archspec.cost import DIALECTS

    return _begin(DIALECTS, incomplete)


def _begin(names: Iterable[str], incomplete: str, before: str = "") -> list[CompletionItem]:
    return [CompletionItem(f"{before}{name}") for name in names if name.startswith(incomplete)]


def _listed(names: Iterable[str], incomplete: str) -> list[CompletionItem]:
    before, comma, begun = incomplete.rpartition(",")
    there = before.split(",")
    return _begin((name for name in names if name not in there), begun, before + comma)


def _spec(context: click.Context) -> str:
    found = context.params.get("spec") or context.params.get("specs") or context.args or [""]
    return str(found if isinstance(found, str) else found[0])  # of an option without a value, click reads no arguments


def _symbols(spec: str) -> dict[str, tuple[str, ...]]:
    """The symbols of a specification, each with the values that it chooses from."""
    from archspec.cli.options import network  # which has the options that ask here

    with suppress(ArchspecError, OSError):
        arch, _ = network(spec)
        return {name: tuple(map(str, symbol.choices or ())) for name, symbol in arch.symbols.items()}
    return {}


def _settings(spec: str, incomplete: str) -> list[str]:
    before, comma, begun = incomplete.rpartition(",")
    name, sign, value = begun.partition("=")
    known = _symbols(spec)
    if sign:
        return [f"{before}{comma}{name}={each}" for each in known.get(name, ()) if each.startswith(value)]
    return [f"{before}{comma}{each}=" for each in known if each.startswith(begun)]
