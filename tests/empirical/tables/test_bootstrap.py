"""The bootstrap of a row: as resampling by hand, as wide as the seeds deserve, paired across cells, covering."""

from __future__ import annotations

import math

import numpy as np
import pytest

from empirical.metric import confusion, score
from empirical.tables.bootstrap import RowBootstrap, bootstrap_row, normal_row
from theory.errors import InputError


@pytest.mark.parametrize("metric", ["accuracy", "matthews", "f1"])
def test_the_bootstrap_agrees_with_resampling_by_hand(metric):
    rng = np.random.default_rng(3)
    label_N = rng.integers(0, 2, 60)
    run = np.where(rng.random(60) < 0.8, label_N, 1 - label_N)
    made = bootstrap_row(metric, label_N, [[run]], 2, rng=np.random.default_rng(0), draws=8000)
    assert made.score_C[0] == pytest.approx(score(metric, confusion(label_N, run, 2)))
    draws = []
    for _ in range(8000):
        picked = rng.integers(0, 60, 60)
        draws.append(score(metric, confusion(label_N[picked], run[picked], 2)))
    assert made.draws_BC[:, 0].mean() == pytest.approx(np.mean(draws), abs=0.008)
    assert made.draws_BC[:, 0].std() == pytest.approx(np.std(draws), rel=0.1)


def test_few_seeds_get_students_interval():
    scores = np.array([0.70, 0.71, 0.73])
    low, high = normal_row([scores], np.zeros(1), rng=np.random.default_rng(0), draws=20_000).interval()
    half = 4.303 * scores.std(ddof=1) / math.sqrt(3)
    assert (high - low)[0] / 2 == pytest.approx(half, rel=0.06)


def test_what_a_table_without_predictions_does_not_know_is_unknown():
    row = normal_row([np.array([0.5]), np.array([0.6])], np.full(2, np.nan), rng=np.random.default_rng(0))
    assert np.isnan(row.interval()[0]).all() and np.isnan(row.probability_best()).all()


def test_one_seed_varies_as_a_binomial_proportion():
    label_N = np.arange(1000) % 2
    predicted = np.where(np.arange(1000) < 700, label_N, 1 - label_N)
    made = bootstrap_row("accuracy", label_N, [[predicted]], 2, rng=np.random.default_rng(0), draws=4000)
    assert made.draws_BC.std() == pytest.approx(math.sqrt(0.7 * 0.3 / 1000), rel=0.05)
    low, high = made.interval()
    assert high[0] - low[0] == pytest.approx(2 * 1.96 * math.sqrt(0.7 * 0.3 / 1000), rel=0.08)
    assert made.probability_best()[0] == 1


def test_cells_are_compared_on_the_same_examples():
    label_N = np.arange(500) % 2
    worse = np.where(np.arange(500) < 350, label_N, 1 - label_N)
    better = np.where(np.arange(500) < 352, label_N, 1 - label_N)  # right wherever `worse` is, and twice more
    row = bootstrap_row("accuracy", label_N, [[worse], [better]], 2, rng=np.random.default_rng(0), draws=4000)
    assert (row.draws_BC[:, 1] >= row.draws_BC[:, 0]).all()
    assert row.probability_best()[1] == pytest.approx(1 - 0.5 * math.exp(-2), abs=0.02)
    same = bootstrap_row("accuracy", label_N, [[worse], [worse]], 2, rng=np.random.default_rng(0))
    assert list(same.probability_best()) == [0.5, 0.5]


def test_intervals_cover_the_truth():
    """Forty tables of one cell: the 95 % interval holds the true accuracy at least 33 times (binomial, p < 0.01)."""
    rng, covered = np.random.default_rng(1), 0
    for _ in range(40):
        label_N = rng.integers(0, 2, 400)
        predicted = np.where(rng.random(400) < 0.75, label_N, 1 - label_N)
        low, high = bootstrap_row("accuracy", label_N, [[predicted]], 2, rng=rng, draws=400).interval()
        covered += low[0] <= 0.75 <= high[0]
    assert covered >= 34


def test_predictions_of_another_test_split_are_refused():
    with pytest.raises(InputError, match="400 examples"):
        bootstrap_row("accuracy", np.zeros(3, int), [[np.zeros(400, int)]], 2, rng=np.random.default_rng(0))


def row_of(draws_BC: list[list[float]]) -> RowBootstrap:
    made = np.array(draws_BC)
    return RowBootstrap(score_C=made.mean(axis=0), draws_BC=made, seeds_C=np.ones(made.shape[1], dtype=np.int64))


def test_ties_are_shared_and_probabilities_add_up_to_one():
    assert list(row_of([[1, 1, 0], [0, 1, 0], [1, 1, 1], [2, 0, 0]]).probability_best()) == [
        pytest.approx(share / 4) for share in (1 / 2 + 1 / 3 + 1, 1 / 2 + 1 + 1 / 3, 1 / 3)
    ]


@pytest.mark.parametrize("level", [0.5, 0.9])
def test_an_interval_leaves_half_of_what_it_misses_on_either_side(level):
    row = row_of([[float(value), 0.0] for value in range(1001)])
    low, high = row.interval(level)
    assert (low[0], high[0]) == (pytest.approx(500 * (1 - level)), pytest.approx(1000 - 500 * (1 - level)))
    assert low[1] == high[1] == 0


def test_draws_are_a_function_of_the_generator_and_not_of_the_chunks(monkeypatch):
    label_N = np.arange(90) % 3
    cells = [[(label_N + (np.arange(90) < 10 * run)) % 3 for run in range(3)], [label_N]]
    whole = bootstrap_row("accuracy", label_N, cells, 3, rng=np.random.default_rng(4), draws=50)
    monkeypatch.setattr("empirical.tables.bootstrap.CHUNK", 90 * 7)
    cut = bootstrap_row("accuracy", label_N, cells, 3, rng=np.random.default_rng(4), draws=50)
    assert (whole.draws_BC == cut.draws_BC).all() and list(whole.seeds_C) == [3, 1]
    assert whole.score_C == pytest.approx([1 - 10 / 90, 1.0]) and (whole.draws_BC[:, 1] == 1).all()


def test_cells_of_as_many_seeds_are_shaken_alike():
    """Two cells whose scores differ by a constant keep that difference in every draw; test noise is off."""
    scores = np.array([0.6, 0.7, 0.65])
    draws_BC = normal_row([scores, scores + 0.1], np.zeros(2), rng=np.random.default_rng(0)).draws_BC
    assert np.ptp(draws_BC[:, 1] - draws_BC[:, 0]) < 1e-12 and np.ptp(draws_BC[:, 0]) > 0.05


def test_the_noise_of_seeds_has_students_variance():
    """The mean of R seeds: s^2 / R times (R - 1) / (R - 3), the variance of Student's t with R - 1 degrees."""
    scores = np.array([0.5, 0.52, 0.61, 0.55, 0.58, 0.49, 0.6, 0.57])
    draws_B = normal_row([scores], np.zeros(1), rng=np.random.default_rng(2), draws=40_000).draws_BC[:, 0]
    assert draws_B.mean() == pytest.approx(scores.mean(), abs=1e-3)
    assert draws_B.var() == pytest.approx(scores.var(ddof=1) / 8 * 7 / 5, rel=0.05)
