"""Monte Carlo measurements on the augmented mixture, with standard errors: the audit's own eyes.

The proper P_hat = (1/n) sum N(x_i, tau I) against P = N(0, I); everything seeded, in log space.
"""

from __future__ import annotations

import numpy as np
from scipy.special import logsumexp

from theory.setting import Floats


def log_mixture(points: Floats, training: Floats, tau: float) -> Floats:
    """ln of the proper P_hat at `points` (K, d) for `training` (n, d), exact."""
    n, d = training.shape
    result = np.empty(len(points))
    centres = np.sum(training**2, axis=1)
    for start in range(0, len(points), max(1, 4_000_000 // n)):
        chunk = points[start : start + max(1, 4_000_000 // n)]
        squares = np.sum(chunk**2, axis=1)[:, None] + centres - 2 * chunk @ training.T
        result[start : start + len(chunk)] = logsumexp(-np.maximum(squares, 0) / (2 * tau), axis=1)
    density: Floats = result - np.log(n) - d / 2 * np.log(2 * np.pi * tau)
    return density


def log_normal(points: Floats) -> Floats:
    """ln of the standard normal density at `points` (K, d)."""
    result: Floats = -np.sum(points**2, axis=1) / 2 - points.shape[1] / 2 * np.log(2 * np.pi)
    return result


def sample_mixture(training: Floats, tau: float, count: int, rng: np.random.Generator) -> Floats:
    """`count` draws from the proper P_hat, (count, d)."""
    centre = training[rng.integers(len(training), size=count)]
    result: Floats = centre + np.sqrt(tau) * rng.standard_normal(centre.shape)
    return result


def l1_distance(training: Floats, tau: float, draws: int, rng: np.random.Generator) -> tuple[float, float]:
    """||P_hat - P||_1 for this training set and its standard error, by importance sampling from (P + P_hat)/2.

    Half of the draws from each: the weights |P_hat - P| / ((P + P_hat)/2) lie in [0, 2].
    """
    half = draws // 2
    values = []
    for points in (rng.standard_normal((half, training.shape[1])), sample_mixture(training, tau, half, rng)):
        gap = log_mixture(points, training, tau) - log_normal(points)
        values.append(2 * np.abs(np.tanh(gap / 2)))
    mean = float(np.mean([value.mean() for value in values]))
    variance = sum(value.var(ddof=1) / half for value in values) / 4
    return mean, float(np.sqrt(variance))
