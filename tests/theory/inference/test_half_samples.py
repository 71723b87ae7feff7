"""Halves of one pool read as replicates: the mean and its variance by hand, coverage of what a pool decides."""

from __future__ import annotations

import numpy as np
import pytest

from empirical.bank.pool import replicates
from theory.errors import InputError
from theory.inference.contrast import student_interval
from theory.inference.half_samples import as_replicates


def test_rows_have_the_mean_of_all_halves_and_the_variance_of_that_mean() -> None:
    half_2CK = np.random.default_rng(0).normal(size=(8, 3))
    rows = as_replicates(half_2CK)
    assert rows.shape == (5, 3) and np.allclose(rows.mean(axis=0), half_2CK.mean(axis=0))
    by_hand = np.mean([np.outer(d, d) / 4 for d in half_2CK[::2] - half_2CK[1::2]], axis=0)
    assert np.allclose(np.cov(rows, rowvar=False) / 5, by_hand)


@pytest.mark.parametrize("halves", [np.zeros((2, 3)), np.zeros((5, 3)), np.zeros(8)])
def test_a_single_cut_or_half_a_cut_is_refused(halves: np.ndarray) -> None:
    with pytest.raises(InputError, match="cuts of a sample"):
        as_replicates(halves)


@pytest.mark.parametrize(("curvature", "seed_noise"), [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0)])
def test_intervals_over_cuts_cover(curvature: float, seed_noise: float) -> None:
    """What a half decides: a mean over its texts, bent, and with a noise of its own training.

    95 % is meant, 92 to 98 allowed.

    The true value of a bent mean is that of a half, not of the pool: cuts know no other. The noise of training averages
    out over the cuts and is counted as if it did not: those intervals are wide.
    """
    worlds, texts = 2000, 160
    rng = np.random.default_rng(1)
    halves = replicates(texts, texts // 2, 4)
    text_WP = rng.exponential(size=(worlds, texts)) - 1
    mean_HW = np.stack([text_WP[:, half].mean(axis=1) for half in halves])
    value_HW = mean_HW + curvature * (mean_HW**2 - 2 / texts)
    value_HW += seed_noise * np.sqrt(2 / texts) * rng.standard_normal(value_HW.shape)
    rows_RW = as_replicates(value_HW)
    found = [student_interval(rows_RW[:, world]) for world in range(worlds)]
    covered = np.mean([each.low <= 0 <= each.high for each in found])
    assert 0.92 < covered < (0.995 if seed_noise else 0.98)
    two = [student_interval(value_HW[:2, world]) for world in range(200)]
    assert np.mean([each.high - each.low for each in found]) < 0.5 * np.mean([each.high - each.low for each in two])
