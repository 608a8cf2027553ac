"""`archspec formula`: what a network costs, in its symbols."""

from collections.abc import Callable
from typing import Any

import rich_click as click

from archspec import architecture, cost
from archspec.cli.options import bindings, counting_options, names, set_option, width

VIEWS = ("exact", "divisible", "asymptotic")
FORMATS = ("text", "markdown", "latex", "python", "numpy", "javascript", "json")


def _options(command: Callable[..., Any]) -> Callable[..., Any]:
    options: list[Callable[[Callable[..., Any]], Callable[..., Any]]] = [
        click.option("--ops", is_flag=True, help="The closed forms of every operator, without a SPEC."),
        click.option("--of", "quantity", default="macs", show_default=True, help="macs, params, flops, activations, …"),
        click.option("--block", metavar="NAME", help="A block by itself; or write SPEC as mobilenet:separable."),
        click.option("--letters", metavar="NAME", help="Write a block in letters that it declares, such as paper."),
        click.option("--part", metavar="PATH", help="A stage or a node by its path, or all nodes of an operator."),
        click.option("--by", type=click.Choice(cost.GROUPINGS), default="total", show_default=True),
        click.option("--free", metavar="NAME,…", help="Symbols to leave free, batch among them.  [default: all]"),
        click.option("--where", metavar="NAME=EXPR,…", help="Expressions for symbols: M=alpha*M,N=alpha*N."),
        click.option(
            "--method", metavar="NAME", help="A closed form of compression, in place of SPEC: weight_sharing."
        ),
        click.option("--over", metavar="SPEC", help="Divide by the same formula of another network or block."),
        click.option("--view", type=click.Choice(VIEWS), default="exact", show_default=True),
        click.option("--check", "trials", type=click.IntRange(1, 10**5), help="Compare with N counts at random."),
        counting_options(),
        click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@click.command("formula")
@click.argument("spec", metavar="SPEC", required=False)
@set_option
@_options
@click.pass_context
def command(
    context: click.Context,
    /,
    spec: str | None,
    ops: bool,
    method: str | None,
    view: Any,
    form: str,
    **options: Any,
) -> None:
    """Print closed forms: exact with their roundings, exact where sizes divide, or what they grow like.

    Exit 1: --check found a binding at which formula and count differ.
    """
    if ops:
        _all_operators(spec, form)
    elif method is not None:
        _closed_form(spec, method, view, form, options["settings"])
    elif spec is None:
        raise click.UsageError("formula takes a specification, --ops or --method")
    else:
        _formulas_of(context, spec, view, form, **options)


def _closed_form(spec: str | None, method: str, view: Any, form: str, settings: tuple[str, ...]) -> None:
    from archspec.compress.closed_forms import closed_form
    from archspec.report.formula import formulas as printed

    if spec is not None:
        raise click.UsageError("--method stands by itself; leave out SPEC")
    click.echo(printed((closed_form(method).formula(bindings(settings)),), view, form, width=width()), nl=False)


def _all_operators(spec: str | None, form: str) -> None:
    from archspec.formula.operators import operator_forms
    from archspec.report.operators import FORMATS, operators

    if spec is not None:
        raise click.UsageError("--ops is of all operators; leave out SPEC")
    if form not in FORMATS:
        raise click.UsageError(f"--ops is printed as {', '.join(FORMATS)}")
    click.echo(operators(operator_forms(), form), nl=False)


def _formulas_of(
    context: click.Context, spec: str, view: Any, form: str, *, over: str | None, where: str | None, **options: Any
) -> None:
    from archspec.formula.proof import proved
    from archspec.formula.substituted import new_letters, substituted
    from archspec.report.formula import formulas as printed

    if over is not None and options["by"] != "total":
        raise click.UsageError("--over divides one formula by one; leave out --by")
    if (over is not None or where is not None) and options["trials"]:
        raise click.UsageError("--check compares a formula with counts; leave out --over and --where")
    block, trials, letters = options.pop("block"), options.pop("trials"), options["letters"]
    arch = architecture.load(spec)
    arch = arch.block(block) if block else arch
    found = _formulas(arch, options)
    proofs = [proved(each, arch.lettered(letters), trials) for each in found] if trials else []
    if over is not None:
        found = (found[0] / _formulas(architecture.load(over), options)[0],)
    if where is not None:
        before, found = found, tuple(substituted(each, where) for each in found)
        new = new_letters(before[0], found[0])
        if new:
            click.echo(f"new in the formula: {', '.join(new)}", err=True)
    click.echo(printed(found, view, form, proofs=proofs, width=width()), nl=False)
    if not all(proofs):
        context.exit(1)


def _formulas(arch: architecture.Architecture, options: dict[str, Any]) -> Any:
    asked = {**options, "free": names(options["free"]), "bindings": bindings(options["settings"])}
    del asked["settings"]
    return arch.formulas(**asked)
