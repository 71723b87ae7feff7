"""Results of runs: one type for finished, failed and stopped ones, the same file as ever."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from empirical.config import AugmentConfig, RunConfig
from empirical.runs.layout import RunFiles, run_directory
from empirical.runs.record import read_result, write_config, write_result
from empirical.runs.result import RunResult, description

CONFIG = RunConfig(augment=AugmentConfig(degree=0.4), mode="finetune", seed=3)
OLD = {  # as earlier versions wrote it: every split under its own name
    "config_digest": CONFIG.digest(), "task": "mnli", "mode": "distill", "seed": 0, "data_seed": 0,
    "nominal_degree": 0.4, "alpha": 0.1, "beta": 0.0, "gamma": 0.5, "select": "last", "teacher_calls": 96,
    "data_size": 173, "subset": "abc", "teacher_hash": None, "precision": "fp32", "compiled": False,
    "versions": {"torch": "2.4"}, "device": "cpu", "threads": 1, "status": "finished", "reason": "",
    "metric": "accuracy", "validation": {"n": 19, "accuracy": 0.5}, "test": {"n": 48, "accuracy": 0.6},
    "mismatched": {"n": 5, "accuracy": 0.2}, "selected_step": 6, "steps": 6, "examples_seen": 96,
    "wall_seconds": 1.5, "realised_degree": 0.4, "teacher_gap": None, "parameters": 11411,
}  # fmt: skip


def test_a_result_of_an_earlier_version_reads_and_writes_as_it_was():
    result = RunResult.model_validate(OLD)
    assert set(result.scores) == {"validation", "test", "mismatched"}
    assert result.test == {"n": 48, "accuracy": 0.6} and result.finished
    assert json.loads(json.dumps(result.record())) == OLD


def test_fields_of_other_versions_are_passed_over():
    assert RunResult.model_validate({**OLD, "colour": "red"}) == RunResult.model_validate(OLD)


@pytest.mark.parametrize("broken", [{"status": "done"}, {"config_digest": None}, {"test": {"n": "many"}}])
def test_what_is_no_result_is_refused(broken):
    with pytest.raises(ValidationError):
        RunResult.model_validate({**OLD, **broken})


def test_failed_runs_are_of_the_same_type_and_round_trip(tmp_path):
    folder = run_directory(CONFIG, tmp_path)
    write_config(CONFIG, folder)
    failed = RunResult.failed(CONFIG, "out of\n memory")
    write_result(failed, folder)
    assert read_result(folder, CONFIG) == failed
    assert (failed.status, failed.reason, failed.steps, failed.test) == ("failed", "out of memory", 0, {})
    assert json.loads(RunFiles(folder).result.read_text())["test"] == {}
    assert (failed.seed, failed.nominal_degree, failed.alpha) == (3, 0.4, 1.0), "fine-tuning is alpha = 1"


def test_stopped_runs_know_their_steps_only():
    stopped = RunResult.stopped(CONFIG, 4)
    assert stopped.record() == {"config_digest": CONFIG.digest(), "status": "stopped", "steps": 4}
    assert not stopped.finished and stopped.validation == {}


def test_the_description_is_what_the_configuration_decides():
    assert set(description(CONFIG)) < set(RunResult.model_fields)
    assert description(RunConfig())["nominal_degree"] == 0.0 and description(RunConfig())["gamma"] == 1.0
