"""`archspec compress`: what a compressed network weighs, and the closed forms of that."""

import rich_click as click

from archspec import architecture
from archspec.cli.formats import format_option, tell
from archspec.cli.options import bindings, set_option, spec_argument
from archspec.report.compress import closed_forms, prediction


@click.group("compress")
def command() -> None:
    """Predict what a network weighs under a plan, and list the closed forms behind it."""


@command.command("predict")
@spec_argument
@click.option("--plan", required=True, metavar="PLAN", help="A file, - for standard input, or the name of a plan.")
@set_option
@format_option()
def predict(spec: str, plan: str, settings: tuple[str, ...], form: str) -> None:
    """Say layer by layer what is stored under a plan, and how much smaller that is.

    Plans that come with the library: alexnet, lenet_300_100, lenet_5, vgg16 (Deep Compression), xnor_alexnet, …
    """
    found = architecture.load(spec).predict(plan, **bindings(settings))
    tell(prediction(found), form)


@command.command("formulas")
@click.argument("name", required=False)
@set_option
@format_option()
def formulas(name: str | None, settings: tuple[str, ...], form: str) -> None:
    """Print the closed forms of compression, or the one of a NAME, with letters set if wanted: --set n=16 --set k=4."""
    from archspec.compress.closed_forms import CLOSED_FORMS, closed_form

    if settings and name is None:
        raise click.UsageError("--set gives values to the letters of one closed form; give its NAME")
    found = tuple(CLOSED_FORMS.values()) if name is None else (closed_form(name),)
    tell(closed_forms(found, bindings(settings)), form)
