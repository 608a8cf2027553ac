"""`archspec formula`: what a network costs, in its symbols."""

import sys
from collections.abc import Sequence
from typing import Any

import click

from archspec import cost
from archspec.architecture import Architecture
from archspec.cli import complete
from archspec.cli.echo import echo_error
from archspec.cli.options import (
    bindings,
    counting_options,
    format_option,
    names,
    network,
    print_report,
    quantity_option,
    set_option,
    together,
    verb,
)

VIEWS = ("exact", "divisible", "asymptotic")
LANGUAGES = ("python", "numpy", "javascript")
"""What a formula is written in as a function."""


_options = together(
    click.option("--ops", is_flag=True, help="The closed forms of every operator, without a SPEC."),
    quantity_option,
    click.option("--block", metavar="NAME", help="A block by itself; or write SPEC as mobilenet:separable."),
    click.option("--letters", metavar="NAME", help="Write a block in letters that it declares, such as paper."),
    click.option("--part", metavar="PATH", help="A stage or a node by its path, or all nodes of an operator."),
    click.option(
        "--by", type=click.Choice(cost.GROUPINGS), default="total", show_default=True, help="One formula per group."
    ),
    click.option(
        "--free",
        shell_complete=complete.symbols,
        metavar="NAME,…",
        help="Symbols to leave free, batch among them.  [default: all]",
    ),
    click.option("--where", metavar="NAME=EXPR,…", help="Expressions for symbols: M=alpha*M,N=alpha*N."),
    click.option("--method", metavar="NAME", help="A closed form of compression, in place of SPEC: weight_sharing."),
    click.option("--over", metavar="SPEC", help="Divide by the same formula of another network or block."),
    click.option(
        "--view",
        type=click.Choice(VIEWS),
        default="exact",
        show_default=True,
        help="With all roundings, where sizes divide, or without roundings.",
    ),
    click.option("--check", "trials", type=click.IntRange(1, 10**5), help="Compare with N counts at random."),
    counting_options(),
    format_option(*LANGUAGES),
)


@verb("formula")
@click.argument("spec", metavar="SPEC", required=False)
@set_option
@_options
def command(
    spec: str | None,
    ops: bool,
    method: str | None,
    view: Any,
    output_format: str,
    **options: Any,
) -> None:
    """Print closed forms: exact with their roundings, exact where sizes divide, or what they grow like.

    Exit 1: --check found a binding at which formula and count differ.
    """
    if ops:
        _all_operators(spec, output_format)
    elif method is not None:
        _closed_form(spec, method, view, output_format, options["settings"])
    elif spec is None:
        raise click.UsageError("formula takes a specification, --ops or --method")
    else:
        _formulas_of(spec, view, output_format, **options)


def _closed_form(spec: str | None, method: str, view: Any, output_format: str, settings: tuple[str, ...]) -> None:
    from archspec.compress.closed_forms import closed_form

    if spec is not None:
        raise click.UsageError("--method stands by itself; leave out SPEC")
    _print((closed_form(method).formula(bindings(settings)),), view, output_format)


def _all_operators(spec: str | None, output_format: str) -> None:
    from archspec.formula.operators import operator_forms
    from archspec.report.explain import operators

    if spec is not None:
        raise click.UsageError("--ops is of all operators; leave out SPEC")
    if output_format in LANGUAGES:
        raise click.UsageError("--ops is a table, and no function of a language")
    print_report(operators(operator_forms()), output_format)


def _formulas_of(
    spec: str,
    view: Any,
    output_format: str,
    *,
    over: str | None,
    where: str | None,
    **options: Any,
) -> None:
    from archspec.formula.proof import proved
    from archspec.formula.substituted import new_letters, substituted

    if over is not None and options["by"] != "total":
        raise click.UsageError("--over divides one formula by one; leave out --by")
    if (over is not None or where is not None) and options["trials"]:
        raise click.UsageError("--check compares a formula with counts; leave out --over and --where")
    block, trials, letters = options.pop("block"), options.pop("trials"), options["letters"]
    settings = options.pop("settings")
    arch, bound = network(spec, settings)
    arch = arch.block(block) if block else arch
    found = _formulas(arch, bound, options)
    proofs = [proved(each, arch.lettered(letters), trials) for each in found] if trials else []
    if over is not None:
        below, bound = network(over, settings)
        found = (found[0] / _formulas(below, bound, options)[0],)
    if where is not None:
        before, found = found, tuple(substituted(each, where) for each in found)
        new = new_letters(before[0], found[0])
        if new:
            echo_error(f"new in the formula: {', '.join(new)}")
    _print(found, view, output_format, proofs)


def _print(found: Sequence[Any], view: Any, output_format: str, proofs: Sequence[Any] = ()) -> None:
    from archspec.report.formula import formulas, sources

    if output_format in LANGUAGES:
        click.echo(sources(found, view, output_format), nl=False)
    else:
        print_report(formulas(found, view, proofs=proofs), output_format)
    if not all(proofs):
        sys.exit(1)


def _formulas(arch: Architecture, bound: dict[str, Any], options: dict[str, Any]) -> Any:
    return arch.formulas(**{**options, "free": names(options["free"]), "bindings": bound})
