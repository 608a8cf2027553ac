"""`archspec explain`: one layer, from its rule to its numbers."""

import rich_click as click

from archspec import architecture
from archspec.cli.formats import format_option, tell
from archspec.cli.options import bindings, set_option, spec_argument


@click.command("explain")
@spec_argument
@click.argument("node", metavar="NODE")
@set_option
@click.option("--batch", default=1, type=click.IntRange(1, 10**9), show_default=True, help="Inputs at once.")
@click.option("--convention", default="default", show_default=True, help="What counts as a FLOP.")
@format_option()
def command(spec: str, node: str, settings: tuple[str, ...], batch: int, convention: str, form: str) -> None:
    """Walk through one layer: the rule of its operator, the letters, the numbers put in, the result.

    NODE is a layer's path, or as much of it as tells it from the others: fire2/squeeze/conv2d,
    separable2/pointwise/relu.
    """
    from archspec.report.explain import explain

    found = architecture.load(spec).explain(node, batch=batch, convention=convention, **bindings(settings))
    tell(explain(found), form)
