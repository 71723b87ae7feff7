"""Curves of a sweep's table: rates chosen where they should be, replicates paired, the 0 % runs shared."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from empirical.sweeps.execute import run_sweep
from empirical.tables.curves import CELL, curves, labelled_curves, select_learning_rate, with_vanilla
from tests.empirical.fake_cohort import accuracy, fake_run, sweep_of
from theory.inference.evaluation import MEANS, SINGLE, bounded_covariance


def one_row(**changes):
    row = {
        "task": "t", "mode": "distill", "teacher": "T", "student": "S", "augmenter": "knn", "amount": "online",
        "degree": 0.1, "data_fraction": 0.01, "data_size": 100.0, "learning_rate": 0.1, "seed": 0, "data_seed": 0,
        "status": "finished", "metric": "accuracy", "score": 0.5, "error": 0.5, "error_se": 0.01, "validation": 0.5,
    }  # fmt: skip
    return {**row, **changes}


def test_the_learning_rate_is_chosen_on_validation_and_only_the_papers_protocol_peeks():
    frame = pd.DataFrame([
        one_row(learning_rate=0.1, validation=0.9, score=0.6, seed=0),
        one_row(learning_rate=0.1, validation=0.7, score=0.6, seed=1),
        one_row(learning_rate=0.2, validation=0.7, score=0.8, seed=0),
        one_row(learning_rate=0.2, validation=0.7, score=0.8, seed=1),
    ])  # fmt: skip
    assert set(select_learning_rate(frame, "validation")["learning_rate"]) == {0.1}
    assert set(select_learning_rate(frame, "paper")["learning_rate"]) == {0.2}


def test_learning_rates_that_miss_seeds_do_not_win_and_failed_runs_do_not_count():
    frame = pd.DataFrame([
        one_row(learning_rate=0.1, validation=0.6, seed=0),
        one_row(learning_rate=0.1, validation=0.6, seed=1),
        one_row(learning_rate=0.2, validation=0.9, seed=0),
        one_row(learning_rate=0.2, validation=math.nan, seed=1, status="failed"),
    ])  # fmt: skip
    chosen = select_learning_rate(frame, "validation")
    assert set(chosen["learning_rate"]) == {0.1} and len(chosen) == 2
    assert set(CELL) <= set(chosen.columns)


def test_curves_hold_the_vanilla_point_and_paired_replicates(tmp_path):
    sweep = sweep_of(tmp_path, degrees=(0.0, 0.1, 0.3, 0.8), seeds=3)
    frame = run_sweep(sweep, tmp_path / "out", run=fake_run)
    (curve,) = curves(frame)
    assert list(curve.shift) == [0.0, 0.1, 0.3, 0.8] and curve.shift_name == "degree" and curve.data_size == 100
    assert curve.replicates is not None and curve.replicates.shape == (3, 4)
    expected = [np.mean([1 - round(400 * accuracy(run)) / 400 for run in sweep.runs
                         if run.train.learning_rate == 0.01 and (run.augment.degree if run.augment else 0) == degree])
                for degree in curve.shift]  # fmt: skip
    assert curve.error == pytest.approx(expected)
    assert curve.optimum().shift == pytest.approx(0.3, abs=0.12)
    (key,) = labelled_curves(frame)
    assert (key.mode, key.augmenter, key.amount, key.data_size) == ("distill", "random", "online", 100.0)


def test_curves_of_one_seed_take_the_error_of_the_test_examples():
    frame = pd.DataFrame([one_row(augmenter="none", amount="none", degree=0.0, error=0.4, error_se=0.02), one_row()])
    (curve,) = curves(frame)
    assert curve.replicates is None and list(curve.error) == [0.4, 0.5] and list(curve.error_se) == [0.02, 0.01]


def test_two_augmenters_share_the_vanilla_run_and_fine_tuning_keeps_its_own():
    frame = pd.DataFrame([
        one_row(augmenter="none", amount="none", degree=0.0, error=0.4),
        one_row(augmenter="none", amount="none", degree=0.0, error=0.6, mode="finetune", teacher="none"),
        one_row(), one_row(augmenter="eda", error=0.45), one_row(mode="finetune", error=0.65),
        one_row(augmenter="none", amount="none", degree=0.0, error=0.3, data_size=500.0, data_fraction=0.05),
    ])  # fmt: skip
    found = {(key.mode, key.augmenter): list(curve.error) for key, curve in labelled_curves(frame).items()}
    assert found == {("distill", "eda"): [0.4, 0.45], ("distill", "knn"): [0.4, 0.5], ("finetune", "knn"): [0.6, 0.65]}


def degrees_by_seed(have: dict[int, tuple[float, ...]], **changes) -> pd.DataFrame:
    """Runs of a curve with the given degrees for each seed; the error is 0.5 less the degree, plus seed/100."""
    vanilla = {"augmenter": "none", "amount": "none"}
    return pd.DataFrame([
        one_row(seed=seed, degree=degree, error=0.5 - degree + seed / 100, **({} if degree else vanilla), **changes)
        for seed, degrees in have.items() for degree in degrees
    ])  # fmt: skip


def test_replicates_are_paired_and_the_errors_standard_error_is_theirs():
    (curve,) = curves(degrees_by_seed({seed: (0.0, 0.1, 0.3) for seed in range(4)}))
    assert curve.replicates.tolist() == [pytest.approx([0.5 + s / 100, 0.4 + s / 100, 0.2 + s / 100]) for s in range(4)]
    assert curve.replicate_ids == tuple((seed, 0) for seed in range(4))
    assert curve.error_se == pytest.approx([np.std([0, 1, 2, 3], ddof=1) / 100 / 2] * 3)


@pytest.mark.parametrize(
    ("have", "degrees", "replicates"),
    [
        ({0: (0.0, 0.1, 0.3), 1: (0.0, 0.1, 0.3), 2: (0.0, 0.1)}, [0.0, 0.1, 0.3], 2),  # three degrees stay
        ({0: (0.0, 0.1, 0.3, 0.5), 1: (0.0, 0.1, 0.3), 2: (0.0, 0.1, 0.3)}, [0.0, 0.1, 0.3], 3),  # not two of four
        ({0: (0.0, 0.1, 0.3), 1: (0.1, 0.3, 0.5), 2: (0.0, 0.1, 0.3)}, [0.0, 0.1, 0.3], 2),  # never without 0 %
        ({0: (0.0, 0.1), 1: (0.0, 0.1)}, [0.0, 0.1], 2),
    ],
)
def test_degrees_are_given_up_for_replicates_while_three_remain(have, degrees, replicates):
    (curve,) = curves(degrees_by_seed(have))
    assert list(curve.shift) == degrees and curve.replicates.shape == (replicates, len(degrees))


@pytest.mark.parametrize("have", [{0: (0.1,)}, {0: (0.0,)}, {}])
def test_one_degree_is_no_curve(have):
    frame = degrees_by_seed(have) if have else degrees_by_seed({0: (0.0,)}).iloc[:0]
    assert curves(frame) == []


def test_single_runs_without_a_standard_error_and_unknown_data_sizes_are_left_out():
    single = {0: (0.0, 0.1, 0.3)}
    assert curves(degrees_by_seed(single, error_se=math.nan)) == []
    assert curves(degrees_by_seed(single, data_size=math.nan)) == []
    assert len(curves(degrees_by_seed(single))) == 1


@pytest.mark.parametrize(("seeds", "correlation"), [(1, SINGLE), (3, MEANS)])
def test_the_test_splits_share_is_bounded_where_its_size_is_known(seeds, correlation):
    frame = degrees_by_seed({seed: (0.0, 0.1, 0.3) for seed in range(seeds)}, n_test=400)
    (curve,) = curves(frame)
    assert curve.evaluation == "t"
    np.testing.assert_allclose(curve.test_covariance, bounded_covariance(curve.error, 400, correlation))
    (blind,) = curves(frame.drop(columns="n_test"))
    assert blind.test_covariance is None
    (loss,) = curves(frame.assign(error=frame["error"] + 1))  # a loss above 1 is no share
    assert loss.test_covariance is None


def test_ties_of_learning_rates_go_to_the_smaller_one_and_each_cell_chooses_for_itself():
    frame = pd.DataFrame([
        one_row(learning_rate=rate, degree=degree, validation=validation)
        for degree, rate, validation in ((0.1, 0.2, 0.7), (0.1, 0.1, 0.7), (0.3, 0.2, 0.8), (0.3, 0.1, 0.7))
    ])  # fmt: skip
    chosen = select_learning_rate(frame, "validation").set_index("degree")["learning_rate"]
    assert chosen.to_dict() == {0.1: 0.1, 0.3: 0.2}


def test_vanilla_runs_of_any_teacher_named_none_are_shared_and_lonely_ones_are_a_row():
    keys = ["task", "mode", "teacher", "student", "augmenter", "amount", "data_size"]
    frame = pd.DataFrame([
        one_row(augmenter="none", amount="none", degree=0.0, teacher="none"),
        one_row(augmenter="none", amount="none", degree=0.0, task="lonely"),
        one_row(augmenter="none", amount="none", degree=0.0, teacher="another"),
        one_row(),
    ])  # fmt: skip
    groups = {key[:3]: list(members["degree"]) for key, members in with_vanilla(frame, keys)}
    assert groups == {("t", "distill", "T"): [0.0, 0.1], ("lonely", "distill", "T"): [0.0],
                      ("t", "distill", "another"): [0.0]}  # fmt: skip
    unknown = frame.assign(data_size=float("nan"))  # sizes that are not known are alike, not strangers
    assert [list(members["degree"]) for _, members in with_vanilla(unknown, keys)] == list(groups.values())
