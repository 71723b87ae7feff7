"""Live progress of a sweep on standard error, the same for every engine: it reads what workers leave on the disk."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from empirical.sweeps.definition import Sweep
from empirical.sweeps.status import Status, sweep_status

POLL_SECONDS = 1.0


@contextmanager
def watched(sweep: Sweep, root: Path, *, enabled: bool) -> Iterator[None]:
    """Show a bar with the time left over the sweep's runs, and a line for each unit that is running."""
    if not enabled:
        yield
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[note]}"),
               TimeElapsedColumn(), TimeRemainingColumn(elapsed_when_finished=True))  # fmt: skip
    console = Console(file=sys.stderr)
    ended = threading.Event()
    with Progress(*columns, console=console, disable=not console.is_terminal, speed_estimate_period=3600) as bars:
        whole = bars.add_task(sweep.name, total=len(sweep.runs), note="")
        lines: dict[str, Any] = {}

        def poll() -> None:
            while not ended.wait(POLL_SECONDS):
                _draw(bars, whole, lines, sweep_status(sweep, root))

        thread = threading.Thread(target=poll, daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
            _draw(bars, whole, lines, sweep_status(sweep, root))


def _draw(bars: Any, whole: Any, lines: dict[str, Any], status: Status) -> None:
    parts = {f"{unit['host']}-{unit['pid']}": unit for unit in status.active}
    progressed = sum(len(unit["runs"]) * unit["done"] / max(1, unit["total"]) for unit in parts.values())
    note = f"{status.done} done" + (f", {status.failed} failed" if status.failed else "")
    bars.update(whole, completed=status.done + status.failed + progressed, note=note)
    for name in set(lines) - set(parts):
        bars.remove_task(lines.pop(name))
    for name, unit in parts.items():
        if name not in lines:
            lines[name] = bars.add_task("", total=1, note="")
        label = f"  {len(unit['runs'])} runs" if unit["runs"] else "  teacher"
        bars.update(lines[name], description=label, total=max(1, unit["total"]), completed=unit["done"],
                    note=str(unit["stage"]))  # fmt: skip
