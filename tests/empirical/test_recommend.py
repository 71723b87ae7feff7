"""Recommendations: the rule, the theory through a measured shift, and a pilot that validation decides."""

from __future__ import annotations

import numpy as np
import pytest

from empirical import recommend as module
from empirical.config import AugmentConfig, RunConfig
from empirical.recommend import pilot_answer, pilot_sweep, recommend, rule_answer, theory_answer
from empirical.tasks.load import load_task
from tests.empirical import tiny_kd
from tests.empirical.fake_cohort import fake_run, sweep_of
from theory.errors import InputError


def pilot_run(folder) -> RunConfig:
    return sweep_of(folder).runs[-1]


@pytest.mark.parametrize(("data_size", "degree"), [(9_999, 0.5), (10_000, 0.3), (100_000, 0.3), (100_001, 0.1)])
def test_the_rule_of_section_5(data_size, degree):
    answer = rule_answer(data_size)
    assert answer.degree == degree and answer.low is None and "5.1" in answer.reason


def test_a_pilot_pairs_its_replicates_and_shares_its_vanilla_runs(tmp_path):
    sweep = pilot_sweep(pilot_run(tmp_path), degrees=(0.0, 0.3), replicates=3)
    assert [(run.augment and run.augment.degree, run.seed, run.data_seed) for run in sweep.runs] == [
        (None, 0, 0), (0.3, 0, 0), (None, 1, 1), (0.3, 1, 1), (None, 2, 2), (0.3, 2, 2)]  # fmt: skip


def test_the_pilot_finds_the_best_degree_with_an_interval(tmp_path):
    run = pilot_run(tmp_path)
    run = run.model_copy(update={"train": run.train.model_copy(update={"learning_rate": 0.01})})
    task = load_task(run.task)
    sweep = pilot_sweep(run, replicates=3)
    answer = pilot_answer(sweep, task, tmp_path / "out", run=fake_run)
    assert answer.degree == pytest.approx(0.3, abs=0.11) and answer.low is not None and answer.high is not None
    assert answer.low <= answer.degree <= answer.high and "5 degrees, 3 replicates" in answer.reason


def test_a_pilot_whose_runs_fail_is_refused(tmp_path):
    def diverging(configs, root, **options):
        raise RuntimeError("not a number")

    run = pilot_run(tmp_path)
    with pytest.raises(InputError, match="not a number"):
        pilot_answer(pilot_sweep(run), load_task(run.task), tmp_path / "out", run=diverging)


def test_theory_turns_its_best_tau_into_a_degree(tmp_path, monkeypatch):
    import pandas as pd

    run = tiny_kd.run(tmp_path, augment=AugmentConfig(augmenter="random", degree=0.3))
    task = load_task(run.task)

    def measured(per_token):
        degree = np.array([0.0, 0.1, 0.3, 0.5])
        return lambda run, task, seed: pd.DataFrame({
            "degree": degree, "changed": 20 * degree, "realised_degree": np.maximum(degree, 1e-9), "dimension": 4,
            "tau": per_token * 20 * degree,
        })  # fmt: skip

    monkeypatch.setattr(module, "_measured", measured(0.05))
    one = theory_answer(run, task, 1000)
    monkeypatch.setattr(module, "_measured", measured(0.1))
    two = theory_answer(run, task, 1000)
    assert one.degree is not None and two.degree == pytest.approx(one.degree / 2, rel=1e-6)
    more = theory_answer(run, task, 100_000)
    assert more.degree is not None and more.degree < two.degree


def test_the_three_answers_side_by_side_with_the_real_loop(tmp_path):
    run = tiny_kd.run(tmp_path, augment=AugmentConfig(augmenter="random"), data_size=0.5, train={"steps": 3})
    answers = recommend(run, tmp_path / "out", replicates=2)
    assert [answer.source for answer in answers] == ["rule", "theory", "pilot"]
    assert answers[0].degree == 0.5
    assert all(answer.degree is None or 0 <= answer.degree <= 1 for answer in answers)
