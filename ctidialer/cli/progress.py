"""How far long work has got, on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)

Advance = Callable[[int], object]
"""Is told how much more has been done."""


@contextmanager
def progress_of(
    what: str, total: int | None, quiet: bool, *, in_percent: bool = False
) -> Iterator[Advance]:
    """Show how much of ``total`` is done (None = nobody knows), on the standard error where that is
    a terminal; with ``quiet`` nothing is shown."""
    console = Console(stderr=True)
    progress = Progress(
        TextColumn(what),
        BarColumn(),
        TaskProgressColumn() if in_percent else MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=quiet or not console.is_terminal,
    )
    with progress:
        bar = progress.add_task("", total=total)
        yield lambda done: progress.advance(bar, done)
