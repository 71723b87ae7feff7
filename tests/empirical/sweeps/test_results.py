"""Results of a sweep as rows: what is known of finished, failed and left runs."""

from __future__ import annotations

import math

from empirical.config import ModelConfig, RunConfig
from empirical.runs.layout import run_place
from empirical.runs.record import write_config, write_result
from empirical.runs.result import RunResult
from empirical.runs.run import record_failure
from empirical.sweeps.results import describe, model_label, sweep_frame, sweep_provenance, sweep_results
from tests.empirical.fake_cohort import sweep_of


def test_every_run_has_a_row_whatever_became_of_it(tmp_path):
    sweep, root = sweep_of(tmp_path, degrees=(0.3,), seeds=1, rates=(0.01, 0.001, 0.1)), tmp_path / "out"
    record_failure(sweep.runs[0], root, "diverged")
    write_config(sweep.runs[1], run_place(sweep.runs[1], root))
    scores = {"test": {"n": 100, "accuracy": 0.8}, "validation": {"n": 0}}
    result = RunResult(config_digest=sweep.runs[1].digest(), status="finished", metric="accuracy", scores=scores,
                       data_size=30, precision="fp32", wall_seconds=2.0)  # fmt: skip
    write_result(result, run_place(sweep.runs[1], root))
    results = sweep_results(sweep, root)
    frame = sweep_frame(sweep, root, results)
    assert list(frame["status"]) == ["failed", "finished", "left"] and list(frame["reason"]) == ["diverged", "", ""]
    row = frame.iloc[1]
    assert (row["score"], row["n_test"], row["data_size"], row["precision"]) == (0.8, 100, 30, "fp32")
    assert math.isclose(row["error_se"], 0.04) and math.isnan(row["validation"])
    assert frame["score"].isna().tolist() == [True, False, True]
    made = sweep_provenance(sweep, results)
    assert (made["runs"], made["finished"], made["wall_seconds"]) == (3, 1, 2.0)
    assert made["made_by"] == [{"precision": "fp32", "runs": 1}]


def test_labels_of_models_and_amounts():
    assert model_label(ModelConfig(name="a/b", layers=(0, 3), fresh=True)) == "b[0,3]-fresh"
    assert model_label(ModelConfig(architecture="bilstm")) == "bilstm" and model_label(None) == "none"
    row = describe(RunConfig(data_size=100))
    assert row["amount"] == row["augmenter"] == "none" and row["data_size"] == 100 and math.isnan(row["data_fraction"])
