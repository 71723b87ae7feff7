"""Sweeps: grids, what is skipped and what is run again, failures, interruptions, two processes, bad disks."""

from __future__ import annotations

import errno
import json
import logging
import os
import signal
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest

from empirical.runs.layout import SweepFiles, run_directory
from empirical.runs.record import read_result, write_result
from empirical.runs.run import run_cohort
from empirical.sweeps.definition import Sweep
from empirical.sweeps.engines import STOP, Engine
from empirical.sweeps.execute import run_sweep
from empirical.sweeps.status import marked, recorded_sweep, sweep_status
from tests import forked
from tests.empirical.fake_cohort import broken_at_half, fake_run, killed_once, logged, own_task, slow, sweep_of
from tests.empirical.tiny_kd import run as tiny
from theory.errors import InputError


def test_the_table_has_one_row_a_run_and_a_second_start_runs_nothing(tmp_path):
    sweep = sweep_of(tmp_path)
    frame = run_sweep(sweep, tmp_path / "out", run=fake_run)
    assert list(frame["status"].unique()) == ["finished"] and len(frame) == len(sweep.runs) == 12
    assert list(frame["degree"]) == [0.0] * 4 + [0.3] * 4 + [0.5] * 4
    assert (frame["error"] == 1 - frame["score"]).all() and (frame["data_fraction"] == 0.5).all()
    row = frame.iloc[0]
    assert row["error_se"] == pytest.approx((row["score"] * row["error"] / 400) ** 0.5)
    before = logged(tmp_path / "out")
    assert sorted(before) == sorted(frame["run"])
    again = run_sweep(sweep, tmp_path / "out", run=fake_run)
    assert logged(tmp_path / "out") == before
    pd.testing.assert_frame_equal(frame, again)
    saved = pd.read_parquet(SweepFiles.of("small", tmp_path / "out").table)
    pd.testing.assert_frame_equal(saved, frame)


def test_the_table_says_what_made_it(tmp_path):
    sweep, root = sweep_of(tmp_path), tmp_path / "out"
    run_sweep(sweep, root, run=fake_run)
    folder = run_directory(sweep.runs[0], root)
    result = read_result(folder, sweep.runs[0])
    write_result(result.model_copy(update={"precision": "bf16", "versions": {"torch": "9"}}), folder)
    run_sweep(sweep, root, run=fake_run)
    made = json.loads(SweepFiles.of(sweep.name, root).provenance.read_text())
    assert (made["runs"], made["finished"]) == (len(sweep.runs), len(sweep.runs))
    assert made["wall_seconds"] == 1.5 * len(sweep.runs)
    mine, others = {"versions": {"torch": "9"}, "precision": "bf16", "runs": 1}, {"runs": len(sweep.runs) - 1}
    assert made["made_by"] == [mine, others]


def test_cohorts_share_a_call_and_only_missing_runs_are_run(tmp_path):
    sweep, calls = sweep_of(tmp_path), []

    def counting(configs, root, **options):
        calls.append(len(configs))
        return fake_run(configs, root, **options)

    run_sweep(sweep, tmp_path / "out", run=counting)
    assert calls == [4, 4, 4]
    for run in (sweep.runs[0], sweep.runs[5]):
        (run_directory(run, tmp_path / "out") / "result.json").unlink()
    run_sweep(sweep, tmp_path / "out", run=counting)
    assert calls == [4, 4, 4, 1, 1]


def test_a_truncated_result_is_run_again_and_the_others_are_kept(tmp_path):
    sweep = sweep_of(tmp_path)
    frame = run_sweep(sweep, tmp_path / "out", run=fake_run)
    path = run_directory(sweep.runs[3], tmp_path / "out") / "result.json"
    path.write_text(path.read_text()[:40])
    assert sweep_status(sweep, tmp_path / "out").left == 1
    again = run_sweep(sweep, tmp_path / "out", run=fake_run)
    pd.testing.assert_frame_equal(frame, again)
    assert len(logged(tmp_path / "out")) == len(sweep.runs) + 1


def test_another_configuration_under_a_finished_run_is_refused(tmp_path):
    sweep = sweep_of(tmp_path)
    run_sweep(sweep, tmp_path / "out", run=fake_run)
    first, second = (run_directory(run, tmp_path / "out") for run in sweep.runs[:2])
    (first / "result.json").write_text((second / "result.json").read_text())
    with pytest.raises(InputError, match="move this folder away"):
        run_sweep(sweep, tmp_path / "out", run=fake_run)


