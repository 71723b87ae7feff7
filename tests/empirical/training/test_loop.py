"""The training loop: bit-identical alone and in company; budgets; failed runs."""

from __future__ import annotations

import json

import pandas as pd
import pytest
import torch

from empirical.config import AugmentConfig, ModelConfig
from empirical.runs.run import run_cohort, run_directory
from empirical.training.cohort import cohort_key
from empirical.training.steps import Stream
from empirical.training.student import Student
from tests.empirical.tiny_kd import (
    files_of,
    run,
    trained,
    with_teacher,
)

SHIFT = AugmentConfig(augmenter="random", degree=0.4)


def test_a_cohort_is_bit_identical_to_its_members_alone(place, tmp_path):
    base = {"augment": SHIFT, "train": {"evaluate_every": 3}}
    bilstm = ModelConfig(name=str(place / "bert"), architecture="bilstm", hidden_size=8)
    configs = [
        run(place, **base),
        run(place, seed=1, **base),
        run(place, augment=SHIFT, train={"evaluate_every": 2, "learning_rate": 1e-2, "optimizer": "adafactor"}),
        run(place, augment=SHIFT, student=bilstm, train={"distance": "kl", "temperature": 2.0}),
    ]
    assert len({cohort_key(config) for config in configs}) == 1
    together, apart = with_teacher(place, tmp_path / "together"), with_teacher(place, tmp_path / "apart")
    run_cohort(configs, together, save_weights=True)
    for config in configs:
        run_cohort([config], apart, save_weights=True)
        for one, other in zip(files_of(config, together), files_of(config, apart), strict=True):
            assert one.equals(other) if isinstance(one, pd.DataFrame) else one == other
    assert files_of(configs[0], together)[1] != files_of(configs[1], together)[1], "the seed changes nothing"


def test_a_budget_of_teacher_calls_ends_a_run_before_it_is_exceeded(place, tmp_path):
    config = run(place, augment=SHIFT, data_size=16, train={"steps": 30, "max_teacher_calls": 60})
    result, curve, _ = trained(config, with_teacher(place, tmp_path))
    assert result.status == "finished"
    assert result.teacher_calls == 16 + 5 * 8 and result.steps == 5
    assert curve["step"].max() == 5


def test_a_budget_of_minutes_ends_a_run(place, tmp_path):
    config = run(place, train={"steps": 500, "max_minutes": 1e-4})
    result, _, _ = trained(config, with_teacher(place, tmp_path))
    assert result.status == "finished" and 1 <= result.steps < 500


def test_a_run_that_diverges_is_a_failed_result_and_the_others_go_on(place, tmp_path):
    wild = run(place, train={"learning_rate": 1e30, "clip": None, "warmup": 0.0})
    calm = run(place)
    root = with_teacher(place, tmp_path)
    failed, finished = run_cohort([wild, calm], root)
    assert failed.status == "failed" and "diverged" in failed.reason
    assert finished.status == "finished"
    on_disk = json.loads((run_directory(wild, root) / "result.json").read_text())
    assert on_disk["reason"] == failed.reason


@pytest.mark.parametrize("error", [torch.OutOfMemoryError("out of memory"), MemoryError(), None])
def test_running_out_of_memory_is_a_failed_result_and_a_bug_is_not(place, tmp_path, monkeypatch, error):
    def starved(self, original, augmented):
        raise error or RuntimeError("shapes do not match")

    monkeypatch.setattr(Student, "train_step", starved)
    if error is None:
        with pytest.raises(RuntimeError, match="shapes do not match"):
            run_cohort([run(place)], with_teacher(place, tmp_path))
        return
    result = run_cohort([run(place)], with_teacher(place, tmp_path))[0]
    assert result.status == "failed" and "out of memory" in result.reason and "batch_size" in result.reason


def test_an_error_of_the_background_thread_reaches_the_caller(place, tmp_path, monkeypatch):
    def broken(self, step, seen):
        raise ZeroDivisionError

    monkeypatch.setattr(Stream, "_make", broken)
    with pytest.raises(ZeroDivisionError):
        run_cohort([run(place)], with_teacher(place, tmp_path))
