"""`archspec measure`: what layers take on this machine, and what one bit gives there."""

import click

from archspec.cli.echo import progress_of
from archspec.cli.options import format_option, network, print_report, set_option, spec_argument, verb
from archspec.extras import need
from archspec.report.measure import measurement


@verb("measure")
@spec_argument
@set_option
@click.option("--plan", metavar="PLAN", help="One-bit layers where a plan says 'binary': xnor_alexnet, bwn_alexnet, …")
@click.option("--threads", type=click.IntRange(1, 1024), metavar="N", help="Threads.  [default: as many as torch uses]")
@click.option("--batch", default=1, type=click.IntRange(1, 10**6), show_default=True, help="Inputs at once.")
@click.option("--runs", default=15, type=click.IntRange(1, 10**6), show_default=True, help="Rounds, of which medians.")
@click.option("--way", metavar="WAY", help="numba, int8 or numpy.  [default: the quickest that is installed]")
@format_option()
def command(  # one argument an option
    spec: str,
    settings: tuple[str, ...],
    plan: str | None,
    threads: int | None,
    batch: int,
    runs: int,
    way: str | None,
    output_format: str,
) -> None:
    """Measure what each convolution and linear layer takes here, in float32 and with bits where it is one-bit.

    Beside what is measured stand the operations that one bit saves and the machine's roof: what it could give at most.
    csv has the layers' descriptions in columns.
    """
    need("torch", "torch")
    with progress_of("measuring") as progress:
        arch, bound = network(spec, settings)
        found = arch.measure(bound, plan=plan, batch=batch, threads=threads, runs=runs, way=way, progress=progress)
    print_report(measurement(found), output_format)
