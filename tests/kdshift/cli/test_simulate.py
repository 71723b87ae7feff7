"""`kdshift simulate` as a user runs it, and the same work on a Ray cluster."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from kdshift.cli import main
from simulate.counterexample import make_config as make_counterexample
from simulate.counterexample import run_counterexample
from simulate.experiment import run_experiment
from simulate.experiment_config import make_config

SMALL = ["-d", "2", "-n", "20,60", "--tau", "0.01:1:4", "-m", "4x", "--replicates", "4", "--workers", "1"]


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def kdshift(capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """The command in this process (torch is imported once): status and what it wrote."""

    def call(*arguments: str) -> Done:
        status = 0
        try:
            main(["simulate", *arguments])
        except SystemExit as end:
            status = int(end.code or 0)
        written = capsys.readouterr()
        return Done(status, written.out, written.err)

    return call


def test_run_writes_table_figure_configuration_and_verdict(kdshift: Callable[..., Done], tmp_path: Path) -> None:
    done = kdshift("run", "inverted-u", *SMALL, "--out", str(tmp_path / "out"), "--json")
    assert done.returncode == 0, done.stderr
    payload = json.loads(done.stdout)
    assert payload["cells"] == 8 and payload["failed"] == 0
    assert payload["verdict"]["outcome"] in ("supported", "contradicted", "undecided", "depends")
    assert [row["data_size"] for row in payload["optima"]] == [20, 60]
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"table.parquet", "replicates.parquet", "config.toml", "figure.png", "verdict.txt"} <= written
    assert len(pd.read_parquet(tmp_path / "out" / "table.parquet")) == 8


def test_run_reads_a_grid_file(kdshift: Callable[..., Done], tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('dimension = 2\ndata_size = [20]\ntau = [0.1, 1.0]\nreplicates = 2\naugmented_size = "2x"\n')
    done = kdshift("run", str(path), "--out", str(tmp_path / "out"), "--supervision", "copied_label")
    assert done.returncode == 0, done.stderr
    assert set(pd.read_parquet(tmp_path / "out" / "table.parquet")["supervision"]) == {"copied_label"}


def test_distance_has_the_contract_of_the_design(kdshift: Callable[..., Done]) -> None:
    done = kdshift(*"distance --dimension 3 --data-size 500 --tau 0.02 --replicates 4 --seed 0 --json".split())
    found = json.loads(done.stdout)
    assert set(found) == {
        "setting", "l1_distance", "l1_distance_se", "mean_bound", "lower_bound", "replicates", "seconds"
    }  # fmt: skip
    assert found["lower_bound"] < found["l1_distance"] < found["mean_bound"] < 2


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["run", "inverted-w"], ["inverted-w", "inverted-u"]),
        (["run", "missing.toml"], ["missing.toml", "existing"]),
        (["run", "--tau", "-1"], ["tau", "-1"]),
        (["run", "--data-size", "0"], ["data_size", "0"]),
        (["run", "--workers", "0"], ["workers", "0"]),
        (["run", *SMALL, "--device", "tpu"], ["--device", "tpu"]),
        (["run", "theorem1-counterexample", "--tau", "1"], ["--tau"]),
        (["distance", "--tau", "-1"], ["tau", "-1"]),
        (["distance", "--replicates", "1"], ["replicates", "1"]),
        (["distance", "--device", "tpu"], ["--device", "tpu"]),
    ],
)
def test_a_mistake_is_one_line_and_status_two(
    kdshift: Callable[..., Done], arguments: list[str], words: list[str], tmp_path: Path
) -> None:
    done = kdshift(*arguments, *(["--out", str(tmp_path / "out")] if arguments[0] == "run" else []))
    assert done.returncode == 2 and done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert all(word in done.stderr for word in words)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("preset", ["inverted-u", "theorem1-counterexample", "ridge-excess"])
def test_a_file_is_no_directory_of_results(kdshift: Callable[..., Done], preset: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    for out in (tmp_path / "file", tmp_path / "file" / "below"):
        done = kdshift("run", preset, "--out", str(out))
        assert done.returncode == 2 and "--out" in done.stderr and len(done.stderr.splitlines()) == 1
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("json", [[], ["--json"]])
def test_a_run_whose_cells_all_fail_has_failed(
    kdshift: Callable[..., Done], json: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise FloatingPointError("no luck")

    monkeypatch.setattr("simulate.experiment.simulate_block", broken)
    done = kdshift("run", "inverted-u", *SMALL, "--out", str(tmp_path), *json)
    assert done.returncode == 1 and ('"failed": 8' if json else "no luck") in done.stdout


def test_a_broken_file_is_named_with_its_line(kdshift: Callable[..., Done], tmp_path: Path) -> None:
    path = tmp_path / "broken.toml"
    path.write_text("dimension = 2\ntau = = 1\n")
    done = kdshift("run", str(path), "--out", str(tmp_path / "out"))
    assert done.returncode == 2 and "broken.toml" in done.stderr and "line 2" in done.stderr


def test_counterexample_breaks_the_printed_theorem(tmp_path: Path) -> None:
    config = make_counterexample(
        {"setting": [{"dimension": 2, "epsilon": 0.5, "delta": 0.1}], "replicates": 2, "points": 400}
    )
    table = run_counterexample(config, tmp_path)
    row = table.iloc[0]
    assert row["tau_condition"] and row["data_size_condition"] and row["data_size"] == 3404
    assert row["certain_lower_bound"] == pytest.approx(1.94659, abs=1e-5)
    assert row["l1_distance_min"] > row["certain_lower_bound"] > row["epsilon"]


@pytest.mark.slow
def test_a_ray_cluster_gives_the_same_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ray = pytest.importorskip("ray")
    monkeypatch.setenv("RAY_raylet_start_wait_time_s", "300")  # a busy machine starts it slowly
    config = make_config({"dimension": 2, "data_size": [20, 60], "tau": [0.01, 1.0], "augmented_size": "2x"})
    local = run_experiment(config, tmp_path / "local")
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    try:
        remote = run_experiment(config, tmp_path / "remote", engine="cluster")
    finally:
        ray.shutdown()
    pd.testing.assert_frame_equal(local, remote)
