"""Options that several verbs share."""

import os
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any, TypeAlias, TypeVar

import click

from archspec.cli.complete import conventions, quantities, settings_of, specifications
from archspec.cli.specs import named
from archspec.cli.verbs import Verb
from archspec.errors import BindingError
from archspec.memory import DTYPES, POLICIES

F = TypeVar("F", bound=Callable[..., Any])
Command: TypeAlias = Callable[..., Any]


def verb(name: str) -> Callable[[Callable[..., Any]], Verb]:
    """What makes a verb of a function."""
    return click.command(name, cls=Verb)


spec_argument = click.argument("spec", metavar="SPEC", shell_complete=specifications)


def set_option(command: F) -> F:
    """`--set NAME=VALUE`, any number of times."""
    return click.option(
        "--set",
        "settings",
        multiple=True,
        metavar="NAME=VALUE",
        help="Bind symbols: alpha=0.5, alpha=1/2,side=192.",
        shell_complete=settings_of,
    )(command)


def ranges_option(text: str, *, required: bool = False) -> Callable[[F], F]:
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

COUNTING: Mapping[str, Callable[[Command], Command]] = {
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


def counting_options(*fields: str) -> Callable[[Command], Command]:
    """The options of some fields of a request, or of all; the command gets one value, `counting`."""
    fields = fields or tuple(COUNTING)

    def decorate(command: Command) -> Command:
        @wraps(command)
        def with_counting(*args: Any, **options: Any) -> Any:
            from archspec.cost import USUAL, requested

            asked = {name: options.pop(name) for name in fields}
            asked = {name: value for name, value in asked.items() if value is not None}
            return command(*args, counting=requested(USUAL, asked), **options)

        decorated: Command = with_counting
        for name in reversed(fields):
            decorated = COUNTING[name](decorated)
        return decorated

    return decorate


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
