"""`archspec compare`: networks side by side."""

import click

from archspec import architecture
from archspec.cli import complete
from archspec.cli.options import counting_options, format_option, names, network, print_report, set_option, verb
from archspec.cost import GROUPINGS, Counting
from archspec.errors import BindingError
from archspec.report.compare import FIGURES, ROW_FIGURES, compare, compare_rows


@verb("compare")
@click.argument("specs", metavar="SPEC SPEC…", nargs=-1, required=True)
@set_option
@click.option("--symbolic", is_flag=True, help="Leave the symbols free that all of them have, and give formulas.")
@click.option("--free", shell_complete=complete.symbols, metavar="NAME,…", help="Leave these symbols free.")
@click.option(
    "--of",
    "quantities",
    shell_complete=complete.quantities,
    metavar="NAME,…",
    help=f"What to compare.  [default: {','.join(FIGURES)}]",
)
@click.option("--by", type=click.Choice(GROUPINGS), help="Of two networks, OLD NEW, the difference row by row.")
@counting_options()
@format_option()
def command(
    specs: tuple[str, ...],
    settings: tuple[str, ...],
    symbolic: bool,
    free: str | None,
    quantities: str | None,
    by: str | None,
    output_format: str,
    counting: Counting,
) -> None:
    """Print the figures of networks side by side, and as multiples of the first's; or, --by layer, what changed.

    Values of one network's symbols stand behind its name: mobilenet:alpha=0.5,side=160. Those of --set are for all.
    """
    if len(specs) < 2:
        raise click.UsageError("compare takes two specifications or more: archspec compare mobilenet mobilenet_v2")
    if by and (len(specs) > 2 or symbolic or free):
        raise click.UsageError("--by compares two networks of numbers, OLD NEW, row by row")
    wanted = names(quantities, "--of") or (ROW_FIGURES if by else FIGURES)
    loaded = [(spec, *network(spec, settings)) for spec in specs]
    if symbolic or free:
        from archspec.report.compare_formulas import compare_formulas

        both = [name for name in names(free) or () if any(name in values for _, _, values in loaded)]
        if both:
            raise BindingError(f"the symbol '{both[0]}' cannot be both bound and free")
        left = names(free) or architecture.shared_numbers([arch for _, arch, _ in loaded])
        formulas = {
            label: {
                figure: arch.formula(figure, values, counting, free=[name for name in left if name not in values])
                for figure in wanted
            }
            for label, arch, values in loaded
        }
        print_report(compare_formulas(formulas), output_format)
        return
    if by:
        old, new = (arch.count(values, counting) for _, arch, values in loaded)
        print_report(compare_rows((old, new), (loaded[0][0], loaded[1][0]), by, wanted), output_format)
        return
    tables = {label: arch.count(values, counting) for label, arch, values in loaded}
    print_report(compare(tables, wanted), output_format)
