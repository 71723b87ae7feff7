"""Every study on a small configuration: a table, a reading with intervals, files, one-line mistakes."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from simulate.experiment_config import presets, read_values
from simulate.predictions import Reading
from simulate.studies.kinds import KINDS, make_study_config, run_study
from theory.errors import InputError

SMALL: dict[str, dict[str, Any]] = {
    "smoothed-l1": {"dimension": [1, 2], "tau": [1.0], "data_size": [30, 300], "points": 400},
    "smoothed-w2": {"tau": [0.25], "gaussian_size": [50, 200], "far_point_size": [100, 1000]},
    "capacity-gap": {"student": 3, "teacher": [2, 3, 6], "data_size": [8], "features": 8},
    "cross-fitting": {"data_size": [20], "copies": 2, "test_size": 50, "teacher_penalty": [1e-4]},
    "patience": {
        "data_size": [20], "steps": [2, 10], "tau": [0.01, 0.1, 1.0], "augmented_size": 64, "hidden": 4,
        "test_size": 20,
    },
    "ridge-excess": {
        "kernel": ["preserving"], "data_size": [10], "tau": [0.1, 0.5, 1.0], "penalty": [1e-2], "pool": 40, "copies": 2,
        "features": 8, "held_out": 30,
    },
}  # fmt: skip


def run(kind: str, out: Path, **changes: Any) -> tuple[pd.DataFrame, Reading]:
    config = make_study_config({"kind": kind, "replicates": 4, **SMALL[kind], **changes})
    return run_study(config, out, lambda title, done, total: None)


@pytest.mark.parametrize("kind", KINDS)
def test_every_study_runs_reads_and_draws(kind: str, tmp_path: Path) -> None:
    table, reading = run(kind, tmp_path)
    assert table["replicate"].nunique() == 4 and table["value"].between(0, math.inf).all()
    assert reading.predictions and reading.sentence
    for one in reading.predictions:
        assert math.isfinite(one.measured) and one.low <= one.measured <= one.high, one
    frame = pd.read_parquet(tmp_path / "predictions.parquet")
    assert list(frame["outcome"]) == [one.outcome for one in reading.predictions]
    assert (tmp_path / "config.toml").is_file()
    assert reading.draw().axes
    pd.testing.assert_frame_equal(run(kind, tmp_path / "again")[0], table)  # the same numbers again


def test_a_finished_table_is_read_anew_and_another_configuration_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table, reading = run("capacity-gap", tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr("simulate.studies.capacity_gap.measure", lambda config, progress: 1 / 0)
        again, reread = run("capacity-gap", tmp_path)
        pd.testing.assert_frame_equal(again, table)
        assert reread.sentence == reading.sentence
        with pytest.raises(ZeroDivisionError):
            run("capacity-gap", tmp_path, seed=99)
    other, _ = run("capacity-gap", tmp_path, seed=99)  # what the killed run left is not taken for its table
    assert not other["value"].equals(table["value"])


@pytest.mark.parametrize("kind", KINDS)
def test_every_study_has_a_preset_that_is_valid(kind: str) -> None:
    assert kind in presets()
    assert make_study_config(read_values(kind)).replicates >= 8


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"kind": "smoothed-l2"}, "smoothed-l1"),
        ({"kind": "smoothed-l1", "replicates": 1}, "replicates"),
        ({"kind": "smoothed-l1", "wrong": 1}, "wrong"),
        ({"kind": "capacity-gap", "student": 20, "data_size": [20]}, "data_size"),
    ],
)
def test_mistakes_are_named(values: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        make_study_config(values)
