"""Grids, tables and the store: the same table however the work is spread, resumed, grown, failed or interrupted."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from simulate import experiment
from simulate.cell import simulate_block
from simulate.experiment import run_experiment
from simulate.experiment_config import ExperimentConfig, Family, make_config
from theory.errors import InputError

SMALL = {
    "dimension": 2,
    "data_size": [20, 60],
    "tau": [0.01, 0.1, 1.0],
    "supervision": ["teacher", "copied_label"],
    "augmented_size": "4x",
    "replicates": 4,
    "block": 2,
    "test_size": 64,
    "students": {"features": 16},
}


def small(**changes: object) -> ExperimentConfig:
    return make_config({**SMALL, **changes})


@pytest.fixture(scope="module")
def serial(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    return run_experiment(small(), tmp_path_factory.mktemp("serial"))


def test_the_table_is_tidy(serial: pd.DataFrame) -> None:
    assert len(serial) == 2 * 3 * 2 and (serial["status"] == "done").all()
    needed = {"dimension", "data_size", "tau", "supervision", "error", "error_se", "l1_distance", "l1_distance_se"}
    assert needed | {"teacher_error", "replicates", "augmented_size", "trust_radius"} <= set(serial.columns)
    assert (serial["replicates"] == 4).all() and (serial["error_se"] > 0).all()
    assert set(serial["augmented_size"]) == {80, 240}
    assert (serial["teacher_sup"] <= serial["teacher_epsilon"] + 1e-6).all()


@pytest.mark.parametrize("workers, engine", [(2, "threads"), (2, "processes")])
def test_the_same_table_however_the_work_is_spread(
    serial: pd.DataFrame, tmp_path: Path, workers: int, engine: experiment.Engine
) -> None:
    pd.testing.assert_frame_equal(run_experiment(small(), tmp_path, workers=workers, engine=engine), serial)


def test_a_second_run_computes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = run_experiment(small(), tmp_path)
    before = {name: (tmp_path / name).read_bytes() for name in ("table.parquet", "replicates.parquet")}
    stamps = {path: path.stat().st_mtime_ns for path in (tmp_path / "cells").rglob("output.pkl")}
    assert len(stamps) == 2 * 2 * 2
    pd.testing.assert_frame_equal(run_experiment(small(), tmp_path), first)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "cells").rglob("output.pkl")} == stamps
    assert {name: (tmp_path / name).read_bytes() for name in before} == before


def test_a_grown_grid_keeps_what_was_finished(serial: pd.DataFrame, tmp_path: Path) -> None:
    run_experiment(small(data_size=[20], replicates=2), tmp_path)
    stamps = {path: path.stat().st_mtime_ns for path in (tmp_path / "cells").rglob("output.pkl")}
    grown = run_experiment(small(), tmp_path)
    pd.testing.assert_frame_equal(grown, serial)
    assert all(path.stat().st_mtime_ns == stamp for path, stamp in stamps.items())


def test_results_of_another_configuration_are_not_mixed(tmp_path: Path) -> None:
    run_experiment(small(), tmp_path)
    with pytest.raises(InputError, match="test_size"):
        run_experiment(small(test_size=65), tmp_path)


def test_replicates_go_on_until_the_standard_error_is_reached(tmp_path: Path) -> None:
    table = run_experiment(small(target_se=0.012, max_replicates=40, data_size=20), tmp_path)
    for _, family in table.groupby("supervision"):
        count = family["replicates"].iloc[0]
        assert (family["error_se"].max() <= 0.012) or count == 40
    assert table["replicates"].max() > 4
    stingy = run_experiment(small(target_se=1e-9, max_replicates=6, data_size=20), tmp_path / "stingy")
    assert (stingy["replicates"] == 6).all()


def broken_for_copied(config: ExperimentConfig, family: Family, start: int, stop: int) -> dict[str, np.ndarray]:
    if family.supervision == "copied_label" and family.data_size == 60:
        raise FloatingPointError("no luck\nat all")
    return simulate_block(config, family, start, stop)


def test_a_failed_cell_is_reported_and_the_rest_is_kept(
    serial: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(experiment, "simulate_block", broken_for_copied)
    table = run_experiment(small(), tmp_path)
    failed = table["status"] == "failed"
    assert failed.sum() == 3 and (table.loc[failed, "supervision"] == "copied_label").all()
    assert set(table.loc[failed, "reason"]) == {"FloatingPointError: no luck at all"}
    assert table.loc[failed, "error"].isna().all()
    pd.testing.assert_frame_equal(table[~failed], serial[~failed])
    monkeypatch.undo()
    pd.testing.assert_frame_equal(run_experiment(small(), tmp_path), serial)


def test_an_interrupted_run_goes_on_where_it_was(serial: pd.DataFrame, tmp_path: Path) -> None:
    """Ctrl-C after the first finished blocks, then the same command again: the table of an uninterrupted run."""
    code = f"""
