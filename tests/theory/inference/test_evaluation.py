"""What a finite evaluation set adds: bounds without predictions, two-way analysis of variance with them."""

from __future__ import annotations

import numpy as np
import pytest

from theory.errors import InputError
from theory.inference.evaluation import SINGLE, bounded_covariance, least_correlation, measured_covariance


def test_without_predictions_a_share_has_its_binomial_variance() -> None:
    found = bounded_covariance([0.3, 0.5], 100, 0.5)
    assert np.diag(found) == pytest.approx([0.3 * 0.7 / 100, 0.25 / 100])
    assert found[0, 1] == pytest.approx(0.5 * np.sqrt(found[0, 0] * found[1, 1]))


def test_the_bound_holds_for_errors_that_are_more_alike() -> None:
    """Two students that differ on 10 % of the texts: the variance of their difference is below the stated bound."""
    rng = np.random.default_rng(0)
    wrong = rng.random((20_000, 300)) < 0.3
    other = np.where(rng.random(wrong.shape) < 0.1, ~wrong, wrong)
    difference = (wrong.mean(1) - other.mean(1)).var()
    bound = bounded_covariance([wrong.mean(), other.mean()], 300, 0.5)
    assert difference < bound[0, 0] + bound[1, 1] - 2 * bound[0, 1]


def test_with_predictions_the_part_that_replicates_share_is_found() -> None:
    """Losses = text + (replicate, text) noise: only the text's part, variance 0.04/N, is shared."""
    rng, found = np.random.default_rng(1), []
    for _ in range(40):
        text = rng.normal(0, 0.2, (1, 400, 1)) * np.ones((1, 1, 2))
        table = 0.5 + text + rng.normal(0, 0.3, (6, 400, 2))
        found.append(measured_covariance(table))
    assert np.mean(found, axis=0) == pytest.approx(np.full((2, 2), 0.04 / 400), rel=0.08)


def test_one_replicate_keeps_all_of_its_noise() -> None:
    table = np.random.default_rng(2).normal(0, 1, (1, 500, 3))
    np.testing.assert_allclose(measured_covariance(table), np.cov(table[0], rowvar=False) / 500)


def test_noise_that_replicates_already_show_is_not_counted_again() -> None:
    rng = np.random.default_rng(3)
    own = [np.trace(measured_covariance(rng.normal(0, 1, (8, 200, 2)))) for _ in range(30)]
    assert np.mean(own) < 0.15 * 2 / 200


def test_how_alike_two_shifts_are_at_least() -> None:
    assert least_correlation(np.array([[1.0, 0.5, 0.2], [0.5, 1.0, 0.4], [0.2, 0.4, 1.0]])) == pytest.approx(0.2)
    assert least_correlation(np.array([[1.0, -0.3], [-0.3, 1.0]])) == 0.0
    assert least_correlation(np.eye(1)) == least_correlation(np.zeros((2, 2))) == SINGLE


def test_mistakes_are_named() -> None:
    with pytest.raises(InputError, match="error"):
        bounded_covariance([1.2], 100, 0.5)
    with pytest.raises(InputError, match="examples"):
        bounded_covariance([0.2], 0, 0.5)
    with pytest.raises(InputError, match="losses"):
        measured_covariance(np.zeros((3, 1, 2)))