def test_a_failed_run_is_a_result_and_is_run_again_only_when_asked(tmp_path, caplog):
    sweep = sweep_of(tmp_path)
    with caplog.at_level(logging.WARNING):
        frame = run_sweep(sweep, tmp_path / "out", run=broken_at_half)
    assert list(frame["status"]) == ["finished"] * 8 + ["failed"] * 4
    assert "the loss is not a number" in frame["reason"].iloc[-1] and "--retry-failed" in caplog.text
    state = sweep_status(sweep, tmp_path / "out")
    assert (state.done, state.failed, state.left, state.running) == (8, 4, 0, 0)
    assert len(state.failures) == 4
    assert list(run_sweep(sweep, tmp_path / "out", run=fake_run)["status"]) == list(frame["status"])
    repaired = run_sweep(sweep, tmp_path / "out", run=fake_run, retry_failed=True)
    assert set(repaired["status"]) == {"finished"}


def test_a_users_mistake_is_raised_after_everything_else_has_run(tmp_path):
    sweep = sweep_of(tmp_path)

    def picky(configs, root, **options):
        if configs[0].augment is None:
            raise InputError("model", "x", "one that is here")
        return fake_run(configs, root, **options)

    with pytest.raises(InputError, match="one that is here"):
        run_sweep(sweep, tmp_path / "out", run=picky)
    state = sweep_status(sweep, tmp_path / "out")
    assert (state.done, state.failed, state.left) == (8, 0, 4)


def test_data_that_are_missing_end_before_anything_is_run(tmp_path):
    sweep = sweep_of(tmp_path)
    (tmp_path / "own.jsonl").write_text('{"text": "", "label": 1}')
    with pytest.raises(InputError, match=r"own\.jsonl:1"):
        run_sweep(sweep, tmp_path / "out", run=fake_run)
    assert logged(tmp_path / "out") == []


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS])
def test_a_full_or_read_only_disk_is_one_line_and_loses_nothing(tmp_path, code):
    sweep = sweep_of(tmp_path)

    def full(configs, root, **options):
        if configs[0].augment is not None and configs[0].augment.degree == 0.5:
            raise OSError(code, os.strerror(code))
        return fake_run(configs, root, **options)

    with pytest.raises(InputError, match="can be written"):
        run_sweep(sweep, tmp_path / "out", run=full)
    assert sweep_status(sweep, tmp_path / "out").done == 8
    assert set(run_sweep(sweep, tmp_path / "out", run=fake_run)["status"]) == {"finished"}
    assert len(logged(tmp_path / "out")) == 12


