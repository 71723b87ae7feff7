"""Monte Carlo at fixed seeds: what holds with probability 1 - delta does, and Lemma L holds for every set.

The distance of a training set is measured by `theory.audit.measure`, with a standard error of its own.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import bdtrc
from scipy.stats import ncx2

from theory import repaired, risk
from theory.audit.measure import l1_distance, log_mixture


def enough(failures: int, runs: int, delta: float) -> bool:
    """One-sided binomial test: this many failures are not surprising (1 in 1000) at failure probability delta."""
    return failures == 0 or bdtrc(failures - 1, runs, delta) > 1e-3


@pytest.mark.parametrize(("d", "n", "tau"), [(1, 50, 0.1), (2, 200, 0.1), (3, 100, 0.02), (5, 200, 0.3)])
def test_high_probability_bound_and_the_bounds_on_the_mean(d: int, n: int, tau: float) -> None:
    runs, delta = 40, 0.1
    rng = np.random.default_rng(np.random.SeedSequence(7, spawn_key=(d, n)))
    measured = [l1_distance(rng.standard_normal((n, d)), tau, 4000, rng) for _ in range(runs)]
    values, errors = np.array(measured).T
    bound = repaired.l1_bound(n, tau, d, delta)
    assert enough(int(np.sum(values - 3 * errors > bound)), runs, delta)
    mean, error = values.mean(), values.std(ddof=1) / math.sqrt(runs)
    assert mean - 3 * error <= repaired.mean_bound(n, tau, d)
    assert mean + 3 * error >= repaired.mean_lower_bound(n, tau, d)
    assert np.all(values + 4 * errors >= repaired.l1_lower_bound(n, tau, d))
    assert repaired.mean_bound(n, tau, d) < 1.45 * mean  # sharp: at most 1.42 times the truth wherever measured


def test_lemma_l_holds_for_every_training_set_however_chosen() -> None:
    rng = np.random.default_rng(11)
    for d, n, tau in ((2, 100, 1e-3), (3, 50, 1e-2), (2, 400, 1e-4)):
        grid = np.stack(np.meshgrid(*[np.linspace(-2, 2, round(n ** (1 / d)))] * d), axis=-1).reshape(-1, d)
        for training in (rng.standard_normal((n, d)), grid, np.zeros((n, d)), 0.5 * rng.standard_normal((n, d))):
            distance, error = l1_distance(training, tau, 4000, rng)
            assert distance + 4 * error >= repaired.l1_lower_bound(len(training), tau, d)
            assert repaired.l1_lower_bound(len(training), tau, d) > 0.1


def test_bias_is_the_distance_of_the_mean_and_variance_is_right() -> None:
    rng = np.random.default_rng(5)
    d, n, tau = 2, 20, 0.3
    x = rng.standard_normal((50, d))
    draws = np.exp([log_mixture(x, rng.standard_normal((n, d)), tau) for _ in range(4000)])
    s = np.sum(x**2, axis=1)
    q = np.exp(-s / (2 * (1 + tau))) / (2 * np.pi * (1 + tau))
    second = np.exp(-s / (2 + tau)) / (4 * np.pi * tau * 2 * np.pi * (1 + tau / 2))
    assert draws.mean(axis=0) == pytest.approx(q, rel=0.15)
    assert np.median(draws.var(axis=0) / ((second - q**2) / n)) == pytest.approx(1, abs=0.06)
    wide = np.sqrt(1 + tau) * rng.standard_normal((200_000, d))
    s = np.sum(wide**2, axis=1)
    ratio = (1 + tau) * np.exp(-s / 2 + s / (2 * (1 + tau)))
    assert np.abs(1 - ratio).mean() == pytest.approx(repaired.bias(tau, d), abs=0.005)


@pytest.mark.parametrize(("d", "n", "radius", "tau"), [(2, 100, 2.0, 0.5), (5, 200, 3.5, 0.3), (3, 50, 4.0, 0.1)])
def test_outside_mass_and_its_bounds(d: int, n: int, radius: float, tau: float) -> None:
    runs, delta = 400, 0.05
    rng = np.random.default_rng(np.random.SeedSequence(13, spawn_key=(d, n)))
    squares = np.sum(rng.standard_normal((runs, n, d)) ** 2, axis=-1)
    outside = ncx2.sf(radius**2 / tau, d, squares / tau).mean(axis=1)
    mean = float(risk.outside_mass(tau, d, radius))
    assert outside.mean() == pytest.approx(mean, abs=4 * outside.std() / math.sqrt(runs))
    for method in ("kl", "bernstein", "hoeffding"):
        bound = risk.outside_mass_bound(mean, n, delta, method=method)
        assert enough(int(np.sum(outside > bound)), runs, delta)


def test_risk_transfer_holds_for_a_worst_case_student_and_teacher() -> None:
    """f = 0, the teacher wrong outside R, the student 1 where p exceeds P_hat: the transfer is nearly an equality."""
    rng = np.random.default_rng(17)
    d, n, tau, radius, delta, runs, draws = 2, 200, 0.2, 2.5, 0.1, 20, 6000
    failures = 0
    for _ in range(runs):
        training = rng.standard_normal((n, d))
        points = rng.standard_normal((draws, d))
        mixture = training[rng.integers(n, size=draws)] + math.sqrt(tau) * rng.standard_normal((draws, d))

        def student(x: np.ndarray, training: np.ndarray = training) -> np.ndarray:
            return log_mixture(x, training, tau) < -np.sum(x**2, axis=1) / 2 - math.log(2 * math.pi)

        def teacher(x: np.ndarray) -> np.ndarray:
            return np.sum(x**2, axis=1) > radius**2

        target = student(points).mean()
        source = np.abs(student(mixture).astype(float) - teacher(mixture)).mean()
        failures += target - source - 3 / math.sqrt(draws) > risk.risk_terms(tau, n, d, radius, 0.0, delta).bound
    assert enough(failures, runs, delta)
