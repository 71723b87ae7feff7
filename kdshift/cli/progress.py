"""A progress bar with time left, on standard error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def steps(title: str, total: int) -> Iterator[Callable[[str], None]]:
    """A bar of `total` steps; call the yielded function with a step's name when it starts."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(title, total=total)
        started = False

        def advance(name: str) -> None:
            nonlocal started
            progress.update(task, advance=1 if started else 0, description=f"{title}: {name}")
            started = True

        yield advance
        progress.update(task, completed=total)