@contextmanager
def anybody():
    """Root may write everywhere, so it becomes nobody for a while."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


def test_a_directory_without_the_right_to_write():
    with tempfile.TemporaryDirectory() as name:  # pytest's own folders are closed to others
        place = Path(name)
        sweep = sweep_of(place)
        place.chmod(0o755)
        (place / "out").mkdir(mode=0o555)
        with anybody(), pytest.raises(InputError, match=r"can be written \(Permission denied\)"):
            run_sweep(sweep, place / "out", run=fake_run)
        assert not list((place / "out").iterdir())


def test_a_results_path_that_is_a_file(tmp_path):
    (tmp_path / "out").write_text("not a directory")
    with pytest.raises(InputError, match="can be written"):
        run_sweep(sweep_of(tmp_path), tmp_path / "out", run=fake_run)


def test_a_grown_grid_keeps_what_is_finished_and_says_so(tmp_path, caplog):
    run_sweep(sweep_of(tmp_path, degrees=(0.0, 0.3)), tmp_path / "out", run=fake_run)
    with caplog.at_level(logging.WARNING):
        frame = run_sweep(sweep_of(tmp_path), tmp_path / "out", run=fake_run)
    assert "has changed" in caplog.text and len(frame) == 12
    assert len(logged(tmp_path / "out")) == 12
    assert recorded_sweep("small", tmp_path / "out").runs == sweep_of(tmp_path).runs


def test_ctrl_c_stops_after_the_unit_and_the_next_start_goes_on(tmp_path):
    sweep, out = sweep_of(tmp_path), tmp_path / "out"

    def interrupted(configs, root, *, progress, stop):
        assert not stop()
        os.kill(os.getpid(), signal.SIGINT)
        assert stop()
        return fake_run(configs, root)

    handler = signal.getsignal(signal.SIGINT)
    frame = run_sweep(sweep, out, run=interrupted)
    assert list(frame["status"]) == ["finished"] * 4 + ["left"] * 8 and STOP.is_set()
    assert signal.getsignal(signal.SIGINT) is handler
    assert set(run_sweep(sweep, out, run=fake_run)["status"]) == {"finished"}
    assert len(logged(out)) == 12


def test_ctrl_c_twice_stops_at_once(tmp_path):
    def impatient(configs, root, **options):
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        return fake_run(configs, root)

    with pytest.raises(KeyboardInterrupt):
        run_sweep(sweep_of(tmp_path), tmp_path / "out", run=impatient)
    assert STOP.is_set(), "the process was asked to end"
    STOP.clear()
    assert logged(tmp_path / "out") == []


DEGREES = (0, 0.1, 0.2, 0.3, 0.4, 0.5)


def run_slowly(folder: Path) -> None:
    run_sweep(sweep_of(folder, degrees=DEGREES), folder / "out", run=slow)


def test_two_processes_on_one_directory_share_the_work_and_agree(tmp_path):
    own_task(tmp_path)
    started = [forked.start(run_slowly, tmp_path) for _ in range(2)]
    for process in started:
        process.join(120)
    assert [process.exitcode for process in started] == [0, 0]
    sweep = sweep_of(tmp_path, degrees=DEGREES)
    frame = run_sweep(sweep, tmp_path / "out", run=fake_run)
    alone = run_sweep(sweep, tmp_path / "alone", run=fake_run)
    pd.testing.assert_frame_equal(frame, alone)
    assert len(logged(tmp_path / "out")) <= 2 * len(sweep.runs) - 4


def test_a_unit_of_another_process_comes_last(tmp_path):
    sweep, out = sweep_of(tmp_path), tmp_path / "out"
    from empirical.training.cohort import cohort_key

    files = SweepFiles.of("small", out)
    with marked(files, cohort_key(sweep.runs[0]), []) as marker:
        marker.beat("train", 1, 1)
        other = json.loads(marker.path.read_text()) | {"pid": os.getppid()}
        marker.path.write_text(json.dumps(other))
        run_sweep(sweep, out, run=fake_run)
    order = logged(out)
    assert order[-4:] == [run_directory(run, out).name for run in sweep.runs[:4]] and len(order) == 12


def tiny_sweep(folder: Path) -> Sweep:
    runs = tuple(
        tiny(folder, data_size=0.5, augment=None, seed=seed, mode=mode)
        for mode in ("distill", "finetune")
        for seed in (0, 1)
    )
    return Sweep(name="tiny", title="", protocol="validation", table=None, runs=runs, groups=("",) * 4)


def run_until_killed(folder: Path, out: Path) -> None:
    """The tiny sweep in `out`; it dies in the middle of its second cohort, as when memory runs out."""

    def dying(configs, root, *, progress, stop):
        def step(what, done, total):
            progress(what, done, total)
            if what == "train" and done == 4 and configs[0].mode == "finetune":
                os.kill(os.getpid(), signal.SIGKILL)

        return run_cohort(configs, root, progress=step, stop=stop)

    run_sweep(tiny_sweep(folder), out, run=dying)


def test_a_killed_and_resumed_sweep_gives_the_same_table_with_the_real_loop(tmp_path):
    sweep = tiny_sweep(tmp_path)
    frame = run_sweep(sweep, tmp_path / "whole")
    assert set(frame["status"]) == {"finished"} and frame["score"].between(0, 1).all()
    killed = forked.start(run_until_killed, tmp_path, tmp_path / "out")
    killed.join(300)
    assert killed.exitcode == -signal.SIGKILL
    left = sweep_status(sweep, tmp_path / "out")
    assert (left.done, left.running, left.left) == (2, 0, 2)
    resumed = run_sweep(sweep, tmp_path / "out")
    costs = ["wall_seconds"]
    pd.testing.assert_frame_equal(resumed.drop(columns=costs), frame.drop(columns=costs))


@pytest.mark.slow
def test_local_processes_and_a_killed_one(tmp_path):
    sweep = sweep_of(tmp_path)
    alone = run_sweep(sweep, tmp_path / "alone", run=fake_run)
    start = time.time()
    pooled = run_sweep(sweep, tmp_path / "pooled", run=killed_once, engine=Engine(workers=2))
    assert (tmp_path / "pooled" / "killed").exists() and time.time() - start < 100
    pd.testing.assert_frame_equal(alone, pooled)
