"""Progress of every verb on standard error: bars with the time left, or plain lines where there is no terminal.

`with shown() as progress: ...` gives what the libraries call (`theory.progress_report.Progress`).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kdshift.cli.output import duration
from theory.progress_report import Progress

if TYPE_CHECKING:
    from rich import progress as rich_progress

ENDED_SHOWN = 3  # bars of ended stages that stay on the screen
FIRST_SECONDS = 2.0  # into a stage there is a time left worth telling
AGAIN_SECONDS = 60.0  # between two plain lines on one stage


@contextmanager
def shown() -> Iterator[Progress]:
    """Progress that a person sees on standard error while the block runs."""
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield Lines()
        return
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Live

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
               TimeRemainingColumn())  # fmt: skip
    with Live(*columns, console=console, speed_estimate_period=3600) as live:
        yield Bars(live)


class Bars:
    """One bar a stage on a terminal; of the stages that ended, the last few."""

    def __init__(self, live: rich_progress.Progress) -> None:
        self.live = live
        self.tasks: dict[str, rich_progress.TaskID] = {}
        self.done: dict[str, float] = {}
        self.ended: list[str] = []

    def __call__(self, label: str, done: float, total: float, /) -> None:
        """Move the bar of this stage (see `Progress`)."""
        if label not in self.tasks:
            self.tasks[label] = self.live.add_task(label, total=total)
        elif done < self.done[label]:
            self.live.reset(self.tasks[label], total=total)
        self.live.update(self.tasks[label], completed=done, total=total)
        self.done[label] = done
        if label in self.ended:
            self.ended.remove(label)
        if done >= total:
            self.ended.append(label)
        while len(self.ended) > ENDED_SHOWN:
            self.live.remove_task(self.tasks.pop(self.ended.pop(0)))


@dataclass
class Stage:
    """What has been said of a stage: when it began and at how much, how much is done, when a line was written."""

    began: float
    first: float
    done: float
    told: float | None = None


class Lines:
    """A plain line for each stage, once its time left can be told or it has ended; of long ones, one a minute."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.stages: dict[str, Stage] = {}

    def __call__(self, label: str, done: float, total: float, /) -> None:
        """Write a line on this stage where one is due (see `Progress`)."""
        now = self.clock()
        stage = self.stages.get(label)
        if stage is None or done < stage.done:
            stage = Stage(began=now, first=done, done=done, told=None if stage is None else stage.told)
            self.stages[label] = stage
        stage.done = done
        worth_telling = done >= total or now - stage.began >= FIRST_SECONDS
        if worth_telling and (stage.told is None or now - stage.told >= AGAIN_SECONDS):
            stage.told = now
            sys.stderr.write(f"{label}: {done:.0f} of {total:.0f}{_left(stage, now, total)}\n")


def _left(stage: Stage, now: float, total: float) -> str:
    """The time left at the stage's mean speed, in words; nothing where it cannot be told or the stage has ended."""
    if stage.done >= total or stage.done <= stage.first:
        return ""
    return f", about {duration((now - stage.began) * (total - stage.done) / (stage.done - stage.first))} left"
