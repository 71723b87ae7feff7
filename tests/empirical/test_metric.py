"""Scores against scikit-learn's, and the multinomial bootstrap against resampling the examples themselves."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

from empirical.metric import METRICS, bootstrap, confusion, interval, majority_score, score
from theory.errors import InputError


def labelled(classes: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    label = rng.integers(0, classes, 200)
    guess = np.where(rng.random(200) < 0.6, label, rng.integers(0, classes, 200))
    return label, guess


@pytest.mark.parametrize("classes", [2, 3, 5])
@pytest.mark.parametrize("seed", range(5))
def test_scores_are_those_of_scikit_learn(classes, seed):
    label, guess = labelled(classes, seed)
    count = confusion(label, guess, classes)
    assert score("accuracy", count) == pytest.approx(metrics.accuracy_score(label, guess))
    assert score("matthews", count) == pytest.approx(metrics.matthews_corrcoef(label, guess))
    average = "binary" if classes == 2 else "macro"
    assert score("f1", count) == pytest.approx(metrics.f1_score(label, guess, average=average))
    positive = list(range(1, classes))
    micro = metrics.f1_score(label, guess, labels=positive, average="micro")
    assert score("micro-f1", count) == pytest.approx(micro)
    common = np.bincount(label).argmax()
    assert majority_score("accuracy", label, classes) == pytest.approx((label == common).mean())
    assert majority_score("matthews", label, classes) == 0


def test_a_constant_answer_has_no_correlation_and_no_f1():
    count = confusion(np.array([0, 1, 0, 1]), np.zeros(4, dtype=int), 2)
    assert score("matthews", count) == 0
    assert score("f1", count) == 0
    assert score("accuracy", count) == 0.5


@pytest.mark.parametrize("metric", METRICS)
def test_the_bootstrap_agrees_with_resampled_examples(metric):
    label, guess = labelled(3, 1)
    fast = bootstrap(metric, confusion(label, guess, 3), np.random.default_rng(0), 4000)
    rng = np.random.default_rng(1)
    slow = []
    for _ in range(1500):
        pick = rng.integers(0, len(label), len(label))
        slow.append(score(metric, confusion(label[pick], guess[pick], 3)))
    assert fast.mean() == pytest.approx(np.mean(slow), abs=4 * np.std(slow) / np.sqrt(1500))
    assert fast.std() == pytest.approx(np.std(slow), rel=0.1)


def test_the_interval_of_an_accuracy_is_the_binomial_one():
    count = np.array([[40, 10], [10, 40]])
    low, high = interval(bootstrap("accuracy", count, np.random.default_rng(0), 20000))
    half = 1.96 * np.sqrt(0.8 * 0.2 / 100)
    assert (low, high) == pytest.approx((0.8 - half, 0.8 + half), abs=0.01)


def test_an_unknown_metric_is_named():
    with pytest.raises(InputError, match=r"accurcy.*nearest: accuracy"):
        score("accurcy", np.eye(2))
