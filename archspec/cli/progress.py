"""How far a long piece of work is, on a terminal."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from archspec.compress.progress import Progress


@contextmanager
def progress_of(what: str) -> Iterator["Progress"]:
    """A bar on standard error while work goes on, where that is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    from archspec.compress.progress import silent

    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        yield silent
        return
    columns = TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn(), TimeRemainingColumn()
    with Bar(*columns, console=console, transient=True) as bar:
        task = bar.add_task(what, total=None)

        def told(name: str, done: int, total: int) -> None:
            bar.update(task, description=f"{what} {name}", completed=done, total=total)

        yield told
