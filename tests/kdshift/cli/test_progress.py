"""Progress on standard error: plain lines without a terminal, bars that come and go with one."""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from rich.progress import Progress as Live

from kdshift.cli.progress import AGAIN_SECONDS, ENDED_SHOWN, FIRST_SECONDS, Bars, Lines, shown


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_stage_is_told_once_with_its_time_left(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    lines = Lines(clock)
    for done in range(1, 41):
        lines("train", done, 40)
        clock.now += FIRST_SECONDS / 8
    output = capsys.readouterr()
    # eight steps took the first two seconds: 31 are left after the ninth
    assert output.out == "" and output.err == "train: 9 of 40, about 8 s left\n"


def test_a_short_stage_is_told_at_its_end_and_long_ones_again(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    lines = Lines(clock)
    lines("originals", 1, 2)
    lines("originals", 2, 2)
    lines("train", 0, 4)
    clock.now = 2 * AGAIN_SECONDS
    lines("train", 1, 4)
    clock.now += AGAIN_SECONDS / 2
    lines("train", 2, 4)
    clock.now += AGAIN_SECONDS / 2
    lines("train", 3, 4)
    told = capsys.readouterr().err.splitlines()
    assert told == ["originals: 2 of 2", "train: 1 of 4, about 6.0 min left", "train: 3 of 4, about 60 s left"]


def test_a_stage_that_begins_anew_has_its_own_speed(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    lines = Lines(clock)
    lines("train", 10, 10)
    clock.now = 1000.0
    lines("train", 0, 10)
    clock.now += AGAIN_SECONDS
    lines("train", 5, 10)
    assert capsys.readouterr().err.splitlines() == ["train: 10 of 10", "train: 5 of 10, about 60 s left"]


def test_bars_of_ended_stages_go_but_for_the_last() -> None:
    live = Live(console=Console(file=io.StringIO(), force_terminal=True), auto_refresh=False)
    bars = Bars(live)
    for number in range(6):
        bars(f"stage {number}", 0, 2)
        bars(f"stage {number}", 2, 2)
    bars("whole", 3, 12)
    assert [task.description for task in live.tasks] == [f"stage {n}" for n in range(6 - ENDED_SHOWN, 6)] + ["whole"]
    bars("stage 5", 1, 4)
    again = next(task for task in live.tasks if task.description == "stage 5")
    assert (again.completed, again.total, again.finished) == (1, 4, False)
    for number in range(6, 9):
        bars(f"stage {number}", 1, 1)
    assert "stage 5" in [task.description for task in live.tasks], "a stage that runs again has not ended"


def test_without_a_terminal_lines_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    with shown() as progress:
        progress("audit", 1, 1)
    output = capsys.readouterr()
    assert (output.out, output.err) == ("", "audit: 1 of 1\n")
