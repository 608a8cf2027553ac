"""`--format`, one option of all verbs that print a report, and how the report is printed."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from archspec.cli.options import colour, width
from archspec.errors import ArchspecError
from archspec.report import formats
from archspec.report.page import Report

F = TypeVar("F", bound=Callable[..., Any])


class Format(click.ParamType):  # type: ignore[type-arg]  # generic in the newest click alone
    """The name of a format.

    Args:
        also: What a verb writes besides, such as a formula's languages.
    """

    name = "format"

    def __init__(self, also: tuple[str, ...] = ()) -> None:
        self.also = also

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name, if there is such a format here or in a package that is installed."""
        if value not in self.also:
            try:
                formats.module_of(value)
            except ArchspecError as error:
                self.fail(str(error), param, ctx)
        return str(value)


def format_option(*also: str) -> Callable[[F], F]:
    """`--format NAME`."""
    known = ", ".join((*formats.names(), *also))
    return click.option(
        "--format",
        "output_format",
        type=Format(also),
        default="text",
        show_default=True,
        metavar="NAME",
        help=f"{known}.",
    )


def print_report(report: Report, output_format: str) -> None:
    """Print a report."""
    click.echo(formats.written(report, output_format, width=width(), colour=colour()), nl=False)
