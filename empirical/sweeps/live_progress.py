"""How far a sweep is, the same for every engine: a thread reads what workers leave on the disk and reports it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from empirical.sweeps.definition import Sweep
from empirical.sweeps.status import ActiveUnit, Lookout, Status
from theory.progress_report import Progress

POLL_SECONDS = 1.0


@contextmanager
def watched(sweep: Sweep, root: Path, progress: Progress | None) -> Iterator[None]:
    """Within, report the sweep's runs and the stage of each unit that is running; nobody to tell, nothing is read."""
    if progress is None:
        yield
        return
    ended, teller = threading.Event(), Teller(progress)
    lookout = Lookout(sweep, root)

    def poll() -> None:
        while not ended.wait(POLL_SECONDS):
            teller.tell(lookout.look())

    thread = threading.Thread(target=poll, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        teller.tell(lookout.look())


class Teller:
    """Turns states of a sweep into progress: one stage for its runs, one for what each worker is at.

    A worker's number is its place in the order in which workers appeared; a lone one goes without.
    """

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.workers: list[tuple[str, int]] = []
        self.open: dict[str, float] = {}

    def tell(self, status: Status) -> None:
        """Report this state, and the end of every stage that is over."""
        under_way = sum(len(unit["runs"]) * _share_trained(unit) for unit in status.active)
        total = status.done + status.failed + status.running + status.left
        self.progress(status.name, status.done + status.failed + under_way, total)
        stages = {self._label(unit): unit for unit in status.active if unit["total"]}
        for label in set(self.open) - set(stages):
            whole = self.open.pop(label)
            self.progress(label, whole, whole)
        for label, unit in stages.items():
            self.open[label] = unit["total"]
            self.progress(label, unit["done"], unit["total"])

    def _label(self, unit: ActiveUnit) -> str:
        worker = (unit["host"], unit["pid"])
        if worker not in self.workers:
            self.workers.append(worker)
        number = self.workers.index(worker) + 1
        return unit["stage"] if len(self.workers) == 1 else f"worker {number}: {unit['stage']}"


def _share_trained(unit: ActiveUnit) -> float:
    """How much of a unit's training is done, between 0 and 1; its other stages are short beside it."""
    return unit["done"] / unit["total"] if unit["stage"] == "train" and unit["total"] else 0.0