import signal, time
from pathlib import Path
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs are born with it ignored
from simulate import experiment
from simulate.experiment_config import make_config
plain = experiment.simulate_block
def slow(*arguments):
    if len(list(Path({str(tmp_path)!r}).rglob("output.pkl"))) >= 2:
        time.sleep(30)  # until the signal comes, however late
    return plain(*arguments)
experiment.simulate_block = slow
experiment.run_experiment(make_config({SMALL!r}), Path({str(tmp_path)!r}))
"""
    work = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while len(list(tmp_path.rglob("output.pkl"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    os.kill(work.pid, signal.SIGINT)
    assert work.wait(60) != 0
    assert not (tmp_path / "table.parquet").exists()
    finished = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("output.pkl")}
    assert 2 <= len(finished) < 8
    pd.testing.assert_frame_equal(run_experiment(small(), tmp_path), serial)
    assert all(path.stat().st_mtime_ns == stamp for path, stamp in finished.items())


def test_distances_are_measured_once_a_mixture(tmp_path: Path) -> None:
    table = run_experiment(small(distance_points=200), tmp_path)
    assert table["l1_distance"].between(0, 2).all() and (table["l1_distance_se"] > 0).all()
    taught, copied = (table[table["supervision"] == s].reset_index() for s in ("teacher", "copied_label"))
    pd.testing.assert_series_equal(taught["l1_distance"], copied["l1_distance"])


def test_replicate_errors_average_to_the_table(tmp_path: Path) -> None:
    table = run_experiment(small(), tmp_path)
    long = pd.read_parquet(tmp_path / "replicates.parquet")
    keys = ["supervision", "data_size", "tau"]
    grouped = long.groupby(keys)["error"]
    for row in table.itertuples():
        errors = grouped.get_group((row.supervision, row.data_size, row.tau))
        assert errors.mean() == pytest.approx(row.error)
        assert errors.std(ddof=1) / math.sqrt(len(errors)) == pytest.approx(row.error_se)


def test_online_has_no_augmented_size(tmp_path: Path) -> None:
    table = run_experiment(small(augmented_size=["2x", "online"], online_size=500, data_size=20), tmp_path)
    assert table.loc[table["amount"] == "online", "augmented_size"].isna().all()
    assert (table.loc[table["amount"] == "2x", "augmented_size"] == 40).all()


def test_a_cell_too_large_for_memory_is_refused_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="memory"):
        run_experiment(small(augmented_size="9000000000"), tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_device_that_is_not_here_is_refused_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--device"):
        run_experiment(small(device="tpu"), tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_finished_tables_keep_their_configuration_until_new_ones_are_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_experiment(small(data_size=20, replicates=2), tmp_path)
    before = (tmp_path / "config.toml").read_bytes()

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(experiment, "run_units", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_experiment(small(data_size=[20, 30], replicates=2), tmp_path)
    assert (tmp_path / "config.toml").read_bytes() == before
    monkeypatch.undo()
    grown = small(data_size=[20, 30], replicates=2)
    assert len(run_experiment(grown, tmp_path)) == 2 * len(grown.tau) * 2
    assert (tmp_path / "config.toml").read_text() == grown.to_toml()


def test_the_resolved_configuration_is_written(tmp_path: Path) -> None:
    run_experiment(small(trust_radius=[2.0, math.inf], data_size=20), tmp_path)
    import tomllib

    again = make_config(tomllib.loads((tmp_path / "config.toml").read_text()))
    assert again == small(trust_radius=[2.0, math.inf], data_size=20)


def test_torch_threads_are_restored(tmp_path: Path) -> None:
    import torch

    before = torch.get_num_threads()
    run_experiment(small(data_size=20), tmp_path, workers=2)
    assert torch.get_num_threads() == before
