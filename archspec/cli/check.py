"""`archspec check`: whether specifications are sound, and within budgets."""

from collections.abc import Mapping

import click

from archspec.cli.echo import echo_error, echo_message
from archspec.cli.options import (
    budget_options,
    counting_options,
    format_option,
    network,
    print_report,
    set_option,
    verb,
)
from archspec.cost import Counting
from archspec.errors import ArchspecError
from archspec.report.check import Checked, check, kept, overrun


@verb("check")
@click.argument("specs", metavar="SPEC…", nargs=-1, required=True)
@set_option
@budget_options
@counting_options()
@format_option()
def command(
    specs: tuple[str, ...],
    settings: tuple[str, ...],
    limits: Mapping[str, list[str]],
    counting: Counting,
    output_format: str,
) -> None:
    """Read specifications and expand them; name every fault with its place.

    With budgets, --macs '<=300M' --memory '<=6MiB', the networks are held against them, as they are: exit 1 if one is
    over. Exit 2 if a specification has faults. --format json has where each fault begins and ends, and what would do.
    """
    if limits:
        from archspec.sweeps.budget import budgets

        budgets(limits)  # one that cannot be is no fault of a specification
    found = [_checked(spec, settings, limits, counting) for spec in specs]
    if output_format == "text":
        for each in found:
            _say(each)
    else:
        print_report(check(found), output_format)
    if any(each.fault for each in found):
        raise SystemExit(2)
    if not all(each.within for each in found):
        raise SystemExit(1)


def _checked(spec: str, settings: tuple[str, ...], limits: Mapping[str, list[str]], counting: Counting) -> Checked:
    try:
        arch, bound = network(spec, settings)
        expanded = arch.expand(bound, batch=counting.batch)
        held = arch.solve((), limits, dict(bound), counting) if limits else None
    except ArchspecError as error:
        return Checked(spec, fault=error)
    return Checked(spec, expanded, held)


def _say(found: Checked) -> None:
    if found.fault is not None:
        echo_error(found.fault)
        return
    for hint in found.hints:
        echo_error(f"{found.spec}: note: {hint}")
    echo_message(found.sentence)
    for held in kept(found):
        echo_message(f"{found.spec}: {held}")
    for broken in overrun(found):
        echo_error(f"{found.spec}: {broken}")
