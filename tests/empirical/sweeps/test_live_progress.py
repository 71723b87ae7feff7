"""Progress of a sweep, told from the states that workers leave on the disk."""

from __future__ import annotations

from typing import Any

from empirical.sweeps.execute import run_sweep
from empirical.sweeps.live_progress import Teller, watched
from empirical.sweeps.status import ActiveUnit, Status
from tests.empirical.fake_cohort import fake_run, sweep_of


def unit(pid: int, stage: str, done: float, total: float, runs: int = 2) -> ActiveUnit:
    return ActiveUnit(host="here", pid=pid, started=0.0, runs=["run"] * runs, stage=stage, done=done, total=total)


def state(*active: ActiveUnit, done: int = 0, running: int = 2, left: int = 4) -> Status:
    return Status(name="small", done=done, running=running, failed=0, left=left, seconds_left=None,
                  active=active, failures=())  # fmt: skip


class Heard(list[tuple[str, float, float]]):
    def __call__(self, label: str, done: float, total: float, /) -> None:
        self.append((label, done, total))


def test_training_counts_towards_the_sweep_and_every_stage_ends() -> None:
    heard = Heard()
    teller = Teller(heard)
    teller.tell(state(unit(7, "score originals", 1, 2)))
    assert heard == [("small", 0, 6), ("score originals", 1, 2)]
    heard.clear()
    teller.tell(state(unit(7, "train", 30, 40)))
    assert heard == [("small", 1.5, 6), ("score originals", 2, 2), ("train", 30, 40)]
    heard.clear()
    teller.tell(state(done=2, running=0))
    assert heard == [("small", 2, 6), ("train", 40, 40)]


def test_several_workers_are_told_apart() -> None:
    heard = Heard()
    Teller(heard).tell(state(unit(7, "train", 1, 4), unit(8, "train", 2, 4)))
    assert ("worker 2: train", 2, 4) in heard and len({label for label, *_ in heard}) == 3


def test_a_sweep_ends_at_its_whole_and_nobody_listening_reads_nothing(tmp_path: Any, monkeypatch: Any) -> None:
    heard, sweep = Heard(), sweep_of(tmp_path)
    run_sweep(sweep, tmp_path / "out", run=fake_run, progress=heard)
    assert heard[-1] == ("small", 12, 12)
    monkeypatch.setattr("empirical.sweeps.live_progress.Lookout", None)
    with watched(sweep, tmp_path / "out", None):
        pass
