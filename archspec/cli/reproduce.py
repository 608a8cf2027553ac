"""`archspec reproduce`: the figures that papers print, held against ours."""

from pathlib import Path

import click

from archspec import published
from archspec.cli.options import format_option, print_report, verb
from archspec.report.reproduce import reproduce


@verb("reproduce")
@click.argument("papers", metavar="[PAPER…]", nargs=-1)
@click.option("--figures", metavar="FILE", help="A file of figures of your own; see docs/published.md.")
@format_option()
def command(papers: tuple[str, ...], figures: str | None, output_format: str) -> None:
    """Print each table of the papers with our figure beside it, and the verdict; all papers unless some are named.

    Exit 1 when a figure is off that no known erratum explains.
    """
    chosen: list[tuple[str, Path | None]] = [(paper, None) for paper in papers]
    if figures is not None:
        chosen.append((figures, Path(figures).parent))
    elif not papers:
        chosen = [(paper, None) for paper in published.papers()]
    loaded = [(published.load(name), folder) for name, folder in chosen]
    results = [published.reproduce(paper, folder) for paper, folder in loaded]
    unexplained = any(finding.open for findings in results for finding in findings)
    print_report(reproduce(results), output_format, not unexplained)
