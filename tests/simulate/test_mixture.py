"""The mixture's density against brute force at 60 digits, mathematics and independent samples."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
from scipy import stats
from scipy.special import logsumexp

from simulate.mixture import log_density, sample
from theory.errors import InputError


def exact_log_density(point: np.ndarray, centres: np.ndarray, tau: float) -> mpmath.mpf:
    """Brute force at 60 digits."""
    with mpmath.workdps(60):
        t = mpmath.mpf(tau)
        squares = [
            sum((mpmath.mpf(float(a)) - mpmath.mpf(float(b))) ** 2 for a, b in zip(point, c, strict=True))
            for c in centres
        ]
        total = mpmath.fsum(mpmath.e ** (-s / (2 * t)) for s in squares) / len(centres)
        return mpmath.log(total) - mpmath.mpf(len(point)) / 2 * mpmath.log(2 * mpmath.pi * t)


@pytest.mark.parametrize("tau", [1e-20, 1e-9, 1e-4, 0.03, 1.0, 50.0])
@pytest.mark.parametrize("dimension", [1, 3, 8])
def test_log_density_is_exact(tau: float, dimension: int) -> None:
    rng = np.random.default_rng(dimension)
    centres = rng.standard_normal((40, dimension))
    points = np.concatenate(
        [sample(centres, tau, 4, rng), rng.standard_normal((2, dimension)), np.full((1, dimension), 9.0)]
    )
    for point, found in zip(points, log_density(points, centres, tau), strict=True):
        expected = exact_log_density(point, centres, tau)
        assert abs(float(expected - mpmath.mpf(float(found)))) < 1e-6 + 1e-13 * abs(float(expected))


def test_many_tiles_equal_one_sum() -> None:
    rng = np.random.default_rng(1)
    centres, points = rng.standard_normal((9000, 2)), rng.standard_normal((700, 2))
    squares = ((points[:, None] - centres) ** 2).sum(-1)
    expected = logsumexp(-squares / 0.02, axis=1) - math.log(9000) - math.log(2 * math.pi * 0.01)
    np.testing.assert_allclose(log_density(points, centres, 0.01), expected, atol=1e-6)


def test_agrees_with_scipy() -> None:
    """SciPy's estimate uses the centres' covariance, so they are whitened to have exactly the identity."""
    rng = np.random.default_rng(2)
    centres, points = whitened(rng.standard_normal((500, 5))), rng.standard_normal((300, 5))
    rival = stats.gaussian_kde(centres.T, bw_method=math.sqrt(0.1))
    np.testing.assert_allclose(log_density(points, centres, 0.1), rival.logpdf(points.T), atol=1e-6)


def whitened(x: np.ndarray) -> np.ndarray:
    """`x` (n, d), moved and turned to have zero mean and the identity as its covariance."""
    centred = x - x.mean(0)
    return np.linalg.solve(np.linalg.cholesky(np.cov(centred.T)), centred.T).T


def test_printed_expression_has_the_printed_mass() -> None:
    """The printed factor tau^(-1/2) makes a total mass of tau^((d-1)/2): row 1 of the audit."""
    rng = np.random.default_rng(3)
    centres, points = rng.standard_normal((30, 4)), rng.standard_normal((50, 4))
    gap = log_density(points, centres, 0.2, printed=True) - log_density(points, centres, 0.2)
    np.testing.assert_allclose(gap, 1.5 * math.log(0.2), rtol=1e-12)
    line = log_density(points[:, :1], centres[:, :1], 0.2, printed=True)
    np.testing.assert_allclose(line, log_density(points[:, :1], centres[:, :1], 0.2))


@pytest.mark.parametrize("dimension, tau", [(2, 0.1), (5, 1.0)])
def test_mean_density_is_a_wider_normal(dimension: int, tau: float) -> None:
    """E p_hat(x) = N(x; 0, (1 + tau) I): two-sided z tests at eight points, level 1e-3 together (Bonferroni)."""
    rng = np.random.default_rng(4)
    points = rng.standard_normal((8, dimension))
    sets = np.stack([np.exp(log_density(points, rng.standard_normal((50, dimension)), tau)) for _ in range(400)])
    expected = np.exp(-0.5 * (points**2).sum(1) / (1 + tau)) / (2 * math.pi * (1 + tau)) ** (dimension / 2)
    z = (sets.mean(0) - expected) / (sets.std(0, ddof=1) / math.sqrt(len(sets)))
    assert np.abs(z).max() < stats.norm.ppf(1 - 1e-3 / 16)


def test_samples_follow_the_mixture() -> None:
    """Norms of X + sqrt(tau) Z with X normal are chi with scale sqrt(1 + tau): Kolmogorov-Smirnov at level 1e-3."""
    rng = np.random.default_rng(5)
    centres = rng.standard_normal((20_000, 3))
    draws = sample(centres, 0.5, 4000, rng)
    assert stats.kstest((draws**2).sum(1) / 1.5, stats.chi2(3).cdf).pvalue > 1e-3


@pytest.mark.parametrize("tau", [0.0, -1.0, math.nan, math.inf])
def test_tau_must_be_a_variance(tau: float) -> None:
    with pytest.raises(InputError, match="tau"):
        log_density(np.zeros((1, 2)), np.zeros((1, 2)), tau)


def test_bad_arrays_are_named() -> None:
    with pytest.raises(InputError, match="centres"):
        log_density(np.zeros((1, 2)), np.full((3, 2), np.nan), 1.0)
    with pytest.raises(InputError, match="points"):
        log_density(np.zeros((1, 3)), np.zeros((3, 2)), 1.0)


def test_arrays_of_any_memory_layout_are_taken() -> None:
    points = np.random.default_rng(3).standard_normal((40, 3))
    backwards = log_density(points[::-1], points[::2], 0.3)
    np.testing.assert_array_equal(backwards[::-1], log_density(points, points[::2].copy(), 0.3))
