"""Intervals against closed forms, distances and calibration on cases that can be reckoned by hand."""

from __future__ import annotations

import numpy as np
import pytest

from kdshift.fit.scoring import Difference, Score, calibration_error, distance, log_loss


def test_the_interval_is_wilsons() -> None:
    right_N = np.array([True] * 71 + [False] * 29)
    score = Score.of(right_N)
    z, n, p = 1.959963984540054, 100, 0.71
    centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    assert score.accuracy == 0.71 and score.n == 100
    assert score.low == pytest.approx(centre - half) and score.high == pytest.approx(centre + half)
    assert Score.of(np.array([True] * 5)).high == 1 and Score.of(np.array([True] * 5)).low > 0


def test_wilsons_interval_covers() -> None:
    rng = np.random.default_rng(0)
    hits = sum(s.low <= 0.8 <= s.high for s in (Score.of(rng.random(150) < 0.8) for _ in range(400)))
    assert hits >= 366  # one-sided binomial test at 0.1 % of a coverage of 95 %


def test_a_difference_is_paired() -> None:
    right = np.array([True, True, False, True] * 25)
    other = np.array([True, False, False, True] * 25)
    difference = Difference.of(right, other)
    assert difference.points == pytest.approx(25) and 15 < difference.low < 25 < difference.high < 35
    same = Difference.of(right, right)
    assert (same.points, same.low, same.high) == (0, 0, 0)


def test_distance_log_loss_and_calibration() -> None:
    p = np.array([[0.5, 0.5], [0.8, 0.2]])
    assert np.allclose(distance(p, np.array([[1.0, 0.0], [0.8, 0.2]])), [0.5, 0.0])
    assert log_loss(p, np.array([0, 1])) == pytest.approx(-(np.log(0.5) + np.log(0.2)) / 2)
    sure = np.tile([0.9, 0.1], (100, 1))
    label = np.array([0] * 90 + [1] * 10)
    rng = np.random.default_rng(1)
    assert calibration_error(sure, rng.permutation(label)) == pytest.approx(0.0, abs=0.08)
    assert calibration_error(sure, np.ones(100, dtype=np.int64)) == pytest.approx(0.9)
