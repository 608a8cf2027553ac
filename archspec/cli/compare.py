"""`archspec compare`: networks side by side."""

import rich_click as click

from archspec import architecture
from archspec.cli.formats import format_option, tell
from archspec.cli.options import bindings, names, set_option
from archspec.errors import BindingError
from archspec.report.compare import FIGURES, compare


@click.command("compare")
@click.argument("specs", metavar="SPEC SPEC…", nargs=-1, required=True)
@set_option
@click.option("--symbolic", is_flag=True, help="Leave the symbols free that all of them have, and give formulas.")
@click.option("--free", metavar="NAME,…", help="Leave these symbols free.")
@click.option("--convention", default="default", show_default=True, help="What counts as a parameter and a FLOP.")
@format_option()
def command(
    specs: tuple[str, ...], settings: tuple[str, ...], symbolic: bool, free: str | None, convention: str, form: str
) -> None:
    """Print the figures of networks side by side, and as multiples of the first's.

    Values of one network's symbols stand behind its name: mobilenet:alpha=0.5,side=160. Those of --set are for all.
    """
    if len(specs) < 2:
        raise click.UsageError("compare takes two specifications or more")
    shared = bindings(settings)
    named = [_named(spec) for spec in specs]
    loaded = [(label, architecture.load(name), shared | own) for label, name, own in named]
    if symbolic or free:
        from archspec.report.compare_formulas import compare_formulas

        both = [name for name in names(free) or () if name in shared]
        if both:
            raise BindingError(f"the symbol '{both[0]}' cannot be both bound and free")
        left = names(free) or architecture.shared_numbers([arch for _, arch, _ in loaded])
        formulas = {
            label: {
                figure: arch.formula(
                    figure, free=[name for name in left if name not in values], convention=convention, **values
                )
                for figure in FIGURES
            }
            for label, arch, values in loaded
        }
        tell(compare_formulas(formulas), form)
        return
    tables = {label: arch.count(convention=convention, **values) for label, arch, values in loaded}
    tell(compare(tables), form)


def _named(spec: str) -> tuple[str, str, dict[str, str]]:
    """What to call a network, its specification, and its own bindings."""
    name, colon, settings = spec.rpartition(":")
    if not colon or "=" not in settings:
        return spec, spec, {}
    return spec, name, bindings(tuple(settings.split(",")))
